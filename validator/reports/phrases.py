"""The words every report uses for the same thing, in both languages.

No sentence about a value stands here: those belong to the rules.
"""

from __future__ import annotations

from datetime import datetime

from validator.pack import RECONSTRUCTED
from validator.run import PackLine
from validator.text import Text
from validator.violation import Severity

SEVERITY = {
    Severity.ERROR: Text("错误", "error"),
    Severity.WARNING: Text("警告", "warning"),
    Severity.INFO: Text("提示", "info"),
}
SEVERITIES = {
    Severity.ERROR: Text("错误", "errors"),
    Severity.WARNING: Text("警告", "warnings"),
    Severity.INFO: Text("提示", "infos"),
}

SEVERITY_WORD = Text("级别", "Severity")

TITLE = Text("校验报告", "Validation report")
RUN = Text("运行", "Run")
NOTES = Text("备注", "Note")
TIME = Text("时间", "Time")
INPUTS = Text("输入", "Input")
STANDARDS = Text("标准", "Standard")
TABLE = Text("表", "Table")
TABLES = Text("各表结果", "Tables")
STAGE = Text("阶段", "Stage")
STAGES = Text("按阶段", "By stage")
DIVISION = Text("行政区划", "Division")
DIVISIONS = Text("按行政区划", "By division")
NO_DIVISION = Text("未注明区划", "No division")
RULE = Text("规则", "Rule")
RULES = Text("按规则", "By rule")
VIOLATIONS = Text("问题", "Violations")
UNREADABLE_FILES = Text("无法读取的文件", "Files that could not be read")
TOTAL = Text("合计", "Total")
NO_STAGE = Text("未归入阶段", "No stage")
NO_TABLE = Text("不属于任何表", "No table")

READ = Text("读取", "read")
CONFORMING = Text("合格", "conforming")
BLOCKED = Text("未放行", "blocked")
SKIPPED = Text("跳过", "skipped")
DUPLICATE = Text("重复", "duplicate")
UNREADABLE = Text("无法读取", "unreadable")

WHERE = Text("位置", "Where")
KEY = Text("主键", "Key")
FIELD = Text("字段", "Field")
VALUE = Text("值", "Value")
MESSAGE = Text("说明", "Message")
HELP = Text("处理办法", "What to do")
EMPTY = Text("（空）", "(empty)")
NOT_SHOWN = Text("另有 {count} 处未列出", "{count} more not shown")
CAPPED = Text(
    "样例按规则和表限量列出，计数准确；全部问题见 json 或 jsonl 报告。",
    "Samples are capped per rule and table, counts are exact; the json and jsonl reports hold "
    "every violation.",
)
MORE_RULES = Text("其余 {count} 条规则", "{count} more rules")
BY_TABLE = Text("按表", "By table")
BY_RULE_VIEW = Text("按规则看样例", "Samples by rule")
EACH_VIEW = Text("逐条看", "Every violation")
FIND = Text("查找", "Find")
MORE = Text("其余 {count} 项", "{count} more")
ROWS_CAPPED = Text(
    "共 {total} 个问题，逐条列出其中 {shown} 个：级别高者优先，各规则各表分摊；全部见 json 报告。",
    "{shown} of {total} violations are listed, the gravest first, each rule of each table its "
    "share; the json report holds every one.",
)
NOTHING_SHOWN = Text("没有符合筛选条件的问题。", "Nothing matches the filter.")

CANDIDATE = Text(
    "候选：一省的通道，重建，非官方文本",
    "Candidate: the channel of one province, reconstructed from public source code, "
    "not the official text",
)


def basis(pack: PackLine) -> Text:
    """What the pack rests on: the basis line and the count of official fields."""
    fields = Text(
        f"官方字段 {pack.official_fields:,} / {pack.fields:,}",
        f"official fields {pack.official_fields:,} of {pack.fields:,}",
    )
    said = {"reconstructed": RECONSTRUCTED, "candidate": CANDIDATE}
    head = said.get(pack.basis, Text(f"依据：{pack.basis}", f"Basis: {pack.basis}"))
    return Text(f"{head.zh}；{fields.zh}", f"{head.en}; {fields.en}")


def times(started: str, finished: str) -> Text:
    """When a run began and how long it took, from two ISO 8601 times."""
    start, end = datetime.fromisoformat(started), datetime.fromisoformat(finished)
    day = start.isoformat(sep=" ", timespec="seconds")
    seconds = (end - start).total_seconds()
    return Text(f"{day}，用时 {seconds:,.1f} 秒", f"{day}, {seconds:,.1f} seconds")
