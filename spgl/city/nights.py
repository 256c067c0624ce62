"""The two nights of the demo: what the export holds each time besides the plain course of the city.

Night two holds all of night one, repaired, plus what came into being since, a few changed contents
and one withdrawn record.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spgl.city.life import NIGHT_ONE, NIGHT_TWO, make_city
from spgl.city.table import Record

Tables = dict[str, list[Record]]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A record that is fine by every rule and that the sandbox refuses on night one.

    `repaired` is what the record says on night two; `late`: accepted first, refused afterwards.
    """

    table: str
    record: Record
    reason: str
    repaired: Mapping[str, str]
    late: bool = False


def night_one(seed: int) -> Tables:
    """The first export, clean, with the leftovers a local database holds."""
    tables = make_city(seed, NIGHT_ONE).tables
    _add_leftovers(tables)
    return tables


def night_two(seed: int) -> Tables:
    """The second export: repaired, grown, changed in a few places, one record withdrawn."""
    tables = make_city(seed, NIGHT_TWO).tables
    _add_leftovers(tables)
    for refusal in refusals(tables):
        refusal.record.update(refusal.repaired)
    for record in tables["SPGL_XMSPSXBLXXB"][40:340:100]:
        record["LXRSJH"] = f"1009{record['LXRSJH'][4:]}"
    tables["SPGL_JZGCSGXKXXB"][5]["ZZBZ"] = "合同价格经双方确认后变更"
    tables["SPGL_JZGCSGXKXXB"][5]["HTJG"] = "18650.00"
    withdrawn = tables["SPGL_XMFJXXB"][7]
    withdrawn |= {"SJYXBS": "0", "SJWXYY": "附件上传错误，予以撤回"}
    return tables


def refusals(tables: Tables) -> tuple[Refusal, ...]:
    """Records the sandbox refuses on night one, each with a reason a data bureau would read."""
    permit, unit = tables["SPGL_JSGCGHXKXXB"][3], tables["SPGL_XMDTXXB"][12]
    party, opinion = tables["SPGL_ZRZTXXB"][20], tables["SPGL_XMSPSXZQYJXXB"][30]
    return (
        Refusal(
            "SPGL_JSGCGHXKXXB",
            permit,
            "建设工程规划许可证编号与电子证照库不一致",
            {"GCGHXKZBH": f"{permit['GCGHXKZBH']}（更正）"},
        ),
        Refusal(
            "SPGL_XMDTXXB",
            unit,
            "规模指标未注明计量口径，请补充",
            {"GMZB": f"{unit['GMZB']}（含地下）"},
        ),
        Refusal(
            "SPGL_ZRZTXXB",
            party,
            "该单位资质证书已过有效期，请核实后重报",
            {"FZRLXDH": f"1008{party['FZRLXDH'][4:]}"},
        ),
        Refusal(
            "SPGL_XMSPSXZQYJXXB",
            opinion,
            "附件无法打开，请重新上传",
            {"FJID": f"{opinion['FJID']}-2"},
            late=True,
        ),
    )


def _add_leftovers(tables: Tables) -> None:
    """Rows that are not for us: an invalidated copy beside its valid row, and a local draft."""
    materials = tables["SPGL_XMSQCLJQTFJXXB"]
    copy = {
        **materials[50],
        "SJYXBS": "0",
        "SJWXYY": "材料名称有误，已更换",
        "CLMC": "申请表（旧）",
    }
    materials.insert(50, copy)
    parties = tables["SPGL_ZRZTXXB"]
    parties.insert(
        9,
        {
            **parties[8],
            "DFSJZJ": "draft-0001",
            "DWLX": "99",
            "SJSCZT": "-1",
            "SBYY": "单位类型待确认",
        },
    )
