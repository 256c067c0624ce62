"""The words for what a pack declares, in both languages; those about bad data belong to rules."""

from __future__ import annotations

from validator.pack import Attests, Condition, Direction, Kind, Personal, Provenance
from validator.rule import Scope
from validator.text import Lang, Text
from validator.violation import Severity

PROVENANCE = {
    Provenance.OFFICIAL: Text("官方文本", "official text"),
    Provenance.NATIONAL: Text("国家标准", "national standard"),
    Provenance.REGULATION: Text("已阅法规", "regulation, text read"),
    Provenance.DEPLOYED: Text("在用系统", "deployed 3.0 system"),
    Provenance.EARLIER: Text("早期系统", "earlier systems"),
    Provenance.INFERRED: Text("推断", "inferred"),
}
ATTESTS = {
    Attests.REFUSAL: Text("空值会被拒绝", "an empty value is refused"),
    Attests.SENDER_FILLS: Text("报送方总会填写", "the sender always fills it"),
    Attests.OTHER_INTERFACE: Text("其他接口要求填写", "another interface asks for it"),
    Attests.NOTICE: Text("只提示，未见拒收", "a notice to people, no refusal seen"),
}
KIND = {
    Kind.TEXT: Text("文本", "text"),
    Kind.INTEGER: Text("整数", "integer"),
    Kind.DECIMAL: Text("小数", "decimal"),
    Kind.DATE: Text("日期", "date"),
    Kind.DATETIME: Text("日期时间", "datetime"),
    Kind.BINARY: Text("二进制", "binary"),
}
PERSONAL = {
    Personal.NAME: Text("个人姓名", "name of a person"),
    Personal.PHONE: Text("个人电话", "telephone number"),
    Personal.ID_NUMBER: Text("证件号码", "identity number"),
    Personal.DOCUMENT: Text("含个人信息的文档", "document about persons"),
}
SCOPE = {
    Scope.SOURCE: Text("文件", "source"),
    Scope.FIELD: Text("字段", "field"),
    Scope.RECORD: Text("记录", "record"),
    Scope.DOCUMENT: Text("文档", "document"),
    Scope.DATASET: Text("数据集", "dataset"),
    Scope.TARGET: Text("国家系统", "target"),
}
SEVERITY = {
    Severity.ERROR: Text("错误", "error"),
    Severity.WARNING: Text("警告", "warning"),
    Severity.INFO: Text("提示", "info"),
}
DIRECTION = {
    Direction.OUT: Text("报送", "sent"),
    Direction.IN: Text("反馈，不报送", "feedback, never sent"),
}

PACK = Text("标准包", "Pack")
TABLE = Text("表", "table")
TABLES = Text("{count} 张表", "{count} tables")
OFFICIAL = Text("官方字段 {official} / {fields}", "official fields {official} of {fields}")
USES = Text("引用标准包 {packs}", "uses {packs}")
STAGE = Text("阶段", "Stage")
NO_STAGE = Text("未归入阶段", "no stage")
GROUP = Text("分类", "Group")
ORDER = Text("报送顺序 {order}，{direction}", "sent as number {order}; direction: {direction}")
EXTENSION = Text(
    "扩展表：是否属于国家标准存疑", "extension: may not belong to the national standard"
)
BASIS = Text("依据", "Evidence")
KEY = Text("唯一标识", "Natural key")
REFERENCES = Text("引用", "References")
FIELDS = Text("字段（{count}，按标准中的顺序）", "Fields ({count}, in the order of the standard)")
CHECKS = Text("检查", "Checks")
NOTE = Text("备注", "Note")
SCOPE_WORD = Text("范围", "Scope")
EVERY_FIELD = Text("所有字段", "every field")
MESSAGE = Text("信息", "Message")
HELP = Text("处理", "What to do")
GOOD = Text("合格示例", "Good example")
BAD = Text("不合格示例", "Bad example")
USED_BY = Text("用于", "Used by")
UNUSED = Text("没有字段使用", "no field uses it")
CODE_LIST = Text("代码表", "Code list")
CLOSED = Text("封闭：其他代码为问题", "closed: any other code is a violation")
OPEN = Text("开放：已知代码可能不全", "open: the known codes may not be all")
NO_CODES = Text("没有已知代码，不作检查", "no known codes, so nothing is checked")
NO_LABEL = Text("（名称未见）", "(label not seen)")
FORMAT = Text("格式", "Format")
PATTERN = Text("形式", "Pattern")
SOURCE = Text("来源", "Source")
CHECK_DIGIT = Text("含校验码", "with a check digit")
EXCHANGE = Text("交换字段，由报送程序填写", "exchange column, filled by the push")
REQUIRED = Text("必填", "required")
LENGTH = Text("至多 {max} 个字符", "at most {max} characters")
PRECISION = Text("至多 {digits} 位，小数 {scale} 位", "at most {digits} digits, {scale} decimals")
SEPARATOR = Text("多值，以“{separator}”分隔", "several values separated by “{separator}”")
WHEN = Text("当 {field} 为 {values} 时", "when {field} is {values}")
POINTS_TO = Text("指向", "points to")
PART_OF_KEY = Text("唯一标识的一部分", "part of the natural key")
OVERLAY = Text(
    "地方扩展包 {name} {version} {title}（{place}）", "overlay {name} {version} {title} ({place})"
)
ORIGINS = Text("各值的出处", "Where values come from")
FROM_BELOW = Text("其余：{pack}", "everything else: {pack}")
ALL_FROM_BELOW = Text("全部：{pack}", "everything: {pack}")
SEVERITY_OF = Text("级别 {name}", "severity {name}")
UNKNOWN = Text("没有名为“{name}”的{what}", "there is no {what} named “{name}”")
NEAR = Text("；是否指 {names}？", "; did you mean {names}?")
ANYTHING = Text("规则、表、字段、代码表或格式", "rule, table, field, code list or format")


def provenance(value: Provenance, reference: str, lang: Lang) -> str:
    """Evidence in brackets, with the fact id if there is one."""
    words = PROVENANCE[value][lang]
    if reference:
        words += f"{'，' if lang == 'zh' else ', '}{reference}"
    return f"（{words}）" if lang == "zh" else f" ({words})"


def when(condition: Condition | None, lang: Lang) -> str:
    """The condition as a clause with a trailing separator; empty without one."""
    if condition is None:
        return ""
    values = ("、" if lang == "zh" else " or ").join(condition.values)
    clause = WHEN.fill({"field": condition.field, "values": values})[lang]
    return f"{clause}，" if lang == "zh" else f"{clause}: "
