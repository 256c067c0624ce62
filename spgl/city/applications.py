"""Fire applications of the sample city, made from its 3.0 fire rows: the running system makes both
from one form. They go into a folder named like their standard.

The same city gives the same bytes. Everything is made up.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from spgl.city.names import OFFICES
from spgl.city.table import Record

#: Item type, 3.0 table, types of the attached files.
_ITEMS = (
    ("1", "SPGL_JSGCXFSJSCXXB", (1, 2, 4, 5)),
    ("2", "SPGL_JSGCXFYSXXB", (11, 12, 13, 14)),
    ("3", "SPGL_JSGCXFYSBAXXB", (21, 22, 23, 24)),
)
_SITUATIONS = 12
PATH = "fire-application/SPGL_XMJBXXB.jsonl"

Tables = Mapping[str, Sequence[Record]]


def write_applications(tables: Tables, out: Path) -> None:
    """One application for each fire row of the city, below `out`."""
    path = out / PATH
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = (json.dumps(row, ensure_ascii=False, sort_keys=True) for row in applications(tables))
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8", newline="\n")


def applications(tables: Tables) -> Iterator[dict[str, object]]:
    """The application rows, their documents as text."""
    projects = {p.get("GCDM"): p for p in tables["SPGL_XMJBXXB"]}
    units, parties = (_by_case(tables[f"SPGL_{name}"]) for name in ("XMDTXXB", "ZRZTXXB"))
    for item, table, files in _ITEMS:
        for row in tables[table]:
            case = row["SPSXSLBM"]
            project = projects.get(row["GCDM"], {})
            document = {
                "ProjectDto": {**_works(row), **_OF_ITEM[item](row)},
                "FireMonomerDtos": [_building(u) for u in units.get(case, ())],
                "CompanyDtos": [_company(p) for p in parties.get(case, ())],
                "FireFileDtos": [_file(case, of) for of in files],
            }
            if item != "1":
                document["CompanyOpinionDtos"] = list(_opinions(row))
            yield {
                "LSH": case,
                "DFSJZJ": f"F{case}",
                "XZQHDM": row["XZQHDM"],
                "XMDM": row["XMDM"],
                "XMMC": project.get("XMMC", row["GCMC"]),
                "GCDM": row["GCDM"],
                "GCMC": row["GCMC"],
                "SPLCLX": int(item),
                "SBSJ": f"{row['SQRQ'][:10]} 09:00:00",
                "FORMS_JSON": json.dumps(document, ensure_ascii=False, separators=(",", ":")),
            }


def _by_case(rows: Iterable[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for row in rows:
        found.setdefault(row.get("SPSXSLBM", ""), []).append(row)
    return found


def _works(row: Record) -> dict[str, object]:
    """What the documents of the three items share."""
    office = OFFICES["build"]
    return {
        "ProjectCode": row["XMDM"],
        "ProjectName": row["GCMC"],
        "ConstructionName": row["JSDW"],
        "ConstructionUscc": row["JSDWDM"],
        "Contact": row.get("JSDWXMFZR", ""),
        "ContactIdCard": row.get("JSFZRZJHM", ""),
        "ContactNo": row.get("JSFZRLXDH", ""),
        "AreaCode": row["XZQHDM"],
        "ConstructionSite": row["GCDZ"],
        "BuildNatureCode": row["JSXZ"],
        "IsSpecialDesign": row.get("TSXFSJ") == "1",
        "TotalInvestment": row["GCTZE"],
        "TotalBuildArea": row["ZJZMJ"],
        "CompanyUscc": office.code,
        "CompanyName": office.name,
        "SpecialSituation": _slots(row.get("TSJSGCQX", "")),
        "DecorationPart": row.get("ZXBW", ""),
        "DecorationArea": row.get("ZXMJ", ""),
        "DecorationFloor": row.get("ZXSZCS", ""),
        "OriginalPurpose": row.get("YYYT", ""),
    }


def _slots(situations: str) -> str:
    """The situations in their twelve places."""
    chosen = situations.split(",")
    places = (str(n) if str(n) in chosen else "" for n in range(1, _SITUATIONS + 1))
    return ",".join(places) if situations else ""


def _review(row: Record) -> dict[str, object]:
    return {
        "IsStrengthen": row.get("SFJQXXF") == "1",
        "BuildingPermit": row.get("GCGHXKZBH", ""),
        "MaterialsCategory": row.get("BWCLLB", ""),
        "InsulationFloor": row.get("BWSZCS", ""),
        "InsulationPart": row.get("BWBW", ""),
        "InsulationMaterials": row.get("BWCL", ""),
        "FireFacilitiesCategory": row.get("XFCSJQT", ""),
        "Brief": row.get("GCJYSM", ""),
    }


def _built(row: Record) -> dict[str, object]:
    return {
        "ConstructionPermit": row.get("ZMWH", ""),
        "ConstructionDate": row.get("FZHPZKGRQ", "")[:10],
        "MaterialsCategoryOut": row.get("BWCLLB", ""),
        "InsulationMaterialsTop": row.get("BWCL", ""),
        "Remark": row.get("BZ", ""),
    }


def _acceptance(row: Record) -> dict[str, object]:
    return {
        **_built(row),
        "DesignReviewNo": row.get("TSGCXFSJSCWH", ""),
        "DesignReviewTime": row.get("SCHGRQ", "")[:10],
    }


def _filing(row: Record) -> dict[str, object]:
    return {
        **_built(row),
        "IsReview": row.get("SFFC") == "1",
        "IsPromise": False,
        "CompletionFormCode": row.get("BABBH", ""),
        "CompletionAcceptanceDate": row["SQRQ"][:10],
    }


_OF_ITEM = {"1": _review, "2": _acceptance, "3": _filing}


def _building(unit: Record) -> dict[str, object]:
    below = int(unit.get("DXCS", "0"))
    return {
        "EngineeringName": unit["DTMC"],
        "StructuralSystemCode": unit.get("JGTX", ""),
        "Nature": "办公",
        "FireResisRateCode": unit.get("NHDJ", ""),
        "FireResisRateCodeDown": "1" if below else "",
        "LandUpLayerNumber": unit.get("DSCS", ""),
        "LandDownLayerNumber": below,
        "BuildingHeight": unit.get("JZGCGD", ""),
        "BuildingLength": unit.get("CD", ""),
        "FootprintArea": unit.get("ZDMJ", ""),
        "BuildingUpArea": unit.get("DSJZMJ", ""),
        "BuildingDownArea": unit.get("DXJZMJ", "") if below else "",
    }


def _company(party: Record) -> dict[str, object]:
    return {
        "CompanyName": party["DWMC"],
        "CompanyType": party.get("DWLX", ""),
        "Uscc": party.get("DWTYSHXYDM", ""),
        "QualificationLevel": party.get("ZZDJ", ""),
        "LegalRepresentative": party.get("FDDBR", ""),
        "LegalRepresentativeIdCard": party.get("FRZJHM", ""),
        "Principal": party.get("FZRXM", ""),
        "PrincipalIdCard": party.get("FZRZJHM", ""),
        "ContactNo": party.get("FZRLXDH", ""),
    }


def _file(case: str, of: int) -> dict[str, object]:
    address = f"https://files.example/{case}/{of}.pdf"
    return {"Name": f"材料{of}.pdf", "Code": address, "DirType": of}


def _opinions(row: Record) -> Iterator[dict[str, object]]:
    said = ("SGGCXFGLQK", "XFCYQK", "XFSJWJSSQK", "GCJLQK", "GCSGQK", "XFLTLSQK")
    for n, name in enumerate(said, 1):
        yield {
            "companyName": row["JSDW"],
            "OpinionType": str(n),
            "Principal": row.get("XMFZR", ""),
            "Opinion": row.get(name, ""),
        }
