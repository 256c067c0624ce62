"""Words of the inspector in both languages; shared ones are in `validator.reports.phrases`."""

from __future__ import annotations

from pusher.states import State
from validator.pack import Attests
from validator.rule import Scope
from validator.text import Text

TITLE = Text("核查台", "Inspector")
OVERVIEW = Text("总览", "Overview")
PROJECTS = Text("项目", "Projects")
CASES = Text("办件", "Cases")
LEDGER = Text("台账", "Ledger")
RUNS = Text("运行", "Runs")
RULES = Text("规则", "Rules")
PACKS = Text("标准包", "Packs")
MONITORING = Text("监测", "Monitoring")
RECORD = Text("记录", "Record")
COMPARE = Text("比较两次运行", "Compare two runs")
DIVISION = Text("行政区划", "Division")
DEPARTMENT = Text("审批部门", "Department")
SKIP = Text("跳到正文", "Skip to content")
NO_RUNS = Text("还没有运行记录", "No run yet")
NO_RUNS_HELP = Text(
    "先运行 spgl validate 或 spgl push，结果会出现在这里",
    "run spgl validate or spgl push first; the result appears here",
)
ONE_RUN = Text(
    "只有一次运行，还没有可比较的；下一次运行之后再看",
    "there is only one run, nothing to compare with yet; look again after the next",
)
PARENT = Text("只因上级记录不合格", "only because the parent does not conform")
OVERDUE = Text("超期办件", "Overdue cases")
OVERDUE_HELP = Text(
    "已受理未办结，历时（工作日，扣除补正和特别程序）超过承诺的工作日数",
    "accepted, not finished, working days (corrections and special procedures left out) beyond "
    "the promised ones",
)
CALENDAR = Text(
    "天数按工作日计（含调休），扣除受理后的补正和特别程序；"
    "标 * 的超出节假日安排的已知年份，按自然日计。"
    "这里的“超期”是线索，不是考核结论。",
    "Days are working days with make-up days, corrections and special procedures after acceptance "
    "left out; those marked * lie beyond the known holiday calendar and are calendar days. "
    "“Overdue” is a lead, not a verdict.",
)
URGENT = {
    State.REJECTED: Text(
        "国家系统拒收，按原因修正源数据后重新投送",
        "refused by the target: correct the source by its reason and send again",
    ),
    State.IN_DOUBT: Text(
        "可能已送出但没有收到答复，下次投送时先核对",
        "may have been sent, no answer came: the next push asks the target first",
    ),
    State.GIVEN_UP: Text(
        "多次尝试仍未送达，排除原因后重新投送",
        "attempts exhausted: remove the cause, then send again",
    ),
    State.HELD: Text("由人暂停，等待决定", "held by a person, waiting for a decision"),
}
SCOPES = {
    Scope.SOURCE: Text("来源", "source"),
    Scope.FIELD: Text("字段", "field"),
    Scope.RECORD: Text("记录", "record"),
    Scope.DOCUMENT: Text("文档", "document"),
    Scope.DATASET: Text("数据集", "dataset"),
    Scope.TARGET: Text("国家系统", "target"),
}
AT_MOST = Text("最多 {max} 字", "at most {max} characters")
PRECISION = Text("{digits} 位，小数 {scale} 位", "{digits} digits, {scale} after the point")
SEVERAL = Text("多值，以 {separator} 分隔", "several values, separated by {separator}")
ATTESTS = {
    Attests.REFUSAL: Text("空值被拒", "empty is refused"),
    Attests.SENDER_FILLS: Text("发送方总是填写", "senders always fill it"),
    Attests.OTHER_INTERFACE: Text("其他接口要求", "another interface asks for it"),
}
