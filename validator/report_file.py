"""A json report read back as the run it tells of (docs/report.schema.json).

Our own layout, one violation a line, is streamed; a document that was laid out anew is read whole.
Only what the report says comes back: nothing is judged again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeGuard

import orjson

from validator.pack import Provenance
from validator.records import SourceError
from validator.reports.json import SCHEMA_VERSION
from validator.run import FileProblem, PackLine, RuleCount, Run, TableCounts
from validator.text import Text
from validator.violation import Severity, Violation

_START = b'"violations":[\n'


@dataclass(frozen=True, slots=True)
class ReportFile:
    """A run in a json report; a `run.Result`. Violations are read anew in each pass."""

    run: Run
    path: Path

    def violations(self) -> Iterator[Violation]:
        """Every violation, in the order of the file. Raises SourceError where one is damaged."""
        try:
            yield from (_violation(member) for member in _members(self.path))
        except (OSError, ValueError, LookupError, TypeError) as fault:
            raise _refused(self.path) from fault


def read(path: Path) -> ReportFile:
    """The run in a json report. Raises SourceError where the file is none."""
    try:
        return ReportFile(_run(_head(path)), path)
    except (OSError, ValueError, LookupError, TypeError) as fault:
        raise _refused(path) from fault


def _refused(path: Path) -> SourceError:
    return SourceError(
        str(path),
        Text(
            "不是完整的 json 报告；请用 spgl validate … --report json=文件 生成",
            "not a complete json report; make one with spgl validate … --report json=FILE",
        ),
    )


_Members = dict[str, object]


def _head(path: Path) -> _Members:
    """Everything but the violations."""
    lines: list[bytes] = []
    with path.open("rb") as file:
        for line in file:
            if line == _START:
                lines = [*lines[:-1], lines[-1].rstrip().removesuffix(b","), b"}"]
                break
            lines.append(line)
    document = _object(_decoded(b"".join(lines)))
    if document["schema_version"] != SCHEMA_VERSION:
        raise ValueError("another version")
    return document


def _members(path: Path) -> Iterator[_Members]:
    with path.open("rb") as file:
        for line in file:
            if line == _START:
                yield from _lines(file)
                return
    document = _object(_decoded(path.read_bytes()))
    yield from map(_object, _list(document["violations"]))


def _lines(lines: Iterator[bytes]) -> Iterator[_Members]:
    for line in lines:
        if line.rstrip() == b"]}":
            return
        yield _object(_decoded(line.rstrip().removesuffix(b",")))
    raise ValueError("cut off")


def _decoded(text: bytes) -> object:
    """JSON; a lone surrogate (a file name that is no UTF-8) is taken as the report wrote it."""
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError:
        return json.loads(text)


def _object(value: object) -> _Members:
    if not _is_object(value):
        raise TypeError("an object is expected")
    return value


def _is_object(value: object) -> TypeGuard[_Members]:
    return isinstance(value, dict)


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise TypeError("a list is expected")
    return value


def _text(value: object) -> Text:
    texts = _object(value)
    return Text(str(texts["zh"]), str(texts["en"]))


def _optional(value: object) -> str | None:
    return None if value is None else str(value)


def _count(value: object) -> int:
    return int(str(value))


def _number(value: object) -> int | None:
    return None if value is None else _count(value)


def _run(document: _Members) -> Run:
    run = _object(document["run"])
    return Run(
        id=str(run["id"]),
        started=str(run["started"]),
        finished=str(run["finished"]),
        inputs=tuple(map(str, _list(run["inputs"]))),
        packs=tuple(_pack(_object(pack)) for pack in _list(run["packs"])),
        tables={
            name: _table(_object(table)) for name, table in _object(document["tables"]).items()
        },
        counts=tuple(_rule(_object(rule)) for rule in _list(run["rules"])),
        problems=tuple(
            FileProblem(str(p["file"]), _text(p["message"]))
            for p in map(_object, _list(run["problems"]))
        ),
        files={name: _count(n) for name, n in _object(run["files"]).items()},
        notes=tuple(map(_text, _list(run.get("notes", [])))),
    )


def _pack(pack: _Members) -> PackLine:
    return PackLine(
        str(pack["name"]),
        str(pack["version"]),
        _text(pack["title"]),
        str(pack["basis"]),
        _count(pack["official_fields"]),
        _count(pack["fields"]),
    )


def _table(table: _Members) -> TableCounts:
    found = _object(table["violations"])
    names = ("unreadable", "skipped", "duplicate", "conforming", "blocked", "blocked_parent")
    return TableCounts(
        _text(table["title"]),
        _optional(table["stage"]),
        read=_count(table["records"]),
        errors=_count(found["error"]),
        warnings=_count(found["warning"]),
        infos=_count(found["info"]),
        **{name: _count(table[name]) for name in names},
    )


def _rule(line: _Members) -> RuleCount:
    return RuleCount(
        str(line["rule"]),
        Severity(str(line["severity"])),
        _optional(line["table"]),
        _optional(line["stage"]),
        _count(line["count"]),
    )


def _violation(v: _Members) -> Violation:
    return Violation(
        rule=str(v["rule"]),
        severity=Severity(str(v["severity"])),
        standard=_optional(v["standard"]),
        table=_optional(v["table"]),
        fields=tuple(map(str, _list(v["fields"]))),
        file=_optional(v["file"]),
        record=_number(v["record"]),
        line=_number(v["line"]),
        column=_optional(v["column"]),
        key={name: str(value) for name, value in _object(v["key"]).items()},
        value=_optional(v["value"]),
        message=_text(v["message"]),
        help=_text(v["help"]),
        stage=_optional(v["stage"]),
        provenance=Provenance(str(v["provenance"])),
        reference=str(v["reference"]),
        fingerprint=str(v["fingerprint"]),
        pointer=_optional(v.get("pointer")),
        division=_optional(v.get("division")),
    )
