"""Hand-made runs for the report tests: small, synthetic, deterministic."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from validator.pack import Field, Key, Kind, Pack, Packs, Provenance, Stage, Table
from validator.run import FileProblem, PackLine, RuleCount, Run, TableCounts
from validator.text import Text
from validator.violation import Severity, Violation

PROJECTS = "data-sharing-3.0/SPGL_XMJBXXB"
CASES = "data-sharing-3.0/SPGL_XMSPSXBLXXB"
FIRE = "fire-inspection-1.0/SPGL_JSGCXFYSXXB"

HOSTILE = (
    "<script>alert(1)</script>",
    "]]></failure><x a='1'>",
    'x" onmouseover="alert(1)',
    "{{ 7*7 }}{% raw %}",
    '=HYPERLINK("http://example.invalid","x")',
    "bell\x07 escape\x1b[31m nul\x00 \r\n tab\t",
    "right\u202eto\u2066left\u200f zero\u200bwidth private\ue000 end\ufffe",
    "long " + "长" * 40_000,
)


@dataclass(frozen=True, slots=True)
class Made:
    """A result of known violations; `make` is called again for every pass."""

    run: Run
    make: Callable[[], Iterator[Violation]]

    def violations(self) -> Iterator[Violation]:
        return self.make()


def field(name: str, zh: str, en: str, kind: Kind = Kind.TEXT) -> Field:
    return Field(name, Text(zh, en), kind, Provenance.DEPLOYED)


def table(standard: str, name: str, title: Text, stage: str | None, *fields: Field) -> Table:
    return Table(
        standard, name, title, fields, Key(("GCDM",), Provenance.DEPLOYED), 10,
        Provenance.DEPLOYED, stage=stage, by_name={f.name: f for f in fields},
    )  # fmt: skip


def packs() -> Packs:
    projects = table(
        "data-sharing-3.0", "SPGL_XMJBXXB", Text("项目基本信息表", "Project"), None,
        field("GCDM", "工程代码", "Work code"), field("XMMC", "项目名称", "Project name"),
        field("TDSFDSJFA", "土地是否带设计方案", "Land comes with a design", Kind.INTEGER),
        field("NKGSJ", "拟开工时间", "Planned start", Kind.DATE),
        field("NJCSJ", "拟建成时间", "Planned end", Kind.DATE),
    )  # fmt: skip
    cases = table(
        "data-sharing-3.0", "SPGL_XMSPSXBLXXB", Text("项目审批事项办理信息表", "Case"),
        "case-records", field("GCDM", "工程代码", "Work code"),
        field("SPSXSLBM", "审批事项实例编码", "Case code"),
    )  # fmt: skip
    fire = table(
        "fire-inspection-1.0", "SPGL_JSGCXFYSXXB",
        Text("建设工程消防验收信息表", "Fire acceptance"), "fire",
        field("GCDM", "工程代码", "Work code"), field("JSDWLXR", "建设单位联系人", "Contact"),
    )  # fmt: skip
    sharing = Pack(
        "data-sharing-3.0", "3.0", Text("工程建设项目审批管理系统数据共享交换标准", "Data sharing"),
        "reconstructed", (), (projects, cases), (),
        (Stage("land-planning", Text("立项用地规划许可", "Land and planning"), ()),
         Stage("case-records", Text("办件过程记录", "Case records"), ("SPGL_XMSPSXBLXXB",))),
    )  # fmt: skip
    inspection = Pack(
        "fire-inspection-1.0", "1.0", Text("消防验收数据", "Fire inspection"), "reconstructed",
        ("data-sharing-3.0",), (fire,), (),
        (Stage("fire", Text("消防", "Fire"), ("SPGL_JSGCXFYSXXB",)),),
    )  # fmt: skip
    return Packs((sharing, inspection))


def violation(
    rule: str,
    table: str | None,
    fields: tuple[str, ...],
    value: str | None,
    record: int | None,
    *,
    message: Text | None = None,
    help: Text | None = None,
    severity: Severity = Severity.ERROR,
    stage: str | None = None,
    file: str | None = None,
    division: str | None = None,
) -> Violation:
    known = table in (PROJECTS, CASES, FIRE)
    standard, name = (table or "").split("/") if known else ("", table or "")
    mark = hashlib.sha256(repr((rule, table, fields, value, record)).encode()).hexdigest()
    return Violation(
        rule=rule,
        severity=severity,
        standard=standard or None,
        table=name or None,
        fields=fields,
        file=file or f"export/{name or 'notes'}.csv",
        record=record,
        line=None if record is None else record + 1,
        column=fields[0] if fields else None,
        key={} if record is None else {"GCDM": f"2401-441802-04-01-{100000 + record}"},
        value=value,
        message=message or Text(f"值 {value} 不合格", f"The value {value} does not conform"),
        help=help or Text("请更正。", "Correct it."),
        stage=stage,
        provenance=Provenance.DEPLOYED,
        reference="PRJ-02",
        fingerprint=mark,
        division=division,
    )


def _mixed() -> Iterator[Violation]:
    listed = Text(
        "TDSFDSJFA（土地是否带设计方案）的值 9 不在代码表“是否”中",
        "TDSFDSJFA (Land comes with a design) is 9, which is not in the code list yes/no",
    )
    choose = Text("改用代码表中的代码：0 或 1。", "Use a code of the list: 0 or 1.")
    for record in range(1, 6):
        yield violation(
            "sample-unlisted-code",
            PROJECTS,
            ("TDSFDSJFA",),
            "9",
            record,
            message=listed,
            help=choose,
        )
    for name, record in (("XMMC", 2), ("XMMC", 3), ("XMMC", 4), ("XMMC", 5), ("GCDM", 9)):
        yield violation(
            "sample-empty", PROJECTS, (name,), None, record,
            message=Text(f"{name} 为空", f"{name} is empty"),
            help=Text("补填该字段。", "Fill in the field."),
        )  # fmt: skip
    yield violation(
        "sample-wrong-order", PROJECTS, ("NKGSJ", "NJCSJ"), "2025-01-01 > 2024-01-01", 7,
        severity=Severity.WARNING,
        message=Text("拟开工时间晚于拟建成时间", "The planned start is after the planned end"),
        help=Text("核对两个日期。", "Check both dates."),
    )  # fmt: skip
    yield violation(
        "sample-lost-parent", CASES, ("GCDM",), "2401-441802-04-01-999999", 1,
        stage="case-records", division="441802",
        message=Text("所引用的项目不在本次导出中，也不在国家系统中",
                     "The project it refers to is neither in this export nor at the target"),
        help=Text("先报送该项目，或更正工程代码。", "Send the project first or correct the code."),
    )  # fmt: skip
    yield violation(
        "sample-stray-file", None, (), "notes", None, severity=Severity.WARNING,
        message=Text("文件不对应任何已知的表", "The file matches no known table"),
        help=Text("改名为表名，或移出目录。", "Name it after its table or move it away."),
    )  # fmt: skip


def head(tables: dict[str, TableCounts], counts: tuple[RuleCount, ...], **more: object) -> Run:
    lines = (
        PackLine("data-sharing-3.0", "3.0", Text("工程建设项目审批管理系统数据共享交换标准",
                 "Data sharing"), "reconstructed", 0, 7),
        PackLine("fire-inspection-1.0", "1.0", Text("消防验收数据", "Fire inspection"),
                 "reconstructed", 0, 2),
    )  # fmt: skip
    return Run(
        id="20261124-060032-7f3a",
        started="2026-11-24T06:00:32.120000+08:00",
        finished="2026-11-24T06:00:35.480000+08:00",
        inputs=("export",),
        packs=lines,
        tables=tables,
        counts=counts,
        **more,  # type: ignore[arg-type]
    )


def rule_counts(violations: Iterator[Violation]) -> tuple[RuleCount, ...]:
    found: dict[tuple[str, str, str | None, str | None], int] = {}
    for v in violations:
        table = f"{v.standard}/{v.table}" if v.standard else v.table
        place = (v.rule, str(v.severity), table, v.stage)
        found[place] = found.get(place, 0) + 1
    return tuple(RuleCount(*place, count) for place, count in found.items())


def mixed() -> Made:
    """Several tables, rules and severities, a file problem, one violation without a table."""
    tables = {
        PROJECTS: TableCounts(Text("项目基本信息表", "Project"), None, read=1200, conforming=1190,
                              skipped=1, blocked=9, errors=10, warnings=1),
        CASES: TableCounts(Text("项目审批事项办理信息表", "Case"), "case-records", read=30,
                           conforming=28, blocked=2, blocked_parent=1, errors=1),
        FIRE: TableCounts(Text("建设工程消防验收信息表", "Fire acceptance"), "fire", read=4,
                          conforming=4),
    }  # fmt: skip
    problem = FileProblem(
        "export/empty.csv", Text("文件为空；请重新导出", "The file is empty; export it again")
    )
    return Made(
        head(
            tables,
            rule_counts(_mixed()),
            problems=(problem,),
            files={"export/a.csv": 1200},
            notes=(Text("基线隐藏了 3 个问题", "A baseline hides 3 violations"),),
        ),
        _mixed,
    )


def empty() -> Made:
    """A run that read nothing."""
    return Made(head({}, ()), lambda: iter(()))


def clean() -> Made:
    """A run in which everything conforms."""
    tables = {FIRE: TableCounts(Text("消防", "Fire"), "fire", read=4, conforming=4)}
    return Made(head(tables, ()), lambda: iter(()))


def hostile() -> Made:
    """Values, keys, names and texts that try to be markup, script or a terminal escape."""

    def make() -> Iterator[Violation]:
        for record, value in enumerate(HOSTILE, 1):
            yield violation(
                "sample-unlisted-code", PROJECTS, ("XMMC",), value, record,
                message=Text(f"值 {value} 不合格", f"The value {value} does not conform"),
                file=f"export/{value[:40]}.csv",
            )  # fmt: skip
            yield violation("sample-stray-file", value[:60], (), value, None, file=value[:60])

    tables = {PROJECTS: TableCounts(Text("项目", "Project"), None, read=8, blocked=8, errors=8)}
    problems = (FileProblem(HOSTILE[0], Text(HOSTILE[1], HOSTILE[2])),)
    return Made(head(tables, rule_counts(make()), problems=problems), make)


#: What would steer a reader of one format or another; short, so that golden files stay readable.
STEERING = (
    *HOSTILE[:7],
    "100%0A::error::injected %25 , : done",
    "::warning file=x::injected",
    "| cell | `code` [link](http://example.invalid) <!-- -->",
    "@SUM(1+1)*cmd|' /C calc'!A0",
    "##vso[task.complete result=Failed] _x0041_ \\u0041 &#65; \ufeff",
)


def steering() -> Made:
    """Short hostile values, in value, key, texts and file."""

    def make() -> Iterator[Violation]:
        for record, value in enumerate(STEERING, 1):
            yield violation(
                "sample-unlisted-code", PROJECTS, ("XMMC",), value, record,
                message=Text(f"值 {value} 不合格", f"The value {value} does not conform"),
                help=Text(f"请更正 {value}", f"Correct {value}"),
                file=f"export/{value[:12]}.csv", division=value[:6],
            )  # fmt: skip

    count = len(STEERING)
    counts = TableCounts(Text("项目", "Project"), None, read=count, blocked=count, errors=count)
    return Made(head({PROJECTS: counts}, rule_counts(make())), make)


def enormous() -> Made:
    """One value of a megabyte."""

    def make() -> Iterator[Violation]:
        yield violation("sample-unlisted-code", PROJECTS, ("XMMC",), "长=\n" * 350_000, 1)

    counts = TableCounts(Text("项目", "Project"), None, read=1, blocked=1, errors=1)
    return Made(head({PROJECTS: counts}, rule_counts(make())), make)


def many(count: int) -> Made:
    """`count` violations of two rules in one table, made while they are read."""

    def make() -> Iterator[Violation]:
        for n in range(count):
            rule = "sample-unlisted-code" if n % 5 else "sample-empty"
            yield violation(rule, PROJECTS, (("GCDM", "XMMC")[n % 2],), str(n), n + 1)

    tables = {
        PROJECTS: TableCounts(Text("项目", "Project"), None, read=count, blocked=count,
                              errors=count)
    }  # fmt: skip
    return Made(head(tables, rule_counts(make())), make)
