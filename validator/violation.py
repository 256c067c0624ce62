"""One fact about bad data: what a rule found where. Rendering is `validator.reports`; storing is
`validator.runs`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from validator.pack import Provenance
from validator.text import Text


class Severity(StrEnum):
    """How much a violation weighs; `error` makes a record non-conforming."""

    #: The record does not conform.
    ERROR = "error"
    #: Evidence is weaker, or the fault is not the record's own.
    WARNING = "warning"
    #: Worth knowing.
    INFO = "info"

    @property
    def rank(self) -> int:
        """0 for the gravest."""
        return list(Severity).index(self)


@dataclass(frozen=True, slots=True)
class Violation:
    """Shape of the public JSON (docs/violation.schema.json).

    `record` is 1-based in its file, null for file-level violations; `line` is the physical line or
    null; `pointer` is a JSON Pointer into the document that the cell holds, null for anything else;
    `division` is the record's own (XZQHDM) as written, null where it has none; `key` and `value`
    are already masked where personal unless the run shows personal data.
    """

    rule: str
    severity: Severity
    standard: str | None
    table: str | None
    fields: tuple[str, ...]
    file: str | None
    record: int | None
    line: int | None
    column: str | None
    key: Mapping[str, str]
    value: str | None
    message: Text
    help: Text
    stage: str | None
    provenance: Provenance
    reference: str
    fingerprint: str
    pointer: str | None = None
    division: str | None = None

    def to_json(self) -> dict[str, object]:
        """The public JSON object, keys in contract order."""
        return {
            "rule": self.rule,
            "severity": str(self.severity),
            "table": self.table,
            "fields": list(self.fields),
            "file": self.file,
            "record": self.record,
            "line": self.line,
            "column": self.column,
            "pointer": self.pointer,
            "key": dict(self.key),
            "value": self.value,
            "message": {"zh": self.message.zh, "en": self.message.en},
            "help": {"zh": self.help.zh, "en": self.help.en},
            "stage": self.stage,
            "division": self.division,
            "standard": self.standard,
            "provenance": str(self.provenance),
            "reference": self.reference,
            "fingerprint": self.fingerprint,
        }
