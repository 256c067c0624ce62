"""What a completed case yields: the business tables of the four stages, units and parties."""

from __future__ import annotations

from datetime import timedelta
from random import Random

from spgl.city.case import Case
from spgl.city.names import (
    COUNTIES,
    DESIGNERS,
    OFFICES,
    REVIEWERS,
    SURVEYORS,
)
from spgl.city.project import Project, Unit
from spgl.city.table import Rows, day, later, soon

Granted = dict[str, Case]


def units_of(p: Project, gcdm: str) -> tuple[Unit, ...]:
    """The units that a part handles: a split project shares them out."""
    if len(p.parts) == 1:
        return p.units
    return p.units[p.parts.index(gcdm) :: 2] if gcdm in p.parts else p.units


def areas(p: Project, gcdm: str) -> dict[str, float]:
    """Total, above-ground, below-ground and civil-defence floor area of a part."""
    units = units_of(p, gcdm)
    total, above = sum(u.area for u in units), sum(u.above for u in units)
    return {
        "ZJZMJ": round(total, 2),
        "DSJZMJ": round(above, 2),
        "DXJZMJ": round(round(total, 2) - round(above, 2), 2),
        "RFMJ": round((total - above) / 2, 2),
    }


def put_business(rows: Rows, case: Case, granted: Granted) -> None:
    """The business row of a passed case, by its item; nothing for items without a table."""
    table = {
        "YC1001": _land,
        "YC1002": _land,
        "YC2001": _plan,
        "YC2002": _plan,
        "YC3001": _review,
        "YC3002": _review,
        "YC3004": _permit,
        "YC3005": _permit,
        "YC4003": _completion,
        "YC5002": _presale,
        "YC5003": _sale,
    }.get(case.item.code)
    if table:
        table(rows, case, granted)


def number_of(granted: Granted, *codes: str) -> str:
    """Number of the first of these items that was granted."""
    return next((granted[c].number for c in codes if c in granted), "")


def _land(rows: Rows, case: Case, granted: Granted) -> None:
    p, office = case.project, OFFICES["plan"]
    rows.put(
        "SPGL_JSYDGHXKXXB",
        case.ended,
        case.code,
        GCDM=case.gcdm,
        SPSXSLBM=case.code,
        YDGHXKZBH=case.number,
        XMMC=p.name,
        YDDW=p.client[0],
        YDTYSHXYDM=p.client[1],
        FZJG=office.name,
        FZJGTYSHXYDM=office.code,
        PZYDJG="样川市人民政府",
        FZRQ=day(case.ended),
        PZYDWH=f"样政地〔{case.ended:%Y}〕{p.number}号",
        YDWZ=p.place,
        YDMJ=p.land,
        TDYT="市政设施用地" if p.linear else "建设用地",
        JSGM=p.scale,
        TDHQFS=2 if p.public else 1,
        FJMC="用地红线图",
        LXR=p.contact.name,
        LXRSJH=p.contact.phone,
    )


def _plan(rows: Rows, case: Case, granted: Granted) -> None:
    p, office = case.project, OFFICES["plan"]
    rows.put(
        "SPGL_JSGCGHXKXXB",
        case.ended,
        case.code,
        GCDM=case.gcdm,
        SPSXSLBM=case.code,
        **p.builder_fields,
        **p.lead_fields,
        YDGHXKZBH=number_of(granted, "YC1001", "YC1002"),
        GCGHXKZBH=case.number,
        XMMC=p.name,
        FZJG=office.name,
        FZJGTYSHXYDM=office.code,
        FZRQ=day(case.ended),
        JSWZ=p.place,
        JSGM=p.scale,
        XMZPMT=f"/plan/{case.code}.pdf",
        FTJFJMC="总平面图、单体图",
        LXR=p.contact.name,
        LXRSJH=p.contact.phone,
    )


def review_number(case: Case) -> str:
    return f"ST{case.code[-9:]}"


def filing_number(case: Case) -> str:
    """Number of a completion filing, 20 digits."""
    part = case.project.parts.index(case.gcdm)
    return f"9901{case.ended:%Y%m%d}{case.project.number:06d}{part:02d}"


def _review(rows: Rows, case: Case, granted: Granted) -> None:
    p, rng = case.project, Random(f"review/{case.code}")
    design, reviewer, survey = DESIGNERS[p.number % 8], REVIEWERS[p.number % 3], REVIEWERS[0]
    head = {"XMDM": p.code, "GCDM": case.gcdm, "STYWBH": review_number(case)}
    first = later(case.started, 1, rng)
    rows.put(
        "SPGL_SGTSJWJSCXXB",
        case.ended,
        case.code,
        **head,
        SPSXBM=case.item.code,
        SPSXBBH=case.version,
        YWQX=1,
        JSDW=p.client[0],
        JSTYSHXYDM=p.client[1],
        KCJG=survey.name,
        KCJGTYSHXYDM=survey.code,
        SJDW=design.name,
        SJTYSHXYDM=design.code,
        SJDWXMFZR=design.lead.name,
        SJDWXMFZRHM=design.lead.number,
        SCJG=reviewer.name,
        SCJGTYSHXYDM=reviewer.code,
        SFYRFLHSC=1,
        SFYXFLHSC=1,
        SFSZHSC=1,
        SCKSRQ=day(case.started),
        SCHGSBH=case.number,
        CSWCSJ=first,
        CSSFTG=int(p.number % 3 > 0),
        CSYJ="初审意见已告知设计单位",
        SCZFXWFQTZS=(p.number % 3 == 0) * 2,
        SCTGSJ=case.ended,
    )
    for state, moment in ((1, soon(case.started, rng)), (4, case.ended)):
        rows.put(
            "SPGL_SGTSJWJSCXXXXB",
            case.ended,
            f"{case.code}{state}",
            **head,
            BLZT=state,
            BLR=reviewer.lead.name,
            BLSJ=moment,
            SCYJ="已接收审查申请" if state == 1 else "审查合格",
        )
    for unit in units_of(p, case.gcdm):
        for kind, who in enumerate((SURVEYORS[p.number % 6].lead, design.lead), 1):
            rows.put(
                "SPGL_KCSJRYXXB",
                case.ended,
                f"{case.code}{unit.code}{kind}",
                **head,
                DTBM=unit.code,
                RYXM=who.name,
                RYLX=kind,
                RYZYLX=str(kind),
                RYSFZJLX=1,
                RYZJHM=who.number,
                RYLXFS=who.phone,
            )


def _permit(rows: Rows, case: Case, granted: Granted) -> None:
    p, office = case.project, OFFICES["build"]
    rows.put(
        "SPGL_JZGCSGXKXXB",
        case.ended,
        case.code,
        GCDM=case.gcdm,
        SPSXSLBM=case.code,
        YDGHXKZBH=number_of(granted, "YC1001", "YC1002"),
        GCGHXKZBH=number_of(granted, "YC2001", "YC2002"),
        ZBTZSBH=f"YCZB{p.number:04d}{case.gcdm[-3:]}",
        SCHGSBH=number_of(granted, "YC3001", "YC3002"),
        SGXKZBH=case.number,
        JSXZ=1,
        FZJG=office.name,
        FZJGTYSHXYDM=office.code,
        FZRQ=day(case.ended),
        GLSD=COUNTIES[p.county],
        **p.builder_fields,
        **p.lead_fields,
        GCMC=part_name(p, case.gcdm),
        JSDZ=p.place,
        SSQX=COUNTIES[p.county],
        XMJWDZB=p.coordinates,
        JSGM=p.scale,
        JHKGRQ=day(case.ended + timedelta(days=15)),
        JHJGRQ=day(case.ended + timedelta(days=400)),
        HTJG=round(p.invest * 0.6 / len(p.parts), 2),
        **areas(p, case.gcdm),
        ZZBZ="无",
        FJBZ="无",
        LXR=p.contact.name,
        LXDH=p.contact.phone,
    )


def _completion(rows: Rows, case: Case, granted: Granted) -> None:
    p, office = case.project, OFFICES["build"]
    permit = granted.get("YC3004") or granted["YC3005"]
    rows.put(
        "SPGL_JSGCJGYSBAXXB",
        case.ended,
        case.code,
        GCDM=case.gcdm,
        SPSXSLBM=case.code,
        **p.builder_fields,
        **p.lead_fields,
        SCHGSBH=number_of(granted, "YC3001", "YC3002"),
        SGXKZBH=permit.number,
        JGYSBABH=filing_number(case),
        BAJG=office.name,
        BAJGXYDM=office.code,
        BARQ=day(case.ended),
        BAFW="全部单体",
        GCMC=part_name(p, case.gcdm),
        SFSXLHYS=1,
        SFBGWFZT=0,
        JSDZ=p.place,
        SSQX=COUNTIES[p.county],
        XMJWDZB=p.coordinates,
        JSGM=p.scale,
        KGRQ=day(permit.ended + timedelta(days=15)),
        JGRQ=day(case.started - timedelta(days=20)),
        SJZJ=round(p.invest * 0.62 / len(p.parts), 2),
        **areas(p, case.gcdm),
        JSDWYJ="验收合格，同意备案",
        LXR=p.contact.name,
        LXRSJH=p.contact.phone,
        DAYSZT=2,
        DAYSYJ="档案已移交",
    )


def _presale(rows: Rows, case: Case, granted: Granted) -> None:
    _sold(
        rows,
        case,
        "SPGL_SPFYSXKXXB",
        ZJJGYH="样例银行样川支行",
        ZJJGZH=f"990100{case.code[-9:]}",
        BZ="无",
        YSZDS=len(units_of(case.project, case.gcdm)),
        YSZTS=case.project.number * 8,
    )


def _sale(rows: Rows, case: Case, granted: Granted) -> None:
    _sold(rows, case, "SPGL_SPFXSBAXXB")


def _sold(rows: Rows, case: Case, table: str, **more: object) -> None:
    p, office, units = case.project, OFFICES["build"], units_of(case.project, case.gcdm)
    rows.put(
        table,
        case.ended,
        case.code,
        GCDM=case.gcdm,
        SPSXSLBM=case.code,
        KFDWMC=p.builder.name,
        KFDWDM=p.builder.code,
        SPFYSXKZBH=case.number,
        XMMC=p.name,
        XMZL=p.place,
        YSZMJ=round(sum(u.above for u in units), 2),
        QZ="住宅及配套",
        BZLH="、".join(u.name for u in units),
        CS=max(u.floors for u in units),
        BDCDYDM=f"990102{p.number:06d}GB00001W00000000",
        FZJG=office.name,
        FZJGTYSHXYDM=office.code,
        FZRQ=day(case.ended),
        YXQQSSJ=day(case.ended),
        YXQJZSJ=f"{case.ended.year + 2}-12-31",
        **more,
    )


def part_name(p: Project, gcdm: str) -> str:
    return p.name if gcdm == p.code else f"{p.name}{gcdm[-3:]}标段"
