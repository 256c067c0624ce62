"""The planted defects in the order of the manifest: what is wrong, where, and how it came about."""

from __future__ import annotations

from spgl.city.nights import Tables
from spgl.city.planting import (
    Defect,
    cell,
    column_added,
    copied,
    event_added,
    event_dropped,
    invalidated,
    noticed,
    review_event_dropped,
    row_dropped,
    spoilt,
)
from spgl.city.table import Record

_PLAIN = (1, 3, 8, 11)
_PAUSED = (1, 3, 8, 9, 10, 11)
_FIRE_ITEMS = ("YC3003", "YC4001", "YC4002")


def _other(last: str, *choices: str) -> str:
    return next(c for c in choices if c != last)


def _swapped(code: str) -> str:
    """Two neighbouring different characters of a credit code, exchanged."""
    return code[:15] + code[16] + code[15] + code[17:]


def _unreviewed(tables: Tables, _original: Record) -> Record:
    """Codes of the youngest project, whose drawings nobody has reviewed yet."""
    youngest = tables["SPGL_XMJBXXB"][-1]
    codes = {"XMDM": youngest["XMDM"], "GCDM": youngest["GCDM"], "STYWBH": "ST999900001"}
    return {**codes, "DFSJZJ": "9901-copy-0002", "SCTGSJ": ""}


def _of_water(tables: Tables, original: Record) -> Record:
    """The case code of the water connection of the same works."""
    cases = tables["SPGL_XMSPSXBLXXB"]
    works = original["GCDM"]
    other = next(c for c in cases if c["GCDM"] == works and c["SPSXBM"] == "YC5001")
    return {"SPSXSLBM": other["SPSXSLBM"], "DFSJZJ": "9901-copy-0004"}


_SURROUNDINGS = (
    cell("stage-limit-out-of-range", "SPJDXXB.SPJDSX", "60", 0,
         ("试点流程的阶段时限填成60个工作日", "the trial process gives its stage 60 working days"),
         where=lambda r: r["SPLCBM"] == "YCSD" and r["SPJDXH"] == "1"),
    cell("blank-key", "SPSXCLMLXXB.CLMLBH", "", 5,
         ("停用版本的一条材料没有目录编号", "a material of an expired item version has no number"),
         where=lambda r: r["SPSXBBH"] == "1.0" and r["SPSXBM"] == "YC1001",
         fields=("XZQHDM", "SPSXBM", "SPSXBBH", "CLMLBH")),
    cell("code-not-in-list", "SPSXKZXXB.WSBLSD", "3^9", 3,
         ("网上办理深度用了别处的代码9", "depth of online handling uses another system's code 9")),
    cell("dangling-reference", "QYPGSXXXB.QYPGDYBM", "QYPG009", 7,
         ("评估事项指向不存在的评估单元", "an assessment item points to a unit that is not there")),
    cell("wrong-type", "XMYDHXJZXXB.JZWJFJ", "红线.csv", 20,
         ("红线附件填了文件名而不是内容", "the red line holds a file name instead of its content")),
    cell("wrong-type", "XMQQYJXXB.FKSJ", "2024-02-30 10:00:00", 30,
         ("反馈时间是不存在的日期", "the time of the reply is a day that does not exist")),
    cell("wrong-format", "XMQQYJXXB.XZQHDM", "9901", 41,
         ("行政区划代码只写了四位", "the division code has four digits only")),
    invalidated("XMFJXXB", 60, ("作废的附件没有填写原因", "an invalid attachment says no reason")),
    copied("parallel-item-repeated", "SPLCJBLSXXXB", 0,
           ("并行推进的事项又列入施工许可阶段", "a parallel item stands in the permit stage too"),
           fields=("SPJDXH", "SPLCBM", "SPLCBBH", "SPSXBM"),
           where=lambda r: r["SPLCBM"] == "YCSH" and r["SPJDXH"] == "5",
           new=lambda *_: {"SPJDXH": "3", "DFSJZJ": "9901-copy-0003"}),
    copied("assessed-project-without-unit", "XMJBXXB", 2,
           ("外市项目标为已完成区域评估，但没有评估数据",
            "a project of another city counts as assessed, but nothing of it is there"),
           fields=("SFWCQYPG",), where=lambda r: r["XMDM"] == r["GCDM"],
           new=lambda *_: {"XMDM": "2405-990201-04-02-000321", "GCDM": "2405-990201-04-02-000321",
                           "XZQHDM": "990200", "JSDDXZQH": "990201", "SFWCQYPG": "1",
                           "DFSJZJ": "9901-copy-0005"}),
    spoilt("ZJFWSXBLGCXXB", "broken", 41, ("一行JSON被截断", "a JSON line is cut off")),
    spoilt("XMQQYJXXB", "bytes", 80, ("一行里有无法解码的字节", "a line has undecodable bytes")),
)  # fmt: skip
_PROJECTS_AND_CASES = (
    cell("missing-value", "XMJBXXB.JSDW", "", 0,
         ("新项目漏填建设单位，下级数据随之等待", "a new project lacks its owner; all below waits"),
         where=lambda r: r["SBSJ"] > "2025-08" and r["XMDM"] == r["GCDM"]),
    cell("missing-value", "XMSPSXBLXXB.YWQX", "", 163,
         ("办件漏填业务情形，其明细随之等待", "a case lacks its situation; all below it waits")),
    cell("missing-value", "XMSPSXBLXXXXB.DWMC", "", 900,
         ("办理明细漏填单位名称", "an event lacks the name of the unit")),
    cell("wrong-format", "XMSPSXBLXXXXB.DWTYSHXYDM", lambda v: v[:-1], 1500,
         ("信用代码少一位", "the credit code has lost a character")),
    cell("code-not-in-list", "XMSPSXPFWJXXB.SPJGLX", "40", 77,
         ("审批结果类型用了本地代码40", "the result type is the local code 40")),
    cell("wrong-type", "XMSQCLJQTFJXXB.SQSL", "1份", 800,
         ("收取数量带了单位", "the quantity carries its unit")),
    cell("dangling-reference", "XMSQCLJQTFJXXB.SPSXSLBM", "YC20990101000100001", 1200,
         ("材料所属的办件没有报送", "the case of a material was never reported")),
    cell("dangling-reference", "XMSPSXZQYJXXB.GCDM", "2399-990102-04-02-000000", 100,
         ("征求意见的工程代码对不上项目", "the works code of an opinion belongs to no project")),
    cell("missing-conditional-value", "XMSPSXBLTBCXXXB.TBCXMC", "", 4,
         ("其他特别程序没有写名称", "a special procedure of the other kind has no name"),
         where=lambda r: r["TBCX"] == "8"),
    cell("code-not-in-list", "XMSPSXBLTBCXXXB.TBCXSXLX", "3", 11,
         ("特别程序时限类型不在代码表内", "the kind of the time limit is not in its list")),
)  # fmt: skip
_HISTORIES = (
    event_dropped("acceptance-without-start", _PLAIN, 10,
                  ("受理后没有部门开始办理就办结", "completed without a start by a department"),
                  drop=2),
    event_added("unpaired-event", _PAUSED, 2,
                ("特别程序未结束又开始一次", "a special procedure begins again while it is open"),
                after=3, state=9, hours=1),
    event_dropped("open-pause-at-completion", _PAUSED, 6,
                  ("特别程序没有结束就办结", "completed while a special procedure is open"),
                  drop=4),
    event_added("repeated-acceptance", _PLAIN, 30, ("同一办件受理两次", "one case accepted twice"),
                after=2, state=3, hours=1),
    event_added("repeated-completion", _PLAIN, 50,
                ("办结之后又报容缺通过", "a second completion follows the first"),
                after=3, state=12, hours=1),
    event_added("repeated-intake", _PLAIN, 70, ("接件报了两次", "the intake is reported twice"),
                after=0, state=1, hours=0.02),
    cell("special-procedure-without-event", "XMSPSXBLTBCXXXB.TBCXKSSJ",
         lambda v: f"{v[:11]}07:00:00", 20,
         ("特别程序的开始时间与明细不一致", "a special procedure and its event start apart"),
         fields=("TBCXKSSJ", "SPSXSLBM")),
    event_dropped("first-event-differs", _PLAIN, 1,
                  ("消防件没有接件", "a fire case lacks its intake"),
                  drop=0, shows=1, items=_FIRE_ITEMS, fields=("BLZT", "SPSXSLBM")),
    event_dropped("completed-case-without-event", _PLAIN, 2,
                  ("消防件没有受理就办结", "a fire case is completed without acceptance"),
                  drop=1, items=_FIRE_ITEMS, fields=("BLZT", "SPSXSLBM")),
    event_added("event-after-end", _PLAIN, 90,
                ("办结之后部门又开始办理", "a department starts after the case has ended"),
                after=3, state=8, hours=1),
)  # fmt: skip
_STAGES = (
    row_dropped("JSYDGHXKXXB", 12,
                ("用地规划许可已办结但没有报送许可信息", "a land permit lacks its row")),
    cell("wrong-check-digit", "JSYDGHXKXXB.YDTYSHXYDM", _swapped, 30,
         ("信用代码相邻两位颠倒", "two neighbouring characters of the credit code are swapped"),
         where=lambda r: r["YDTYSHXYDM"][15] != r["YDTYSHXYDM"][16]),
    copied("duplicate-key", "JSGCGHXKXXB", 20,
           ("同一规划许可报了两条，内容不同", "one permit stands twice with different content"),
           fields=("XZQHDM", "GCDM", "SPSXSLBM"),
           new=lambda *_: {"JSWZ": "样川市（补录）", "DFSJZJ": "9901-copy-0001"}),
    cell("wrong-type", "JZGCSGXKXXB.HTJG", "12,345.60", 15,
         ("合同价格带千分位逗号", "the contract price has a thousands separator")),
    cell("dangling-reference", "KCSJRYXXB.STYWBH", "ST000000000", 100,
         ("人员所属的施工图审查没有报送", "the drawing review of a person was never reported")),
    cell("wrong-check-digit", "KCSJRYXXB.RYZJHM", lambda v: v[:-1] + _other(v[-1], "1", "2"), 200,
         ("身份证号末位不符", "the last digit of a citizen number is wrong")),
    spoilt("KCSJRYXXB", "ragged", 150, ("一行多出一格", "a row has one cell too many")),
    cell("wrong-check-digit", "ZRZTXXB.DWTYSHXYDM", lambda v: v[:-1] + _other(v[-1], "A", "B"), 300,
         ("责任主体信用代码校验位不符", "the check character of a credit code is wrong")),
    cell("dangling-reference", "ZRZTXXB.GCDM", "2399-990102-04-02-000001", 500,
         ("责任主体的工程代码写错", "the works code of a party is wrong")),
    cell("wrong-type", "XMDTXXB.DSCS", lambda v: f"#{v}", 60,
         ("地上层数在JSON里写成了数字", "the storeys, a text, stand as a JSON number")),
    cell("wrong-type", "XMDTXXB.JZMJ", "约3000", 90,
         ("建筑面积带了文字", "the floor area holds words")),
    cell("category-outside-class", "XMDTXXB.GCYT", "0201", 120,
         ("工程类别不属于房屋建筑", "the works category is not one of buildings"),
         fields=("GCYT", "GCDM")),
    noticed("code-not-in-list", "XMDTXXB.GCYT", "0201",
            ("同一单元格：代码不在已知代码中", "the same cell: no code that is known"),
            fields=("GCYT",), severity="warning"),
    review_event_dropped("1", 12, ("施工图审查缺状态1", "a drawing review lacks its event 1")),
    cell("wrong-type", "JSGCJGYSBAXXB.KGRQ", "2024/3/5", 10,
         ("开工日期用了斜线", "the start date is written with slashes")),
    cell("wrong-format", "JSGCJGYSBAXXB.XMJWDZB", lambda v: v.replace(",", "，"), 20,
         ("坐标用了全角逗号", "the coordinates use a full-width comma")),
)  # fmt: skip
_FIRE = (
    cell("missing-conditional-value", "JSGCXFSJSCXXB.ZXMJ", "", 10,
         ("含装饰装修但没有面积", "works with decoration give no decorated area"),
         where=lambda r: r["SFBHZXZSGC"] == "1"),
    cell("code-not-in-list", "JSGCXFYSXXB.TSJSGCQX", "3,13", 6,
         ("特殊情形代码13不存在", "there is no special situation 13")),
    cell("missing-conditional-value", "JSGCXFYSXXB.YYYT", "", 0,
         ("改变用途但没有写原有用途", "a change of use does not name the former use"),
         where=lambda r: r["SFGBYT"] == "1"),
    cell("repeated-part", "JSGCXFSJSCXXB.TSJSGCQX", lambda v: f"{v},{v}", 4,
         ("特殊情形重复填写", "a special situation is named twice")),
    cell("no-unit-large-enough", "JSGCXFSJSCXXB.SFJQXXF", "1", 12,
         ("称采取250米以上的加强措施，但没有这么高的单体",
          "measures above 250 m without such a building"),
         fields=("SFJQXXF", "SPSXSLBM")),
    copied("value-not-unique", "JSGCXFYSXXB", 3,
           ("同一消防验收以另一行政区划又报一条",
            "one acceptance is reported under another division, too"),
           fields=("SPSXSLBM",),
           new=lambda *_: {"XZQHDM": "990200", "DFSJZJ": "9901-copy-0006"}),
    copied("business-row-of-other-item", "JSGCXFYSBAXXB", 4,
           ("备案信息挂在供水接入的办件上", "a filing hangs on the case of a water connection"),
           fields=("SPSXSLBM",), new=_of_water),
    row_dropped("JSGCXFYSBAXXB", 2,
                ("消防备案已办结但没有报送备案信息", "a fire filing lacks its row")),
)  # fmt: skip
_WARNINGS = (
    cell("start-not-before-end", "XMJBXXB.NJCSJ", "2020-01-01", 20,
         ("拟建成早于拟开工", "planned completion before planned start"),
         fields=("NKGSJ", "NJCSJ"), severity="warning"),
    event_dropped("end-without-begin", _PAUSED, 12,
                  ("特别程序只有结束没有开始", "a special procedure ends that never began"),
                  drop=3, shows=4, severity="warning"),
    column_added("XMJGXXB", "YLZD1", ("导出里多了一个预留字段", "the export has a spare column")),
    cell("too-long", "XMJBXXB.ZTZE", "000000012345.60", 30,
         ("总投资额补了很多零", "the investment is padded with zeros"), severity="warning"),
    cell("missing-value", "ZRZTXXB.ZZDJ", "", 700,
         ("责任主体没有资质等级", "a party has no qualification grade"), severity="warning"),
)  # fmt: skip

_INFOS = (
    copied("business-row-without-case", "SGTSJWJSCXXB", 8,
           ("施工图审查没有对应的办件", "a drawing review belongs to no case"),
           fields=("GCDM", "SPSXBM", "SPSXBBH"), new=_unreviewed, severity="info"),
    copied("repeated-record", "JSYDGHXKXXB", 40,
           ("同一条许可导出了两次", "one permit was exported twice, unchanged"),
           fields=("XZQHDM", "GCDM", "SPSXSLBM"), new=lambda *_: {}, severity="info"),
)  # fmt: skip

DEFECTS: tuple[Defect, ...] = (
    *_SURROUNDINGS,
    *_PROJECTS_AND_CASES,
    *_HISTORIES,
    *_STAGES,
    *_FIRE,
    *_WARNINGS,
    *_INFOS,
)
