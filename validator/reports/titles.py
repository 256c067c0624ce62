"""What packs and rules call the things a violation names. Looks names up; judges nothing.

A name that no pack knows (an unknown table, an unknown field) has no title and is shown as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from validator.pack import Packs, Table
from validator.reports.phrases import NO_STAGE
from validator.reports.plain import visible
from validator.rules import rules
from validator.text import Text
from validator.violation import Violation


@dataclass(frozen=True, slots=True)
class Titles:
    """Titles by name. Tables and fields are keyed by the qualified table name."""

    stages: Mapping[str, Text]
    tables: Mapping[str, Table]
    rules: Mapping[str, Text]

    def stage(self, stage: str | None) -> Text:
        """The title of a stage; one that no pack names is its own title."""
        if stage is None:
            return NO_STAGE
        return self.stages.get(stage, Text(stage, stage))

    def table(self, qualified: str | None) -> Text | None:
        table = self.tables.get(qualified or "")
        return table.title if table else None

    def field(self, qualified: str | None, name: str) -> Text | None:
        table = self.tables.get(qualified or "")
        found = table.by_name.get(name) if table else None
        return found.title if found else None

    def rule(self, name: str) -> Text:
        return self.rules.get(name, Text(name, name))


def titles(packs: Packs) -> Titles:
    """Titles of the packs of a run, stages and tables in pack order."""
    stages: dict[str, Text] = {}
    for stage in (stage for pack in packs for stage in pack.stages):
        stages.setdefault(stage.id, stage.title)
    return Titles(
        stages=stages,
        tables={t.qualified: t for t in packs.tables()},
        rules={name: rule.title for name, rule in rules().items()},
    )


def used_rules(packs: Packs, table: Table) -> tuple[str, ...]:
    """Names of the rules that judge records of this table, sorted."""
    by_fields = (
        use.rule for rule in rules().values() if rule.uses for use in rule.uses(packs, table)
    )
    return tuple(sorted({*by_fields, *(use.rule for use in table.rules)}))


def where(violation: Violation) -> str:
    """`file:line`; `file #record` where the format has no lines; the file alone for the whole."""
    file = visible(violation.file or "")
    if violation.line is not None:
        return f"{file}:{violation.line}"
    return f"{file} #{violation.record}" if violation.record is not None else file
