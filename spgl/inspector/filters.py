"""Which violations are meant: a filter ⇄ the query of an address, the rows it lets through, and how
many there would be for each further choice. Every filter is an address that can be shared."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

import numpy as np
import numpy.typing as npt

from spgl.inspector import words
from spgl.inspector.index import Coded, Index, Mask
from spgl.inspector.site import Ask
from validator.reports import phrases
from validator.reports.titles import Titles
from validator.store import StoredUse
from validator.text import Text
from validator.violation import Severity

Ints = npt.NDArray[np.int64]

#: How many choices of a facet are shown; what is chosen is always among them.
SHOWN = 12


def table_of(use: StoredUse) -> str:
    """Qualified table of a use, `-` for what belongs to no table."""
    return f"{use.standard}/{use.table}" if use.table else "-"


#: Facets that the use of a violation decides: name → value of a use.
BY_USE: Mapping[str, Callable[[StoredUse], str]] = {
    "severity": lambda u: str(u.severity),
    "rule": lambda u: u.rule,
    "table": table_of,
    "stage": lambda u: u.stage or "-",
}


@dataclass(frozen=True, slots=True)
class Filter:
    """What is set must hold; several values of one name are alternatives. `new`: not in the run
    before (`1`), or not in the run of that id."""

    severity: tuple[str, ...] = ()
    rule: tuple[str, ...] = ()
    table: tuple[str, ...] = ()
    stage: tuple[str, ...] = ()
    division: tuple[str, ...] = ()
    department: tuple[str, ...] = ()
    project: str = ""
    case: str = ""
    text: str = ""
    new: str = ""

    @property
    def empty(self) -> bool:
        return self == Filter()

    def pairs(self) -> list[tuple[str, str]]:
        """The filter as query pairs, in a fixed order."""
        made = [
            (name, value)
            for name in ("severity", "rule", "table", "stage", "division", "department")
            for value in getattr(self, name)
        ]
        single = [("project", self.project), ("case", self.case)]
        single += [("q", self.text), ("new", self.new)]
        return [*made, *((name, value) for name, value in single if value)]

    def toggled(self, name: str, value: str) -> Filter:
        """The filter with one value of a facet added or taken away."""
        if name == "new":
            return replace(self, new="" if self.new else "1")
        have: tuple[str, ...] = getattr(self, name)
        kept = tuple(v for v in have if v != value) if value in have else (*have, value)
        changed: Filter = replace(self, **{name: kept})  # type: ignore[arg-type]
        return changed


def asked(ask: Ask) -> Filter:
    """The filter of an address."""
    return Filter(
        severity=ask.many("severity"),
        rule=ask.many("rule"),
        table=ask.many("table"),
        stage=ask.many("stage"),
        division=ask.many("division"),
        department=ask.many("department"),
        project=ask.one("project"),
        case=ask.one("case"),
        text=ask.one("q"),
        new=ask.one("new"),
    )


def address(path: str, run: str, filter_: Filter, more: Iterable[tuple[str, str]] = ()) -> str:
    """A path with the run, the filter and further pairs as its query."""
    pairs = [("run", run)] if run else []
    query = urlencode([*pairs, *filter_.pairs(), *more])
    return f"{path}?{query}" if query else path


@dataclass(frozen=True, slots=True)
class Chosen:
    """Rows of a filter, and what each facet would count without its own choice."""

    mask: Mask | None
    total: int
    counts: Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Choice:
    """One value of a facet: how many rows it has, whether it is chosen, where a click leads."""

    value: str
    title: Text
    count: int
    chosen: bool
    url: str


@dataclass(frozen=True, slots=True)
class Facet:
    """A facet with its choices, most first; `hidden` choices are not shown."""

    name: str
    title: Text
    choices: tuple[Choice, ...]
    hidden: int = 0


def choose(index: Index, filter_: Filter, new: Callable[[], Mask], department: Coded) -> Chosen:
    """Apply a filter. `new` gives the rows that the run before does not have, when asked for."""
    uses = index.stored.uses
    open_ = {name: _open(uses, of, getattr(filter_, name)) for name, of in BY_USE.items()}
    rest: dict[str, Mask] = {}
    if filter_.division:
        rest["division"] = _any(index.division, filter_.division)
    if filter_.department:
        rest["department"] = _any(department, filter_.department)
    if filter_.new:
        rest["new"] = new()
    named = {"whole": _whole(index, filter_), "text": _text(index, filter_.text)}
    rest |= {name: mask for name, mask in named.items() if mask is not None}
    per_use = np.bincount(
        index.use if not rest else index.use[_all(rest.values())], minlength=len(uses)
    )
    use_ok = _all(open_.values())
    counts = {n: _by_use(uses, per_use, open_, n) for n in BY_USE}
    for name, column in (("division", index.division), ("department", department)):
        others = _rows(index, use_ok, [m for n, m in rest.items() if n != name])
        counts[name] = _named(column, others)
    mask = _rows(index, use_ok, rest.values())
    total = index.rows if mask is None else int(np.count_nonzero(mask))
    return Chosen(mask, total, counts)


def _open(uses: Sequence[StoredUse], of: Callable[[StoredUse], str], wanted: Sequence[str]) -> Mask:
    """Uses that one facet lets through; all where nothing is chosen."""
    return np.array([not wanted or of(use) in wanted for use in uses], dtype=np.bool_)


def _all(masks: Iterable[Mask]) -> Mask:
    made: Mask = np.logical_and.reduce(list(masks))
    return made


def _rows(index: Index, use_ok: Mask, rest: Iterable[Mask]) -> Mask | None:
    masks = list(rest)
    if not use_ok.all():
        masks.append(use_ok[index.use])
    return _all(masks) if masks else None


def _any(column: Coded, values: Sequence[str]) -> Mask:
    made: Mask = np.logical_or.reduce([column.of(v) for v in values])
    return made


def _whole(index: Index, filter_: Filter) -> Mask | None:
    masks = []
    if filter_.project:
        masks.append(index.project.of(filter_.project))
    if filter_.case:
        masks.append(index.case.of(filter_.case))
    return _all(masks) if masks else None


def _text(index: Index, text: str) -> Mask | None:
    """Rows whose project or works code, case number or key contains the text."""
    if not text:
        return None
    key = index.frame["key"].str.contains(text, literal=True).fill_null(value=False).to_numpy()
    made: Mask = key | index.project.containing(text) | index.case.containing(text)
    return made


def _by_use(
    uses: Sequence[StoredUse], per_use: Ints, open_: Mapping[str, Mask], name: str
) -> dict[str, int]:
    """Counts of one facet with all others applied."""
    others = _all([m for n, m in open_.items() if n != name])
    made: dict[str, int] = {}
    for number in np.flatnonzero(others & (per_use > 0)).tolist():
        value = BY_USE[name](uses[number])
        made[value] = made.get(value, 0) + int(per_use[number])
    return made


def _named(column: Coded, mask: Mask | None) -> dict[str, int]:
    counts = column.counts(mask)
    return {column.values[i]: int(counts[i]) for i in np.flatnonzero(counts).tolist()}


def facets(chosen: Chosen, filter_: Filter, names: Titles, run: str) -> tuple[Facet, ...]:
    """The facets of a filter, in the order people narrow by."""
    titles: dict[str, tuple[Text, Callable[[str], Text]]] = {
        "severity": (phrases.SEVERITY_WORD, lambda v: phrases.SEVERITY[Severity(v)]),
        "stage": (phrases.STAGE, lambda v: phrases.NO_STAGE if v == "-" else names.stage(v)),
        "rule": (phrases.RULE, names.rule),
        "table": (phrases.TABLE, lambda v: table_title(names, v)),
        "division": (words.DIVISION, lambda v: Text(v, v)),
        "department": (words.DEPARTMENT, lambda v: Text(v, v)),
    }
    made = []
    for name, (title, of) in titles.items():
        counts = dict(chosen.counts[name])
        for value in getattr(filter_, name):
            counts.setdefault(value, 0)
        if not counts:
            continue
        made.append(_facet(name, title, of, counts, filter_, run))
    return tuple(made)


def _facet(
    name: str,
    title: Text,
    of: Callable[[str], Text],
    counts: Mapping[str, int],
    filter_: Filter,
    run: str,
) -> Facet:
    order = list(Severity)
    ranked = sorted(counts.items(), key=lambda c: (-c[1], c[0]))
    if name == "severity":
        ranked.sort(key=lambda c: order.index(Severity(c[0])) if c[0] in order else 9)
    have = getattr(filter_, name)
    choices = [
        Choice(v, _safe(of, v), n, v in have, address("/violations", run, filter_.toggled(name, v)))
        for v, n in ranked
    ]
    shown = [c for i, c in enumerate(choices) if i < SHOWN or c.chosen]
    return Facet(name, title, tuple(shown), len(choices) - len(shown))


def _safe(of: Callable[[str], Text], value: str) -> Text:
    """The title of a value; a value nobody knows (from an old address) is its own title."""
    try:
        return of(value)
    except (KeyError, ValueError):
        return Text(value, value)


def table_title(names: Titles, qualified: str) -> Text:
    """Chinese or English title of a table; one that no pack names is its own title."""
    if qualified == "-":
        return phrases.NO_TABLE
    found = names.table(qualified)
    bare = qualified.rpartition("/")[2]
    return found if found is not None else Text(bare, bare)
