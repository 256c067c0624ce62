"""A value that `--normalise` put right before it was judged; found by `validator.normalise`."""

from __future__ import annotations

from validator.pack import Packs, Table
from validator.rule import Example, Rule, Scope, Use
from validator.text import Text
from validator.violation import Severity


def uses(_packs: Packs, table: Table) -> tuple[Use, ...]:
    """One use per field, in the order of the table."""
    return tuple(
        Use("value-normalised", table.qualified, (f.name,), {}, f.provenance, Severity.INFO)
        for f in table.fields
    )


RULE = Rule(
    name="value-normalised",
    scope=Scope.SOURCE,
    title=Text("值已规范", "Value was normalised"),
    message=Text(
        "{field}（{title}）的值“{value}”已按{after}处理（{step}）",
        "The value “{value}” of {field} ({title}) was taken as {after_en} ({step_en})",
    ),
    help=Text(
        "合格输出和报送内容已用规范后的值；请在来源系统改正",
        "What conforms and what is sent holds the new value; correct it where it comes from",
    ),
    notes=Text(
        "只在使用 --normalise 时出现。全角字符、多余空白、2024/1/5 和 20240105 之类日期、代码名称、"
        "小写的信用代码和证件号码、\\N 和 NULL 在检查之前改为标准写法；可有两种读法的值不动，"
        "自由文本只去掉首尾空白。",
        "Only with --normalise. Full-width characters, stray spaces, dates such as 2024/1/5 and "
        "20240105, labels of codes, lower-case credit codes and identity numbers, \\N and NULL are "
        "put right before they are judged; what can be read in two ways stays, and free text only "
        "loses spaces at its ends.",
    ),
    good=Example({"SPGL_XMJBXXB": ({"NKGSJ": "2024-01-05"},)}),
    bad_example=Example({}, ()),
    uses=uses,
)
