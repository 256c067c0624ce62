"""The whole run as one JSON document (docs/report.schema.json), streamed. Nothing is capped.

Additions to the document are allowed, changes are not: programs rely on it.
"""

from __future__ import annotations

import json
from typing import IO

import orjson

from validator.pack import Packs
from validator.reports import ReportOptions
from validator.reports.phrases import basis
from validator.reports.summary import severities
from validator.run import PackLine, Result, Run, TableCounts
from validator.text import Lang, Text

SCHEMA_VERSION = 1


def render(
    result: Result, packs: Packs, out: IO[bytes], *, lang: Lang, options: ReportOptions
) -> None:
    """Write the document; one violation a line, so that line tools can look inside."""
    run = result.run
    tables = {name: _table(counts) for name, counts in run.tables.items()}
    out.write(b'{"schema_version":' + encode(SCHEMA_VERSION))
    out.write(b',\n"run":' + encode(_run(run)))
    out.write(b',\n"tables":' + encode(tables))
    out.write(b',\n"violations":[')
    separator = b"\n"
    for violation in result.violations():
        out.write(separator + encode(violation.to_json()))
        separator = b",\n"
    out.write(b"\n]}\n")


def encode(value: object) -> bytes:
    """Compact JSON in UTF-8. A lone surrogate (a file name that is not UTF-8) is escaped."""
    try:
        return orjson.dumps(value)
    except orjson.JSONEncodeError:
        return json.dumps(value, separators=(",", ":")).encode("ascii")


def _run(run: Run) -> dict[str, object]:
    records = ("unreadable", "skipped", "duplicate", "conforming", "blocked", "blocked_parent")
    return {
        "id": run.id,
        "started": run.started,
        "finished": run.finished,
        "inputs": list(run.inputs),
        "packs": [_pack(pack) for pack in run.packs],
        "counts": {
            "records": run.total("read"),
            **{name: run.total(name) for name in records},
            "violations": {str(severity): n for severity, n in severities(run).items()},
        },
        "rules": [
            {
                "rule": line.rule,
                "severity": line.severity,
                "table": line.table,
                "stage": line.stage,
                "count": line.count,
            }
            for line in run.counts
        ],
        "problems": [{"file": p.file, "message": _text(p.text)} for p in run.problems],
        "files": dict(run.files),
        "notes": [_text(note) for note in run.notes],
    }


def _pack(pack: PackLine) -> dict[str, object]:
    return {
        "name": pack.name,
        "version": pack.version,
        "title": _text(pack.title),
        "basis": pack.basis,
        "statement": _text(basis(pack)),
        "official_fields": pack.official_fields,
        "fields": pack.fields,
    }


def _table(counts: TableCounts) -> dict[str, object]:
    return {
        "records": counts.read,
        "conforming": counts.conforming,
        "violations": {
            "error": counts.errors,
            "warning": counts.warnings,
            "info": counts.infos,
        },
        "title": _text(counts.title),
        "stage": counts.stage,
        "unreadable": counts.unreadable,
        "skipped": counts.skipped,
        "duplicate": counts.duplicate,
        "blocked": counts.blocked,
        "blocked_parent": counts.blocked_parent,
    }


def _text(text: Text) -> dict[str, str]:
    return {"zh": text.zh, "en": text.en}
