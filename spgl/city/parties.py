"""Responsible parties and building units, reported after a completed case."""

from __future__ import annotations

from spgl.city.case import Case
from spgl.city.names import CONTRACTORS, DESIGNERS, SUPERVISORS, SURVEYORS, TESTERS, Company
from spgl.city.project import Project, Unit
from spgl.city.stages import filing_number, review_number, units_of
from spgl.city.table import Rows

#: Items after whose completion units and parties are reported.
WITH_PARTIES = ("YC3001", "YC3002", "YC3003", "YC3004", "YC3005", "YC4001", "YC4002", "YC4003")


def parties(p: Project) -> tuple[tuple[int, Company], ...]:
    """The responsible parties by unit type: survey, design, construction, supervision."""
    n = p.number
    made = [
        (1, SURVEYORS[n % 6]),
        (2, DESIGNERS[n % 8]),
        (3, CONTRACTORS[n % 10]),
        (4, SUPERVISORS[n % 8]),
    ]
    return tuple([*made, (6, TESTERS[n % 3])] if n % 4 == 0 else made)


def put_parties(rows: Rows, case: Case, reported: str) -> None:
    """Parties and units of a completed case, under the number they were reported by."""
    p = case.project
    head = {"XMDM": p.code, "GCDM": case.gcdm, "SPSXSLBM": case.code, "XKBABH": reported}
    for kind, who in parties(p):
        rows.put(
            "SPGL_ZRZTXXB",
            case.ended,
            f"{case.code}{kind}",
            **head,
            DWLX=kind,
            DWMC=who.name,
            DWTYSHXYDM=who.code,
            ZZDJ="101",
            FDDBR=who.legal.name,
            FRZJLX=1,
            FRZJHM=who.legal.number,
            FZRXM=who.lead.name,
            FZRZJLX=1,
            FZRZJHM=who.lead.number,
            FZRLXDH=who.lead.phone,
        )
    for n, unit in enumerate(units_of(p, case.gcdm) or (_carriageway(p),)):
        lon, lat = (float(v) for v in p.coordinates.split(","))
        rows.put(
            "SPGL_XMDTXXB",
            case.ended,
            f"{case.code}{unit.code}",
            **head,
            DTMC=unit.name,
            DTBM=unit.code,
            GCYT="0101",
            GMZB=f"建筑面积{unit.area:.2f}平方米" if unit.area else f"长度{p.land / 20:.2f}米",
            JGTX="01",
            NHDJ=2,
            JZFS=9,
            DTJWDZB=f"{lon + n * 0.0005:.4f},{lat:.4f}",
            DTGCZZJ=round(unit.area * 0.28 or p.invest * 0.8, 2),
            JZMJ=unit.area,
            DSJZMJ=unit.above,
            DXJZMJ=round(unit.area - unit.above, 2),
            ZDMJ=round(unit.above / unit.floors or p.land, 2),
            JZGCGD=unit.height,
            DSCS=str(unit.floors if unit.area else 0),
            DXCS=str(int(unit.area > unit.above)),
            CD=round(p.land / 20, 2) if p.linear else 60,
            KD=18,
        )


def _carriageway(p: Project) -> Unit:
    """The one unit of works without buildings: a road or a line, which has no floor area."""
    return Unit(f"9901{p.number:06d}{1:08d}", "主线工程", 0.0, 0.0, 1, 0.0)


def reported_under(case: Case) -> str:
    """XKBABH: the number by which units and parties of a case are reported."""
    if case.item.code in ("YC3001", "YC3002"):
        return review_number(case)
    if case.item.code == "YC4003":
        return filing_number(case)
    return case.number
