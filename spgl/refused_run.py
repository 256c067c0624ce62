"""Refusals kept as a run of their own, and what our rules had said of the same records before.

A stored run of refusals stands beside the validation run that it follows; nothing is judged here.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import orjson

from spgl import checking, mapping
from spgl.cli import Call
from validator.pack import Packs, Table
from validator.text import Text

if TYPE_CHECKING:
    import polars as pl

    from pusher.ledger.refusals import Refused
    from pusher.target import Target
    from validator.finding import Veil
    from validator.store import Writer


def store(
    call: Call, target: Target, packs: Packs, run_id: str, since: datetime, rows: Sequence[Refused]
) -> str:
    """Keep the refusals as a run; its id."""
    from validator.counting import pack_line
    from validator.finding import Veil
    from validator.rules import refused_by_target
    from validator.run import RuleCount, Run, TableCounts
    from validator.store import Writer

    veil = Veil(
        getattr(call.args, "show_personal", False),
        checking.fingerprint_key(call.settings.state_dir, keep=True),
    )
    writer = Writer(call.settings.state_dir / "runs" / run_id)
    tables: dict[str, TableCounts] = {}
    counts: list[RuleCount] = []
    uses = []
    for name, group in groupby(rows, key=lambda row: row.table):
        table, mine = packs.table(name), list(group)
        use = refused_by_target.use_of(table)
        uses.append(use)
        _write(writer, table, len(uses) - 1, mine, veil)
        n = len(mine)
        tables[name] = TableCounts(table.title, table.stage, read=n, blocked=n, errors=n)
        counts.append(RuleCount(use.rule, str(use.severity), name, table.stage, n))
    head = Run(
        id=run_id,
        started=since.isoformat(),
        finished=datetime.now().astimezone().isoformat(),
        inputs=(f"target:{target.name}",),
        packs=tuple(pack_line(p) for p in packs),
        tables=tables,
        counts=tuple(counts),
        notes=(_NOTE.fill({"target": target.name}),),
        held={refused_by_target.NAME: len(rows)},
    )
    writer.finish(head, packs, uses)
    return run_id


def _write(writer: Writer, table: Table, use: int, rows: Sequence[Refused], veil: Veil) -> None:
    writer.add(writer.group(table.qualified, None), _frame(table, use, rows, veil))


def _frame(table: Table, use: int, rows: Sequence[Refused], veil: Veil) -> pl.DataFrame:
    """Refusals as the store keeps violations; numbers of persons in a reason are covered."""
    import polars as pl

    from pusher.transports.answer import mask
    from validator.finding import STORED, WHOSE, fingerprint
    from validator.rules.refused_by_target import use_of

    of = use_of(table)
    made: list[dict[str, object]] = []
    for row in rows:
        there = {**row.known, **row.key, "XZQHDM": row.division}
        reason = mask(row.reason)
        made.append(
            {
                "use": use,
                "record": None,
                "line": None,
                "value": reason,
                "key": orjson.dumps(veil.pairs(table, row.key)).decode(),
                "params": None,
                "fingerprint": fingerprint(
                    of, table, veil.hashed(table, row.key), {"SBYY": reason}
                ),
                **{name: _first(there, fields) for name, fields in WHOSE.items()},
            }
        )
    return pl.DataFrame(made, schema=STORED)


def _first(there: dict[str, str], fields: Iterable[str]) -> str | None:
    return next((there[name] for name in fields if there.get(name)), None)


def spoken(
    call: Call, packs: Packs, rows: Sequence[Refused], known: mapping.Mapping
) -> frozenset[int]:
    """The refused versions of which the mapped rule had spoken in the run that entered them."""
    from validator.finding import Veil

    veil = Veil(False, b"")
    wanted: dict[str, dict[tuple[str, str, str], list[int]]] = {}
    for row in rows:
        rule = known.rule(row.reason)
        if rule:
            key = orjson.dumps(
                veil.pairs(packs.table(row.table), row.key), option=orjson.OPT_SORT_KEYS
            ).decode()
            wanted.setdefault(row.run, {}).setdefault((row.table, rule, key), []).append(row.handle)
    found: set[int] = set()
    for run, asked in wanted.items():
        found.update(_spoken_in(call.settings.state_dir / "runs" / run, asked))
    return frozenset(found)


def _spoken_in(folder: Path, asked: dict[tuple[str, str, str], list[int]]) -> Iterable[int]:
    from validator.records import SourceError
    from validator.store import open_run

    try:
        stored = open_run(folder)
    except SourceError:  # not kept
        return
    rules = {rule for _, rule, _ in asked}
    for violation in stored.violations():
        if violation.rule in rules:
            key = orjson.dumps(dict(violation.key), option=orjson.OPT_SORT_KEYS).decode()
            table = f"{violation.standard}/{violation.table}"
            yield from asked.get((table, violation.rule, key), ())


_NOTE = Text(
    "国家系统（目标 {target}）的退回意见，不是本程序的检查结果",
    "refusals by the target {target}, not findings of our own checks",
)
