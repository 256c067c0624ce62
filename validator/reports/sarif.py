"""SARIF 2.1.0 for code scanning services: rules in both languages, results, exact totals.

Services refuse logs of more than 25,000 results; beyond that the gravest are written, each rule of
each table its share, and the totals in `properties` stay exact.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import IO

from validator.pack import Packs
from validator.reports import ReportOptions, phrases
from validator.reports.json import encode
from validator.reports.phrases import basis
from validator.reports.places import path, split, uri
from validator.reports.plain import excerpt, visible
from validator.reports.quotas import spread
from validator.reports.summary import severities, verdict
from validator.reports.told import told
from validator.rule import Rule
from validator.rules import rules
from validator.run import FileProblem, Result, Run
from validator.text import Lang, Text
from validator.violation import Severity, Violation

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LIMIT = 25_000
_LEVEL = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "note"}
_TAG: Mapping[Lang, str] = {"zh": "zh-CN", "en": "en-US"}
_LENGTH = 1000


def render(
    result: Result, packs: Packs, out: IO[bytes], *, lang: Lang, options: ReportOptions
) -> None:
    """Write one run; results are streamed, one a line."""
    run = result.run
    names = sorted({*rules(), *(line.rule for line in run.counts)})
    other: Lang = "en" if lang == "zh" else "zh"
    out.write(b'{"$schema":' + encode(_SCHEMA) + b',"version":"2.1.0","runs":[{\n')
    out.write(b'"tool":' + encode({"driver": _driver(options.tool, names, run, lang)}))
    out.write(b',\n"language":' + encode(_TAG[lang]))
    out.write(b',\n"translations":' + encode([_translation(names, run, other)]))
    out.write(b',\n"columnKind":"unicodeCodePoints",\n"results":[')
    separator, shown = b"\n", 0
    for violation in spread(result, _LIMIT):
        out.write(separator + encode(_result(violation, run, names.index(violation.rule), lang)))
        separator, shown = b",\n", shown + 1
    out.write(b'\n],\n"invocations":' + encode([_invocation(run, shown, lang)]))
    out.write(b',\n"properties":' + encode(_properties(run, shown)) + b"\n}]}\n")


def _driver(tool: str, names: Sequence[str], run: Run, lang: Lang) -> Mapping[str, object]:
    name, _, version = tool.partition(" ")
    return {
        "name": name,
        **({"version": version} if version else {}),
        "language": _TAG[lang],
        "fullDescription": {"text": " ".join(_bases(run, lang)) or name},
        "rules": [_rule(rule, _found(rule, run), lang) for rule in names],
    }


def _translation(names: Sequence[str], run: Run, lang: Lang) -> Mapping[str, object]:
    return {
        "name": f"spgl {_TAG[lang]}",
        "language": _TAG[lang],
        "contents": ["localizedData"],
        "isComprehensive": True,
        "rules": [_rule(rule, None, lang) for rule in names],
    }


def _found(rule: str, run: Run) -> Severity | None:
    """The gravest severity at which the rule spoke in this run."""
    found = [Severity(line.severity) for line in run.counts if line.rule == rule]
    return min(found, key=lambda severity: severity.rank, default=None)


def _rule(name: str, found: Severity | None, lang: Lang) -> Mapping[str, object]:
    level = {"defaultConfiguration": {"level": _LEVEL[found]}} if found else {}
    return {"id": name, **_rule_texts(name, rules().get(name), lang), **level}


def _rule_texts(name: str, rule: Rule | None, lang: Lang) -> Mapping[str, object]:
    if rule is None:
        return {"shortDescription": {"text": name}}
    notes = {"fullDescription": {"text": rule.notes[lang]}} if rule.notes[lang] else {}
    return {
        "shortDescription": {"text": rule.title[lang]},
        **notes,
        "help": {"text": rule.help[lang]},
        "properties": {"tags": [str(rule.scope)]},
    }


def _result(violation: Violation, run: Run, index: int, lang: Lang) -> Mapping[str, object]:
    return {
        "ruleId": violation.rule,
        "ruleIndex": index,
        "level": _LEVEL[violation.severity],
        "message": {"text": told(violation, lang)},
        "locations": [_location(violation, run)],
        # Code scanning of GitHub tells alerts apart by primaryLocationLineHash alone.
        "partialFingerprints": {
            "spgl/v1": violation.fingerprint,
            "primaryLocationLineHash": violation.fingerprint,
        },
        "properties": {
            "standard": violation.standard,
            "stage": violation.stage,
            "table": violation.table,
            "fields": list(violation.fields),
            **({} if violation.pointer is None else {"pointer": violation.pointer}),
            "record": violation.record,
            "key": {name: excerpt(value, _LENGTH) for name, value in violation.key.items()},
            "value": None if violation.value is None else excerpt(violation.value, _LENGTH),
            "provenance": str(violation.provenance),
            "reference": violation.reference,
        },
    }


def _location(violation: Violation, run: Run) -> Mapping[str, object]:
    inside = split(violation.file or "")[1] or violation.table
    region = {} if violation.line is None else {"region": {"startLine": violation.line}}
    place = {"artifactLocation": _artifact(violation.file, run), **region}
    named = [{"fullyQualifiedName": visible(inside), "kind": "table"}] if inside else []
    if violation.pointer is not None:
        within = f"{'+'.join(violation.fields)}#{violation.pointer}"
        named.append({"fullyQualifiedName": visible(within), "kind": "property"})
    return {"physicalLocation": place, **({"logicalLocations": named} if named else {})}


def _artifact(file: str | None, run: Run) -> Mapping[str, str]:
    return {"uri": uri(path(file, run.inputs))}


def _invocation(run: Run, shown: int, lang: Lang) -> Mapping[str, object]:
    hidden = sum(severities(run).values()) - shown
    texts = [*_bases(run, lang), *(note[lang] for note in run.notes)]
    notes = [_notification("note", text) for text in texts]
    if hidden:
        more: Text = phrases.NOT_SHOWN.fill({"count": f"{hidden:,}"})
        notes.append(_notification("warning", f"{more[lang]}: {verdict(run)[lang]}"))
    return {
        "executionSuccessful": not run.problems,
        "startTimeUtc": _utc(run.started),
        "endTimeUtc": _utc(run.finished),
        "toolExecutionNotifications": [*notes, *(_problem(p, run, lang) for p in run.problems)],
    }


def _notification(level: str, text: str) -> dict[str, object]:
    return {"level": level, "message": {"text": visible(text)}}


def _problem(problem: FileProblem, run: Run, lang: Lang) -> Mapping[str, object]:
    location = {"physicalLocation": {"artifactLocation": _artifact(problem.file, run)}}
    return {**_notification("error", problem.text[lang]), "locations": [location]}


def _utc(time: str) -> str:
    moment = datetime.fromisoformat(time).astimezone(UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _bases(run: Run, lang: Lang) -> Iterable[str]:
    return [f"{pack.name} {pack.version}: {basis(pack)[lang]}" for pack in run.packs]


def _properties(run: Run, shown: int) -> Mapping[str, object]:
    totals = severities(run)
    return {
        "run": run.id,
        "basis": {pack.name: {"zh": basis(pack).zh, "en": basis(pack).en} for pack in run.packs},
        "records": run.total("read"),
        "conforming": run.total("conforming"),
        "violations": {str(severity): count for severity, count in totals.items()},
        "shown": shown,
        "notShown": sum(totals.values()) - shown,
    }
