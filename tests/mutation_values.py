"""Ways to break one record of a clean city, each with what must be said of it.

A way changes the tables in place and tells the violations it calls for. It takes records that no
other way has touched, and cells that no rule over several records reads, so that a broken cell
breaks nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from random import Random

import engine_values

from validator.compiled import every_need
from validator.formats import FORMATS
from validator.load import DEFAULT_PACKS
from validator.pack import Field, FormatUse, Kind, Packs, Role, Table
from validator.plan import final_uses
from validator.rule import Use
from validator.rules import rules
from validator.violation import Severity

Record = dict[str, str]
Tables = dict[str, list[Record]]
EVENTS, CASES, PROJECTS = "SPGL_XMSPSXBLXXXXB", "SPGL_XMSPSXBLXXB", "SPGL_XMJBXXB"
ITEMS, PROCEDURES = "SPGL_SPSXJBXXB", "SPGL_XMSPSXBLTBCXXXB"
#: The business table of each national item code, for the rows whose case says it needs them.
BUSINESS = (
    "SPGL_JSYDGHXKXXB", "SPGL_JSGCGHXKXXB", "SPGL_JZGCSGXKXXB", "SPGL_JSGCJGYSBAXXB",
    "SPGL_JSGCXFSJSCXXB", "SPGL_JSGCXFYSXXB", "SPGL_JSGCXFYSBAXXB",
)  # fmt: skip
FIRE = ("0100000", "0140000", "0150000")


@cache
def packs() -> Packs:
    """The packs of the city; optional ones have no records in it."""
    return Packs(tuple(p for p in engine_values.packs() if p.name in DEFAULT_PACKS))


@dataclass(frozen=True, slots=True)
class Said:
    """A violation that a broken record calls for."""

    rule: str
    table: str
    record: Record
    fields: tuple[str, ...]


@dataclass(slots=True)
class Bench:
    """A city on which records are broken; `taken`: cases and projects that are broken already."""

    tables: Tables
    rng: Random
    taken: set[str] = field(default_factory=set)

    def free(self, table: str) -> Iterator[Record]:
        """Valid records of a table in random order whose case and works nobody has taken."""
        rows = [r for r in self.tables[table] if not {"SJYXBS", "SJSCZT"} & r.keys()]
        for record in self.rng.sample(rows, len(rows)):
            if not self._names(record) & self.taken:
                yield record

    def take(self, record: Record) -> None:
        self.taken |= self._names(record)

    @staticmethod
    def _names(record: Record) -> set[str]:
        named = {record[n] for n in ("SPSXSLBM", "STYWBH") if n in record}
        return named or {record.get("GCDM", record["DFSJZJ"])}

    def events(self, case: str) -> list[Record]:
        found = [e for e in self.tables[EVENTS] if e["SPSXSLBM"] == case]
        return sorted(found, key=lambda e: (e["BLSJ"], int(e["BLZT"])))

    def fire(self, case: str) -> bool:
        row = next(c for c in self.tables[CASES] if c["SPSXSLBM"] == case)
        item = (row["SPSXBM"], row["SPSXBBH"])
        of = next(i for i in self.tables[ITEMS] if (i["SPSXBM"], i["SPSXBBH"]) == item)
        return of["DYBZSPSXBM"] in FIRE


Way = Callable[[Bench], list[Said] | None]


@cache
def read_elsewhere(qualified: str) -> frozenset[str]:
    """Fields of a table that rules over several records read, and those of its key."""
    table = packs().table(qualified)
    names = {*table.key.fields, *(n for r in table.references for n in r.fields)}
    for need in every_need(packs()):
        if need.table == qualified:
            names |= {n for fields in need.identities for n in fields} | set(need.values)
    return frozenset(names)


@cache
def blocking(rule: str) -> tuple[tuple[Table, Use], ...]:
    """Uses of a field rule that block, in cells that nothing else reads."""
    return tuple(
        (table, use)
        for table in packs().tables()
        for use in final_uses(packs(), table, rules()[rule], {})
        if use.severity is Severity.ERROR and use.fields[0] not in read_elsewhere(table.qualified)
        and table.by_name[use.fields[0]].role is Role.BUSINESS
    )  # fmt: skip


def _cell(rule: str, spoil: Callable[[Field, Use, str], str | None]) -> Way:
    """Spoil one filled cell of a field that `rule` judges."""

    def way(bench: Bench) -> list[Said] | None:
        uses = blocking(rule)
        for table, use in bench.rng.sample(uses, len(uses)):
            name = use.fields[0]
            if table.name not in bench.tables:
                continue
            for record in bench.free(table.name):
                if name not in record or not _applies(use, record):
                    continue
                bad = spoil(table.by_name[name], use, record[name])
                if bad is None or _conditional(table, name):
                    break
                record[name] = bad
                bench.take(record)
                return [Said(rule, table.name, record, use.fields)]
        return None

    return way


def _applies(use: Use, record: Mapping[str, str]) -> bool:
    of = use.params.get("use")
    when = of.when if isinstance(of, FormatUse) else None
    return when is None or record.get(when.field) in when.values


def _conditional(table: Table, name: str) -> bool:
    """True where other cells of the record depend on this one."""
    formats = [u.when for f in table.fields for u in f.formats]
    marks = [m.when for f in table.fields for m in f.required]
    return any(w is not None and w.field == name for w in (*formats, *marks))


def _blank(_field: Field, _use: Use, _value: str) -> str | None:
    return ""


def _mistyped(of: Field, _use: Use, value: str) -> str | None:
    return None if of.kind is Kind.TEXT else f"约{value}"


def _miscoded(of: Field, _use: Use, _value: str) -> str | None:
    return "97" if of.kind is Kind.INTEGER else "～"


def _misshapen(_field: Field, _use: Use, value: str) -> str | None:
    return value[:-1] + "。"


def _slipped(_field: Field, use: Use, value: str) -> str | None:
    """Another last character, so that the shape stays."""
    of = use.params["use"]
    assert isinstance(of, FormatUse)
    wanted = [c for c in "0123456789ABCX" if c != value[-1]]
    shaped = [c for c in wanted if FORMATS[of.name].matches(value[:-1] + c)]
    return value[:-1] + shaped[0]


def drop_business_row(bench: Bench) -> list[Said] | None:
    """A completed case whose business row is not exported."""
    for table in bench.rng.sample(BUSINESS, len(BUSINESS)):
        for record in bench.free(table):
            bench.tables[table][:] = [r for r in bench.tables[table] if r is not record]
            bench.take(record)
            done = bench.events(record["SPSXSLBM"])[-1]
            return [Said("completed-case-without-business-row", EVENTS, done, ("BLZT", "SPSXSLBM"))]
    return None


def _plain_case(bench: Bench) -> list[Record] | None:
    """The events of a case that went 1, 3, 8, 11."""
    for event in bench.free(EVENTS):
        events = bench.events(event["SPSXSLBM"])
        if [e["BLZT"] for e in events] == ["1", "3", "8", "11"]:
            bench.take(event)
            return events
    return None


def drop_start(bench: Bench) -> list[Said] | None:
    """The start by a department is not exported."""
    events = _plain_case(bench)
    if events is None:
        return None
    bench.tables[EVENTS][:] = [e for e in bench.tables[EVENTS] if e is not events[2]]
    return _unstarted(bench, events[3])


def _unstarted(bench: Bench, done: Record) -> list[Said]:
    said = [Said("acceptance-without-start", EVENTS, done, ("BLZT", "BLSJ"))]
    if bench.fire(done["SPSXSLBM"]):
        said.append(Said("completed-case-without-event", EVENTS, done, ("BLZT", "SPSXSLBM")))
    return said


def swap_times(bench: Bench) -> list[Said] | None:
    """Start and completion with each other's times."""
    events = _plain_case(bench)
    if events is None or events[2]["BLSJ"] == events[3]["BLSJ"]:
        return None
    start, done = events[2], events[3]
    start["BLSJ"], done["BLSJ"] = done["BLSJ"], start["BLSJ"]
    return [Said("event-after-end", EVENTS, start, ("BLZT", "BLSJ")), *_unstarted(bench, done)]


def shuffle_events(bench: Bench) -> list[Said] | None:
    """The same events in another order of rows: times decide, nothing is said."""
    events = _plain_case(bench)
    if events is None:
        return None
    at = [i for i, e in enumerate(bench.tables[EVENTS]) if any(e is own for own in events)]
    for i, event in zip(at, bench.rng.sample(events, len(events)), strict=True):
        bench.tables[EVENTS][i] = event
    return []


def lose_parent(bench: Bench) -> list[Said] | None:
    """A document, material, opinion or party of a case that does not exist."""
    tables = ("SPGL_XMSQCLJQTFJXXB", "SPGL_XMSPSXZQYJXXB", "SPGL_XMSPSXPFWJXXB", "SPGL_ZRZTXXB")
    table = bench.rng.choice(tables)
    record = next(bench.free(table), None)
    if record is None:
        return None
    bench.take(record)
    record["SPSXSLBM"] = f"YC2099{bench.rng.randrange(10**9):09d}"
    return [Said("dangling-reference", table, record, ("SPSXSLBM",))]


def lose_project(bench: Bench) -> list[Said] | None:
    """A case of a project that does not exist; what hangs on the case waits without a word."""
    record = next(bench.free("SPGL_XMSPSXZQYJXXB"), None)
    if record is None:
        return None
    bench.take(record)
    record["GCDM"] = f"2099-990102-04-02-{bench.rng.randrange(10**6):06d}"
    return [Said("dangling-reference", "SPGL_XMSPSXZQYJXXB", record, ("GCDM",))]


def duplicate_key(bench: Bench) -> list[Said] | None:
    """A second row of one key with other content, at the end of the file."""
    for table in bench.rng.sample((*BUSINESS, PROJECTS, CASES), len(BUSINESS) + 2):
        for record in bench.free(table):
            bench.take(record)
            copy = {**record, "DFSJZJ": f"copy-{bench.rng.randrange(10**9)}"}
            bench.tables[table].append(copy)
            key = packs().named(table)[0].key.fields
            return [Said("duplicate-key", table, copy, key)]
    return None


WAYS: Mapping[str, Way] = {
    "blank": _cell("missing-value", _blank),
    "wrong type": _cell("wrong-type", _mistyped),
    "wrong code": _cell("code-not-in-list", _miscoded),
    "wrong shape": _cell("wrong-format", _misshapen),
    "wrong check digit": _cell("wrong-check-digit", _slipped),
    "drop business row": drop_business_row,
    "drop start": drop_start,
    "swapped times": swap_times,
    "shuffled events": shuffle_events,
    "lost parent": lose_parent,
    "lost project": lose_project,
    "duplicated key": duplicate_key,
}


def broken(tables: Tables, seed: int, each: int) -> dict[str, Sequence[Said]]:
    """Break the tables `each` times in every way; what each way calls for, by its name."""
    bench, found = Bench(tables, Random(seed)), {}
    for name, way in WAYS.items():
        made = [said for _ in range(each) if (said := way(bench)) is not None]
        found[name] = [one for said in made for one in said]
        assert len(made) > each // 2, f"no record left to break by {name}"
    return found
