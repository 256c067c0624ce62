"""`spgl packs diff A B [PATH…]`: what changes between two packs, and which records of an export
would newly fail or pass.

Both packs check the same files; a record is known again by its file and position. No run is kept.
"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from spgl import checking
from spgl.cli import Call, Exit
from validator.text import Lang, Text
from validator.violation import Severity

if TYPE_CHECKING:
    from validator.pack import Pack
    from validator.violation import Violation

_SAMPLES = 20

#: File, table and position of a record.
Spot = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Errors:
    """Records with an error and the rules that say so; counts of all by table, rule, severity."""

    records: Mapping[Spot, tuple[str, ...]]
    rules: Counter[tuple[str, str, str]]


def add(actions: argparse._SubParsersAction[argparse.ArgumentParser], lang: Lang) -> None:
    parser = actions.add_parser(
        "diff",
        help=Text(
            "比较两个标准包；给出导出数据时，说明哪些记录会新增不合格或转为合格",
            "what changes between two packs, and which records would newly fail or pass",
        )[lang],
    )
    parser.add_argument("before", metavar="A")
    parser.add_argument("after", metavar="B")
    parser.add_argument("paths", nargs="*", type=Path, metavar="PATH")
    checking.add(parser, lang)


def run(call: Call) -> int:
    """Print what changes. Raises PackError, ConfigError, SourceError."""
    from validator.pack_diff import change_lines

    before, after = _pack(call.args.before), _pack(call.args.after)
    print("\n".join(change_lines(before, after, call.lang)))
    if call.args.paths:
        one = _errors(call, call.args.before, before)
        two = _errors(call, call.args.after, after)
        print("\n".join(("", *outcome_lines(one, two, call.lang))))
    return Exit.FINE


def _pack(name: str) -> Pack:
    """The pack of this name or folder, not those it uses."""
    from validator.load import load_packs

    return load_packs([name]).packs[-1]


def _errors(call: Call, name: str, pack: Pack) -> Errors:
    """The errors under one of the two packs, beside the other packs in use."""
    others = [u for u in call.settings.texts("packs.use") if _pack(u).name != pack.name]
    values = {**call.settings.values, "packs.use": [name, *others]}
    using = Call(call.args, replace(call.settings, values=values))
    with checking.check_paths(using, call.args.paths, keep=False) as made:
        return errors_of(made.view.violations(made.checked.violations()))


def errors_of(violations: Iterable[Violation]) -> Errors:
    """Gather the errors of a run by record."""
    records: dict[Spot, set[str]] = {}
    rules: Counter[tuple[str, str, str]] = Counter()
    for v in violations:
        rules[v.table or "", v.rule, str(v.severity)] += 1
        if v.severity is Severity.ERROR and v.record is not None:
            records.setdefault((v.file or "", v.table or "", v.record), set()).add(v.rule)
    return Errors({spot: tuple(sorted(names)) for spot, names in records.items()}, rules)


def outcome_lines(before: Errors, after: Errors, lang: Lang) -> list[str]:
    """Newly failing and newly passing records with samples, then violations by rule."""
    lines = []
    failing = {s: r for s, r in after.records.items() if s not in before.records}
    passing = {s: r for s, r in before.records.items() if s not in after.records}
    for title, spots in ((_FAILING, failing), (_PASSING, passing)):
        lines.append(title.fill({"count": f"{len(spots):,}"})[lang])
        for (file, table, record), names in sorted(spots.items())[:_SAMPLES]:
            place = _RECORD.fill({"file": file, "record": record, "table": table})[lang]
            lines.append(f"  {place}  {', '.join(names)}")
        if len(spots) > _SAMPLES:
            lines.append(f"  {_MORE.fill({'count': f'{len(spots) - _SAMPLES:,}'})[lang]}")
    changed = sorted(k for k in before.rules | after.rules if before.rules[k] != after.rules[k])
    if changed:
        lines.append(_BY_RULE[lang])
    for table, rule, severity in changed:
        key = (table, rule, severity)
        counts = f"{before.rules[key]:,} → {after.rules[key]:,}"
        lines.append(f"  {table or '-'}  {rule}  {_SEVERITY[Severity(severity)][lang]}  {counts}")
    return lines


_FAILING = Text("新增不合格记录：{count} 条", "records that newly fail: {count}")
_PASSING = Text("转为合格的记录：{count} 条", "records that newly pass: {count}")
_RECORD = Text("{file} 第 {record} 条（{table}）", "{file} record {record} ({table})")
_MORE = Text("……另有 {count} 条", "… and {count} more")
_BY_RULE = Text("按规则统计的问题（前 → 后）", "violations by rule (before → after)")
_SEVERITY = {
    Severity.ERROR: Text("错误", "error"),
    Severity.WARNING: Text("警告", "warning"),
    Severity.INFO: Text("提示", "info"),
}
