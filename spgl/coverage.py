"""docs/rules-coverage.md: what became of every attested fact, and whether one is left unexplained.

`standards/*/coverage.csv` names for each fact a rule, a behaviour of the push with its test, or the
reason why data cannot show it. Where a rule is used for a fact is read from the packs. Nothing is
judged here.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files
from io import StringIO

from spgl.evidence import NOTE, shipped, table_uses
from validator.pack import Pack, Packs
from validator.rule import Use
from validator.text import Text

FILE = "coverage.csv"
#: Uses in more tables than this are counted, not listed.
_LISTED = 10


class How(StrEnum):
    """What became of a fact."""

    #: Rules judge it.
    RULE = "rule"
    #: A duty of the sender, which the push performs; a test shows it.
    SENDER = "sender"
    #: Data cannot show it.
    REASON = "reason"


_HOW = {
    How.RULE: Text("规则", "rules"),
    How.SENDER: Text("投送负责", "the push does it"),
    How.REASON: Text("无法在数据上检查", "cannot be seen in data"),
}


@dataclass(frozen=True, slots=True)
class Covered:
    """One fact: what it says, what became of it. `targets`: rule names, or `file::test`."""

    fact: str
    says: Text
    how: How
    targets: tuple[str, ...]
    reason: Text


@cache
def coverage(pack: str) -> tuple[Covered, ...]:
    """Every fact of a shipped pack, in the order of its file. Raises ValueError for a bad kind."""
    text = files("standards").joinpath(pack, FILE).read_bytes().decode("utf-8-sig")
    return tuple(
        Covered(
            row["fact"],
            Text(row["zh"], row["en"]),
            How(row["kind"]),
            tuple(row["target"].split()),
            Text(row["reason_zh"], row["reason_en"]),
        )
        for row in csv.DictReader(StringIO(text))
    )


def uses_by_fact(packs: Packs) -> Mapping[str, list[Use]]:
    """Every compiled use that names a fact as its reference."""
    found: dict[str, list[Use]] = {}
    for table in packs.tables():
        for use in table_uses(packs, table):
            if use.reference:
                found.setdefault(use.reference, []).append(use)
    return found


def coverage_page() -> str:
    """The page, in both languages."""
    packs = shipped()
    uses = uses_by_fact(packs)
    lines = [
        NOTE,
        "# Coverage of the facts · 事实覆盖\n",
        "Every attested demand of the two dossiers and what became of it: the rules that judge it "
        "with the fields and severity of each use, a duty that the push performs with the test "
        "that shows it, or the reason why data cannot show it. The mapping is "
        "`standards/*/coverage.csv`; the uses are read from the packs.\n",
        "两份事实档案中的每一项要求及其去向：由哪些规则检查（附字段和级别），或由投送负责（附测试），"
        "或为何无法在数据上检查。对应关系见 `standards/*/coverage.csv`，用法取自标准包。\n",
    ]
    for pack in packs:
        facts = coverage(pack.name)
        counts = " · ".join(
            f"{_HOW[how].zh} {_HOW[how].en}: {sum(f.how is how for f in facts)}" for how in How
        )
        lines += [f"## {pack.name}\n", f"{len(facts)} facts · 项。{counts}.\n"]
        lines += ["| fact 事实 | 内容 · what it says | 去向 · what became of it |", "|---|---|---|"]
        for fact in facts:
            says = f"{fact.says.zh}<br>{fact.says.en}"
            became = "<br>".join(
                _became(fact, _own(fact.fact, uses.get(fact.fact, []), pack, packs))
            )
            lines.append(f"| {fact.fact} | {says} | {became} |".replace("\n", " "))
        lines.append("")
    return "\n".join(lines)


def _own(fact: str, uses: list[Use], pack: Pack, packs: Packs) -> list[Use]:
    """Without the uses in tables of another pack that says itself what became of the fact."""
    told = {p.name for p in packs if any(f.fact == fact for f in coverage(p.name))} - {pack.name}
    return [u for u in uses if u.table.partition("/")[0] not in told]


def _became(fact: Covered, uses: list[Use]) -> Iterator[str]:
    yield f"**{_HOW[fact.how].zh} · {_HOW[fact.how].en}**"
    for target in fact.targets:
        if fact.how is How.RULE:
            where: dict[str, dict[str, None]] = {}
            for use in (u for u in uses if u.rule == target):
                name = use.table.rpartition("/")[2]
                where.setdefault(f"{name} ({use.severity})", {})["+".join(use.fields)] = None
            listed = "; ".join(f"{t}: {', '.join(fields)}" for t, fields in where.items())
            if len(where) > _LISTED:
                listed = f"{len(where)} tables · 张表"
            yield f"`{target}`{': ' if listed else ''}{listed}"
        else:
            yield f"`{target}`"
    if fact.reason.zh:
        yield f"{fact.reason.zh} · {fact.reason.en}"
