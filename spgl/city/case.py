"""Cases and everything that hangs on a case: events, opinions, special procedures, documents.

The event history of a case follows the state machine of the exchange: intake 1, acceptance 3 then
8, corrections 6/7, special procedures 9/10, one end state. A case cut by the night is running.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from random import Random

from spgl.city.catalogue import ITEMS, MATERIALS, Item, material_code
from spgl.city.names import OFFICES, Company
from spgl.city.project import Project, office_of
from spgl.city.table import Rows, day, later, soon

INTAKE, WITHDRAWN, ACCEPTED, NOT_TAKEN, REFUSED = 1, 2, 3, 4, 5
CORRECTION, CORRECTED, HANDLING, SPECIAL, SPECIAL_END = 6, 7, 8, 9, 10
PASSED, PASSED_LACKING, FAILED, TAKEN_BACK, REVOKED = 11, 12, 13, 14, 15

_SAYS = {
    1: "已接件",
    2: "申请人撤件",
    3: "材料齐全，予以受理",
    4: "不属于本机关职权范围，不受理",
    5: "材料不符合法定形式，不予受理",
    6: "请补正材料：\n1. 设计图纸签章不全\n2. 授权委托书缺日期",
    7: "材料已补正",
    8: "转业务科室办理",
    9: "进入特别程序",
    10: "特别程序结束",
    11: "准予通过",
    12: "容缺通过，所缺材料限期补齐",
    13: "经审查不符合要求，不予通过",
    14: "申请人申请撤回",
    15: "依申请撤销本件",
}
_MARKS = {
    "建设用地规划许可证": "地字",
    "建设工程规划许可证": "建字",
    "建筑工程施工许可证": "施字",
    "特殊建设工程消防设计审查意见书": "特消设",
    "特殊建设工程消防验收意见书": "特消验",
    "建设工程消防验收备案凭证": "消备",
    "竣工验收备案表": "竣备",
}
_SPECIAL = ((1, "现场勘察", 3), (2, "专家评审", 6), (8, "方案公开展示", 7))


@dataclass(frozen=True, slots=True)
class Case:
    """One handled case: its instance code, part, item, history and how it ended (None: running)."""

    code: str
    gcdm: str
    item: Item
    version: str
    project: Project
    history: tuple[tuple[int, datetime], ...]

    @property
    def started(self) -> datetime:
        return self.history[0][1]

    @property
    def ended(self) -> datetime:
        return self.history[-1][1]

    @property
    def outcome(self) -> int:
        return self.history[-1][0]

    @property
    def passed(self) -> bool:
        return self.outcome in (PASSED, PASSED_LACKING)

    @property
    def number(self) -> str:
        """The number of what was granted."""
        mark = _MARKS.get(self.item.document, self.item.document[:2])
        return f"样{mark}〔{self.ended:%Y}〕{self.code[-9:]}号"


def history(
    start: datetime, limit: int, outcome: int, rng: Random
) -> tuple[tuple[int, datetime], ...]:
    """A full legal history that ends in `outcome`; work after acceptance stays within `limit`."""
    events = [(INTAKE, start)]

    def then(state: int, moment: datetime) -> None:
        events.append((state, moment))

    def last() -> datetime:
        return events[-1][1]

    if outcome in (WITHDRAWN, NOT_TAKEN, REFUSED):
        then(outcome, later(start, 1 + rng.randrange(3), rng))
        return tuple(events)
    if rng.random() < 0.25:
        then(CORRECTION, soon(last(), rng))
        then(CORRECTED, later(last(), 2 + rng.randrange(5), rng))
    then(ACCEPTED, soon(last(), rng))
    then(HANDLING, soon(last(), rng))
    if rng.random() < 0.15:
        then(CORRECTION, later(last(), 1, rng))
        then(CORRECTED, later(last(), 1 + rng.randrange(4), rng))
    if rng.random() < 0.25:
        then(SPECIAL, later(last(), 1, rng))
        then(SPECIAL_END, later(last(), 2 + rng.randrange(6), rng))
    then(outcome, later(last(), 1 + rng.randrange(max(1, limit - 3)), rng))
    return tuple(events)


def put_case(rows: Rows, case: Case, together: str, rng: Random) -> None:
    """The case row with events, special procedures, opinions, materials and its document."""
    p, item, office = case.project, case.item, office_of(case.item.code)
    promised = item.code in ("YC3004", "YC4002") and p.number % 6 == 0
    rows.put(
        "SPGL_XMSPSXBLXXB",
        case.started,
        case.code,
        GCDM=case.gcdm,
        SPSXBM=item.code,
        SPSXBBH=case.version,
        SPLCBM=p.process.code,
        SPLCBBH=p.process.version,
        SPSXSLBM=case.code,
        SPBMBM=office.code,
        SPBMMC=office.name,
        SLFS=rng.choice((4, 4, 4, 1)),
        GKFS=1,
        BLSPSLBM=together,
        SXBLSX=item.limit,
        LXR=p.contact.name,
        LXRSJH=p.contact.phone,
        YWQX=1,
        QYPGDYBM=p.area,
        YYQYPGQK="已应用区域评估成果" if p.area else "",
        SXGZCNZSPQK="已签订告知承诺书" if promised else "",
    )
    for state, moment in case.history:
        _put_event(rows, case, office, state, moment)
    for state, moment in case.history:
        if state == SPECIAL:
            kind, name, limit = _SPECIAL[rng.randrange(3)]
            rows.put(
                "SPGL_XMSPSXBLTBCXXXB",
                moment,
                f"{case.code}{moment}",
                GCDM=case.gcdm,
                SPSXSLBM=case.code,
                TBCX=kind,
                TBCXMC=name,
                TBCXKSSJ=moment,
                TBCXSXLX=1,
                TBCXSX=limit,
            )
    _put_materials(rows, case, together, rng)
    _put_opinions(rows, case, rng)
    if case.passed:
        _put_document(rows, case)
    if promised and case.passed:
        checked = later(case.ended, 10 + rng.randrange(10), rng)
        rows.put(
            "SPGL_GZCNZBJJGXXB",
            checked,
            case.code,
            GCDM=case.gcdm,
            SPSXBM=case.code,
            JCBH=f"JC{case.code[-9:]}",
            JCSJ=checked,
            JCBMMC=office.name,
            JCBMTYSHXYDM=office.code,
            JCYJHSM="告知承诺事后核查",
            SFLXGZCN=1,
            GZCNLXQK="承诺事项均已履行",
            QT="无",
        )


def _put_event(rows: Rows, case: Case, office: Company, state: int, moment: datetime) -> None:
    desk = OFFICES["service"] if state in (INTAKE, ACCEPTED, NOT_TAKEN, REFUSED) else office
    rows.put(
        "SPGL_XMSPSXBLXXXXB",
        moment,
        f"{case.code}{state}{moment}",
        GCDM=case.gcdm,
        SPSXSLBM=case.code,
        BLCS="综合窗口" if desk is not office else "审批科",
        BLR=desk.lead.name,
        BLZT=state,
        BLYJ=_SAYS[state],
        BLSJ=moment,
        DWMC=desk.name,
        DWTYSHXYDM=desk.code,
        SJLY="样川市工程建设项目审批管理系统",
    )


def _put_materials(rows: Rows, case: Case, together: str, rng: Random) -> None:
    for n, (name, kind, _, _) in enumerate(MATERIALS, 1):
        licence = kind == 1
        if n > 4 and rng.random() < 0.5:
            continue
        rows.put(
            "SPGL_XMSQCLJQTFJXXB",
            case.started,
            f"{case.code}{n}",
            GCDM=case.gcdm,
            SPSXSLBM=case.code,
            BLSPSLBM=together,
            CLMLBH=material_code(case.item.code, n),
            CLMC=name,
            CLFL=1,
            CLLX="pdf",
            CLID=f"{case.code}-CL{n}",
            SQFS=3 if licence else 2,
            SQSL=0,
            ZZMC=name if licence else "",
            ZZBH=f"ZZ{case.code[-9:]}{n}" if licence else "",
            ZZLX="证照库" if licence else "",
            ZZBS=f"1.9901.{case.code[-9:]}.{n}" if licence else "",
            DZZZWJLJ=f"/licence/{case.code}/{n}.ofd" if licence else "",
        )


def _put_opinions(rows: Rows, case: Case, rng: Random) -> None:
    asked = {"YC1003": 3, "YC2003": 3, "YC2001": 2, "YC3004": 1}.get(case.item.code, 0)
    handling = [m for s, m in case.history if s == HANDLING]
    others = [o for k, o in OFFICES.items() if k not in ("service", case.item.office)]
    for n, office in enumerate(rng.sample(others, asked) if handling else (), 1):
        answered = later(handling[0], 1 + rng.randrange(3), rng)
        rows.put(
            "SPGL_XMSPSXZQYJXXB",
            answered,
            f"{case.code}{n}",
            GCDM=case.gcdm,
            SPSXSLBM=case.code,
            BLDWDM=office.code,
            BLDWMC=office.name,
            FKSJ=answered,
            BLR=office.lead.name,
            FKYJ=rng.choice(
                (
                    "同意。",
                    "无不同意见。",
                    "原则同意，请注意：\n一、管线避让；\n二、控制扬尘。",
                    "同意，“前期意见”中提出的要求请一并落实。",
                )
            ),
            FJMC="反馈意见.pdf",
            FJID=f"ZQ{case.code[-9:]}{n}",
        )


def _put_document(rows: Rows, case: Case) -> None:
    licence = case.item.result == "10"
    rows.put(
        "SPGL_XMSPSXPFWJXXB",
        case.ended,
        case.code,
        GCDM=case.gcdm,
        SPSXSLBM=case.code,
        PFRQ=day(case.ended),
        PFWH=case.number,
        PFWJBT=f"{case.project.name}{case.item.document}",
        PFWJYXQX=f"{case.ended.year + 2}-12-31" if licence else "9999-01-01",
        SPJGLX=case.item.result,
        ZZBH=case.number if licence else "",
        ZZBS=f"1.9901.{case.code[-9:]}" if licence else "",
        DZZZWJLJ=f"/licence/{case.code}.ofd" if licence else "",
        FJMC=f"{case.item.document}.pdf",
        FJID=f"PF{case.code[-9:]}",
        FJLX="pdf",
    )


def make_case(
    p: Project, gcdm: str, item: str, code: str, *, start: datetime, outcome: int, rng: Random
) -> Case:
    """A case of one item with a complete history."""
    of = ITEMS[item]
    return Case(
        code, gcdm, of, p.process.item_version(item), p, history(start, of.limit, outcome, rng)
    )
