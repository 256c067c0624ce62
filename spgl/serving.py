"""One target of a push: enter its records, deliver, read its verdicts, tell how it went."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import TYPE_CHECKING

from spgl import crew, deletions, planning, pushing, refusals
from spgl.checking import Checking
from spgl.cli import Call, Exit, gravest, is_temporary
from spgl.config import ConfigError
from spgl.routing import Route, Routes, heading
from validator.text import Text

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from pusher.ledger.core import Ledger
    from validator.pack import Packs
    from validator.records import Record
    from validator.run import Run


@dataclass(frozen=True, slots=True)
class Served:
    """How one target was served: its exit code, and whether the run was told to stop."""

    code: int
    stopped: bool = False


def each(
    call: Call, routes: Routes, serve: Callable[[Route], Served], *, sends: bool = True
) -> int:
    """Serve every target in turn; the gravest exit code. One that cannot be used is told and does
    not keep the others from being served, a word to stop does. `sends`: say what has no target.
    Raises ConfigError, LedgerError where there is one target only."""
    from pusher.ledger import LedgerError

    for notice in routes.notices if sends else ():
        print(f"spgl: {notice[call.lang]}", file=sys.stderr)
    codes = [int(Exit.FINE)]
    for number, route in enumerate(routes):
        if not routes.several:
            return serve(route).code
        print(heading(route, call.lang))
        try:
            served = serve(route)
        except (ConfigError, LedgerError) as fault:
            told = fault.text[call.lang] if isinstance(fault, LedgerError) else str(fault)
            print(f"spgl: {route.target.name}: {told}", file=sys.stderr)
            served = Served(Exit.INCOMPLETE if is_temporary(fault) else Exit.UNUSABLE)
        codes.append(served.code)
        left = routes.routes[number + 1 :]
        if served.stopped and left:
            names = ", ".join(r.target.name for r in left)
            print(_NOT_SERVED.fill({"names": names})[call.lang])
            codes.append(Exit.INCOMPLETE)
            break
    return gravest(*codes)


def check_free(ledger: Ledger, routes: Routes) -> None:
    """Look at once whether another run is at the only target, before an export is judged for long.
    Raises LedgerError."""
    from pusher.ledger.lock import run_lock

    for route in () if routes.several else routes:
        with run_lock(ledger, route.target):
            pass


def push(
    call: Call,
    ledger: Ledger,
    route: Route,
    made: Checking,
    run: Run,
    end: datetime | None,
    routes: Routes,
    *,
    fresh: bool,
) -> Served:
    """Enter what of the export is this target's and deliver it; with --dry-run only plan it.
    `fresh`: nothing is known to stand at the target. Raises ConfigError, LedgerError."""
    from pusher.ledger import enter
    from pusher.ledger.lock import run_lock

    now = datetime.now().astimezone()
    if fresh:
        _first_run(call, route, made)
    records, whole = _records(call, ledger, route, made, run, routes)
    unreadable = sum(t.unreadable for name, t in run.tables.items() if route.takes(name))
    if call.args.dry_run:
        return _plan(call, ledger, route, made, records, whole, unreadable)
    target = route.target
    several = routes.several
    with run_lock(ledger, target):  # from here on, so that no other run comes between
        books = enter(ledger, records, target, made.run_id, now, unreadable=unreadable)
        print(pushing.tell_books(books, call.lang))
        doubtful = _tell_snapshot(call, whole)
        served = deliver(
            call, ledger, route, made.packs, made.run_id, end, several=several, locked=True
        )
    return Served(gravest(doubtful, served.code), served.stopped)


def deliver(
    call: Call,
    ledger: Ledger,
    route: Route,
    packs: Packs,
    run_id: str,
    end: datetime | None,
    *,
    several: bool,
    locked: bool = False,
) -> Served:
    """Work off what the ledger holds for one target. Raises ConfigError, LedgerError."""
    began = datetime.now().astimezone() if several else None
    own = route.packs(packs)
    delivery = crew.deliver(call, ledger, route, own, run_id, until=end, locked=locked)
    print(pushing.tell(delivery, route.target, call.lang))
    named = f"{run_id}-{route.target.name}" if several else run_id
    refusals.show(call, ledger, route.target, own, named, began)
    return Served(pushing.exit_code(delivery), delivery.interrupted)


def _records(
    call: Call, ledger: Ledger, route: Route, made: Checking, run: Run, routes: Routes
) -> tuple[Iterable[Record], deletions.Snapshot | None]:
    """The records of a target, then what is to be deleted there. Raises ConfigError."""
    listed = _listed(call, ledger, route, made, routes)
    records: Iterable[Record] = made.view.records(route.records(made.checked, made.chosen))
    if not call.args.snapshot:
        return chain(records, listed), None
    chosen = frozenset(
        t for t in run.tables if route.takes(t) and (made.chosen is None or t in made.chosen)
    )
    whole = deletions.snapshot(call, ledger, route.target.name, run, chosen)
    return chain(whole.after(records), listed), whole


def _plan(
    call: Call,
    ledger: Ledger,
    route: Route,
    made: Checking,
    records: Iterable[Record],
    whole: deletions.Snapshot | None,
    unreadable: int,
) -> Served:
    from pusher.ledger.plan import plan

    now = datetime.now().astimezone()
    planned = plan(ledger, records, route.target, made.run_id, now, unreadable=unreadable)
    print(pushing.tell_books(planned.books, call.lang))
    doubtful = _tell_snapshot(call, whole)
    print(planning.tell_plan(planned, call.lang))
    return Served(doubtful)


def _tell_snapshot(call: Call, whole: deletions.Snapshot | None) -> int:
    if whole is None:
        return Exit.FINE
    print(deletions.tell(whole, call.lang))
    return Exit.UNUSABLE if whole.doubts else Exit.FINE


def _listed(
    call: Call, ledger: Ledger, route: Route, made: Checking, routes: Routes
) -> Sequence[Record]:
    """The records of this target to delete by list; none without one. Raises ConfigError, also for
    a table that no target of this run is sent: it would be passed over in silence."""
    if call.args.deletions is None:
        return ()
    path, name = call.args.deletions, route.target.name
    every = deletions.read_list(path, ledger, name, made.packs, call.lang)
    for record in every:
        if not any(one.takes(record.table) for one in routes):
            words = {"file": path, "line": record.record, "table": record.table}
            raise ConfigError(_NO_TARGET.fill(words)[call.lang])
    listed = [record for record in every if route.takes(record.table)]
    deletions.contradicted(route.records(made.checked, None), listed, call.lang)
    return listed


def _first_run(call: Call, route: Route, made: Checking) -> None:
    """An empty ledger must not send what an earlier system has sent already (decisions 2).

    Raises ConfigError naming the way out."""
    sent = sum(pushing.at_target(made.packs, r) for r in route.records(made.checked, None))
    if sent:
        paths = " ".join(str(p) for p in call.args.paths)
        states = {s: None for p in route.packs(made.packs) for s in p.exchange.accepted}
        words = {"sent": f"{sent:,}", "paths": paths, "states": ", ".join(states)}
        raise ConfigError(_ADOPT.fill(words)[call.lang])


_NO_TARGET = Text(
    "--deletions {file}:{line}：本次没有目标接收表 {table}，请去掉此行或换一个目标",
    "--deletions {file}:{line}: no target of this run is sent {table}; take the line out or name "
    "another target",
)
_NOT_SERVED = Text(
    "本次被中止，以下目标未处理，下次继续：{names}",
    "the run was stopped; these targets were not served, the next run does: {names}",
)
_ADOPT = Text(
    "台账为空，而导出中有 {sent} 条记录已在国家系统（SJSCZT 为 {states}）；"
    "请先运行 spgl ledger adopt {paths}",
    "the ledger is empty, yet {sent} records of the export stand at the target "
    "already (SJSCZT {states}); run spgl ledger adopt {paths} first",
)
