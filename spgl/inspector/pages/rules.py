"""The reference of rules with how often each spoke in the last run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from spgl.inspector import words
from spgl.inspector.filters import Filter, address, table_title
from spgl.inspector.site import Ask, Page, Refusal, Site
from validator.reports.titles import used_rules
from validator.rule import Rule, Use
from validator.rules import rules
from validator.run import Run
from validator.text import Text


@dataclass(frozen=True, slots=True)
class RuleLine:
    """A rule: its scope, and how often the last run found it, by severity."""

    name: str
    scope: Text
    title: Text
    counts: Mapping[str, int]
    url: str

    @property
    def total(self) -> int:
        return sum(self.counts.values())


@dataclass(frozen=True, slots=True)
class RuleList:
    """Every rule; `run` is the run that was counted, empty before the first."""

    run: str
    rules: tuple[RuleLine, ...]


@dataclass(frozen=True, slots=True)
class UseLine:
    """One use of a rule in a table: on what evidence, how grave."""

    table: str
    table_title: Text
    fields: tuple[str, ...]
    severity: str
    provenance: str
    reference: str


@dataclass(frozen=True, slots=True)
class OneRule:
    """A rule with its texts, its example and where the loaded packs use it."""

    line: RuleLine
    message: Text
    help: Text
    notes: Text
    bad: tuple[tuple[str, tuple[Mapping[str, object], ...]], ...]
    tables: tuple[tuple[str, Text, int], ...]
    uses: tuple[UseLine, ...]


def last_run(site: Site) -> Run | None:
    """The newest run; None before the first."""
    ids = site.runs.ids()
    return site.runs.open(ids[0]).run if ids else None


def build_list(site: Site, _ask: Ask) -> RuleList:
    run = last_run(site)
    lines = [_line(rule, run) for rule in rules().values()]
    lines.sort(key=lambda r: (-r.counts["error"], -r.total, r.name))
    return RuleList(run.id if run else "", tuple(lines))


def build_one(site: Site, ask: Ask) -> OneRule:
    name = ask.place["name"]
    if name not in rules():
        raise Refusal(404, _UNKNOWN.fill({"name": name}))
    rule, run = rules()[name], last_run(site)
    counts: dict[str, int] = {}
    for line in run.counts if run else ():
        if line.rule == name:
            counts[line.table or "-"] = counts.get(line.table or "-", 0) + line.count
    ranked = sorted(counts.items(), key=lambda c: (-c[1], c[0]))
    return OneRule(
        line=_line(rule, run),
        message=rule.message,
        help=rule.help,
        notes=rule.notes,
        bad=tuple(rule.bad_example.records.items()),
        tables=tuple((t, table_title(site.names, t), n) for t, n in ranked),
        uses=tuple(_uses(site, rule)),
    )


def _line(rule: Rule, run: Run | None) -> RuleLine:
    counts = dict.fromkeys(("error", "warning", "info"), 0)
    for line in run.counts if run else ():
        if line.rule == rule.name:
            counts[line.severity] += line.count
    url = address("/violations", "", Filter(rule=(rule.name,)))
    return RuleLine(rule.name, words.SCOPES[rule.scope], rule.title, counts, url)


def _uses(site: Site, rule: Rule) -> list[UseLine]:
    made: list[UseLine] = []
    for table in site.packs.tables():
        if rule.name not in used_rules(site.packs, table) or rule.uses is None:
            continue
        made += [_use(site, use) for use in rule.uses(site.packs, table)]
    return made


def _use(site: Site, use: Use) -> UseLine:
    return UseLine(
        use.table,
        table_title(site.names, use.table),
        use.fields,
        str(use.severity),
        str(use.provenance),
        use.reference,
    )


_UNKNOWN = Text("没有规则 {name}", "no rule {name}")

PAGES = (
    Page("/rules", "rules.html", words.RULES, build_list, menu=True),
    Page("/rules/{name}", "rule.html", words.RULES, build_one),
)
