"""The ledger: entering, books, migrations, questions, acts; and a machine that tries everything."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import stat
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from ledger_values import CASES, PROJECTS, START, Fault, Memory, Time, packs, record, world

from pusher.delivery import deliver
from pusher.ledger import (
    Books,
    LedgerError,
    Selector,
    adopt,
    content,
    enter,
    held,
    hold,
    intake,
    known,
    life,
    list_rows,
    open_ledger,
    outbox,
    outcome,
    retry,
    status,
    verdicts,
    waiting,
    withdraw,
)
from pusher.ledger.content import Contents, purge
from pusher.ledger.core import Ledger
from pusher.ledger.database import Sqlite, scripts
from pusher.ledger.outbox import claim
from pusher.ledger.outcome import recover
from pusher.retry import Schedule
from pusher.states import IllegalTransition, State
from pusher.target import Target
from pusher.transport import Batch, Failure, TransportError
from tests.ledgers import ENGINES, ledger_on
from validator.records import Operation, Record, Standing
from validator.text import Text

TARGET = Target("national")


@pytest.fixture(params=ENGINES)
def ledger(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Ledger]:
    with ledger_on(request.param, tmp_path) as made:
        yield made


def entered(ledger: Ledger, *records: Record, run: str = "r1") -> Books:
    books = enter(ledger, records, TARGET, run, START)
    assert books.balanced
    ledger.balance()
    ledger.audit()
    return books


def sent(
    ledger: Ledger, memory: Memory, run: str = "r1", *, target: Target = TARGET
) -> dict[State, int]:
    done = asyncio.run(deliver(ledger, target, memory, packs(), run_id=run, world=world()))
    return dict(done.states)


def standing(ledger: Ledger) -> list[tuple[str, int, str, str]]:
    """(key, sequence, state, note) of every version, in order of entering."""
    return [
        (next(iter(e.key.values())), e.sequence, str(e.state), e.note)
        for e in list_rows(ledger, Selector())
    ]


# -- entering ----------------------------------------------------------------------------------


def test_every_record_read_is_in_exactly_one_book(ledger: Ledger) -> None:
    rows = [
        record("a"),
        record("b", standing=Standing.BLOCKED, blocked_by=("required", "code-not-in-list")),
        record("c", standing=Standing.SKIPPED),
        record("a", standing=Standing.DUPLICATE),
        record("d", operation=Operation.INVALIDATE),
    ]
    books = enter(ledger, rows, TARGET, "r1", START, unreadable=3)
    assert books == Books(read=8, unreadable=3, skipped=2, duplicate=1, blocked=1, entered=1)
    assert standing(ledger) == [
        ("a", 1, "queued", ""),
        ("b", 1, "blocked", "required, code-not-in-list"),
    ]
    assert status(ledger).runs[0].books["read"] == 8


def test_the_same_content_is_unchanged_whatever_the_order_of_fields(ledger: Ledger) -> None:
    entered(ledger, record("a", X="1", Y="2"))
    assert entered(ledger, record("a", Y="2", X="1"), run="r2").unchanged == 1


def test_an_unsent_version_is_superseded(ledger: Ledger) -> None:
    for run, value in enumerate("123"):
        assert entered(ledger, record("a", X=value), run=f"r{run}").entered == 1
    assert standing(ledger) == [
        ("a", 1, "withdrawn", "superseded"),
        ("a", 2, "withdrawn", "superseded"),
        ("a", 3, "queued", ""),
    ]


def test_two_versions_in_one_export_leave_the_later(ledger: Ledger) -> None:
    assert entered(ledger, record("a", X="1"), record("a", X="2")).entered == 2
    assert [row[2] for row in standing(ledger)] == ["withdrawn", "queued"]


def test_a_refused_version_is_not_sent_again_by_itself(ledger: Ledger) -> None:
    memory = Memory(refuse=lambda key: "不符合要求")
    entered(ledger, record("a"))
    assert sent(ledger, memory) == {State.REJECTED: 1}
    books = entered(ledger, record("a"), run="r2")
    assert (books.unchanged, books.refused) == (1, 1)
    assert entered(ledger, record("a", X="better"), run="r3").entered == 1


def test_a_held_back_version_is_kept_once_and_released_when_it_conforms(ledger: Ledger) -> None:
    bad = record("a", standing=Standing.BLOCKED, blocked_by=("dangling-reference",))
    for run in range(3):
        assert entered(ledger, bad, run=f"r{run}").blocked == 1
    assert standing(ledger) == [("a", 1, "blocked", "dangling-reference")]
    assert entered(ledger, record("a"), run="r4").entered == 1
    assert standing(ledger) == [("a", 1, "queued", "")]


def test_what_was_queued_and_no_longer_conforms_is_taken_back(ledger: Ledger) -> None:
    entered(ledger, record("a"))
    assert entered(ledger, record("a", standing=Standing.BLOCKED), run="r2").blocked == 1
    assert standing(ledger) == [("a", 1, "blocked", "required")]
    assert entered(ledger, record("a"), run="r3").entered == 1
    assert standing(ledger) == [("a", 1, "queued", "")]


def test_a_held_back_version_goes_when_the_source_no_longer_has_it(ledger: Ledger) -> None:
    entered(ledger, record("a", X="good"))
    entered(ledger, record("a", X="bad", standing=Standing.BLOCKED), run="r2")
    assert [row[2] for row in standing(ledger)] == ["queued", "blocked"]
    assert entered(ledger, record("a", X="good"), run="r3").unchanged == 1
    assert [row[2] for row in standing(ledger)] == ["queued", "withdrawn"]


def test_a_key_conflict_does_not_grow_the_ledger_night_after_night(ledger: Ledger) -> None:
    pair = record("a", X="1"), record("a", X="2", standing=Standing.BLOCKED)
    for run in range(4):
        entered(ledger, *pair, run=f"r{run}")
    assert standing(ledger) == [("a", 1, "queued", ""), ("a", 2, "blocked", "required")]


def test_deleting_what_was_never_sent_withdraws_it_and_lets_it_return(ledger: Ledger) -> None:
    entered(ledger, record("a"))
    gone = record("a", operation=Operation.INVALIDATE)
    assert entered(ledger, gone, run="r2").skipped == 1
    assert standing(ledger) == [("a", 1, "withdrawn", "superseded")]
    assert entered(ledger, record("a"), run="r3").entered == 1
    assert sent(ledger, Memory()) == {State.WITHDRAWN: 1, State.ACCEPTED: 1}


def test_new_content_of_a_record_a_person_holds_is_held(ledger: Ledger) -> None:
    entered(ledger, record("a", X="1"))
    hold(ledger, Selector(key={"GCDM": "a"}), "engineer", START)
    entered(ledger, record("a", X="2"), run="r2")
    assert [row[2] for row in standing(ledger)] == ["withdrawn", "held"]
    retry(ledger, Selector(states=(State.HELD,)), "engineer", START)
    assert sent(ledger, Memory()) == {State.WITHDRAWN: 1, State.ACCEPTED: 1}


def test_a_new_version_waits_for_the_one_in_flight(ledger: Ledger) -> None:
    memory = Memory()
    entered(ledger, record("a", X="1"))
    claims = claim(ledger, TARGET, [PROJECTS], 1, START, 10)
    assert len(claims) == 1, "the process dies with this batch on its way"
    memory._take(claims[0].batch)
    entered(ledger, record("a", X="2"), run="r2")
    assert [row[2] for row in standing(ledger)] == ["sending", "waiting"]
    assert sent(ledger, memory, "r2") == {State.ACCEPTED: 2}
    assert [fields["X"] for _, _, fields in memory.effects] == ["1", "2"]


def test_new_records_do_not_wait_until_every_doubt_is_settled(ledger: Ledger) -> None:
    single = replace(TARGET, batch_records=1)
    entered(ledger, *(record(f"old{i}") for i in range(40)))
    assert len(claim(ledger, single, [PROJECTS], 1, START, 40)) == 40, "dies with them on their way"
    with ledger.transaction():
        assert recover(ledger, single, START) == 40
    entered(ledger, *(record(f"new{i}") for i in range(3)), run="r2")
    claims = claim(ledger, single, [PROJECTS], 2, START, 8)
    assert [c.doubtful for c in claims] == [True] * 6 + [False] * 2
    claims = claim(ledger, single, [PROJECTS], 2, START, 8)
    assert sorted(c.doubtful for c in claims) == [False] + [True] * 7, "doubts fill what is left"


@pytest.mark.parametrize("certain", [True, False])
def test_what_was_superseded_in_flight_and_never_arrived(ledger: Ledger, certain: bool) -> None:
    """Not sent where the target's word is proof; else a copy may still arrive, so it goes first."""
    entered(ledger, record("a", X="1"))
    claim(ledger, TARGET, [PROJECTS], 1, START, 10)
    entered(ledger, record("a", X="2"), run="r2")
    memory = Memory(certain=certain)
    stands = {State.WITHDRAWN: 1, State.ACCEPTED: 1} if certain else {State.ACCEPTED: 2}
    assert sent(ledger, memory, "r2") == stands
    assert [fields["X"] for _, _, fields in memory.effects] == (["2"] if certain else ["1", "2"])


def gateway(times: int) -> Fault:
    """The target works, and the gateway before it says that it failed."""
    left = iter(range(times))

    def fault(batch: Batch) -> TransportError | None:
        if next(left, None) is None:
            return None
        return TransportError(Failure.ROLLED_BACK, "HTTP 502", "bad gateway")

    return fault


@pytest.mark.parametrize("gone", [True, False])
def test_a_failed_batch_that_may_have_had_effect_goes_out_unchanged(
    ledger: Ledger, gone: bool
) -> None:
    """A record of it changes or goes the next night: nothing has effect twice, nothing stays."""
    memory = Memory(after=gateway(1))
    quick = replace(TARGET, wait=0)
    entered(ledger, record("a", X="1"), record("b", X="1"))
    assert sent(ledger, memory, target=quick) == {State.QUEUED: 2}
    operation = Operation.INVALIDATE if gone else Operation.UPSERT
    entered(ledger, record("a", X="2", operation=operation), record("b", X="1"), run="r2")
    assert [row[2] for row in standing(ledger)] == ["queued", "queued", "waiting"]
    assert sent(ledger, memory, "r2") == {State.ACCEPTED: 3}
    effects = [(operation, key) for operation, key, _ in memory.effects]
    assert effects == [("upsert", "a"), ("upsert", "b"), (str(operation), "a")]
    ledger.audit()


def test_a_person_cannot_take_back_what_may_have_left(ledger: Ledger) -> None:
    memory = Memory(after=gateway(1))
    entered(ledger, record("a"))
    sent(ledger, memory, target=replace(TARGET, wait=0))
    for act in (withdraw, hold):
        made = act(ledger, Selector(key={"GCDM": "a"}), "engineer", START)
        assert made.moved == ()
        assert [why["en"] for _, why in made.left] == [
            "may have left; the answer of the target decides"
        ]
    entered(ledger, record("a", standing=Standing.BLOCKED), run="r2")
    assert [row[2] for row in standing(ledger)] == ["queued"], "the gate comes too late"


def test_entering_again_after_a_kill_gives_the_same_ledger(tmp_path: Path) -> None:
    rows = [record(f"p{i}", X=str(i % 3), parent=f"p{i + 1}") for i in range(5000)]

    def cut(where: int) -> Iterator[Record]:
        yield from rows[:where]
        raise KeyboardInterrupt

    whole, broken = open_ledger(tmp_path / "whole.db"), open_ledger(tmp_path / "broken.db")
    enter(whole, rows, TARGET, "r1", START, chunk=2000)
    for where in (100, 2500, 4100):
        with pytest.raises(KeyboardInterrupt):
            enter(broken, cut(where), TARGET, "r1", START, chunk=2000)
        broken.close()
        broken = open_ledger(tmp_path / "broken.db")
    books = enter(broken, rows, TARGET, "r1", START, chunk=2000)
    assert (books.unchanged, books.entered) == (4000, 1000)
    for table in ("version", "identity", "parent", "tally", "content"):
        sql = f"SELECT * FROM {table}"
        assert whole.db.rows(sql) == broken.db.rows(sql), table
    whole.audit()


# -- the file ----------------------------------------------------------------------------------


def test_only_the_owner_can_read_the_file(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "ledger.db"
    open_ledger(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_ledger_of_an_earlier_schema_is_migrated_with_its_data(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    entered(Ledger(Sqlite(path, scripts()[:1])), record("a"))
    later = (*scripts(), "ALTER TABLE run ADD COLUMN host TEXT;\nUPDATE run SET host = 'h';")
    ledger = Ledger(Sqlite(path, later))
    assert ledger.db.rows("SELECT name, host FROM run") == [("r1", "h")]
    assert ledger.db.rows("PRAGMA user_version") == [(len(later),)]
    assert sent(ledger, Memory()) == {State.ACCEPTED: 1}


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    entered(open_ledger(path), record("a"))
    broken = (*scripts(), "ALTER TABLE run ADD COLUMN host TEXT;\nUPDATE missing SET host = 'h';")
    with pytest.raises(LedgerError, match="no such table: missing"):
        Sqlite(path, broken)
    ledger = open_ledger(path)
    assert standing(ledger) == [("a", 1, "queued", "")]


def test_a_newer_schema_is_refused_with_one_line(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    Sqlite(path, (*scripts(), "ALTER TABLE run ADD COLUMN host TEXT")).close()
    known = len(scripts())
    words = f"has schema {known + 1}, this program knows {known}; upgrade spgl"
    with pytest.raises(LedgerError, match=words):
        open_ledger(path)


def test_a_file_that_is_no_ledger_is_refused_with_one_line(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_text("GCDM,XMMC\n" * 1000)
    with pytest.raises(LedgerError, match="cannot be used: file is not a database"):
        open_ledger(path)


def test_an_old_sqlite_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite3, "sqlite_version_info", (3, 34, 1))
    with pytest.raises(LedgerError, match=r"too old, the ledger needs 3\.35 or newer"):
        open_ledger(tmp_path / "ledger.db")


def test_books_that_do_not_balance_are_an_exception(ledger: Ledger) -> None:
    entered(ledger, record("a"), record("b"))
    with ledger.transaction():
        ledger.db.run("UPDATE tally SET n = n + 1")
    with pytest.raises(LedgerError, match="2 versions, 3 by state"):
        ledger.balance()
    with ledger.transaction():
        ledger.db.run("UPDATE tally SET n = n - 1")
        ledger.db.run("UPDATE version SET state = 'accepted' WHERE id = 1")
    ledger.balance()
    with pytest.raises(LedgerError):
        ledger.audit()


def test_a_version_that_is_not_where_it_was_said_to_be_stops_the_run(ledger: Ledger) -> None:
    entered(ledger, record("a"))
    place = ledger.place("national", PROJECTS)
    with pytest.raises(IllegalTransition), ledger.transaction():
        ledger.move(place, [1], State.QUEUED, State.ACCEPTED, START)
    with pytest.raises(IllegalTransition, match="no longer waiting"), ledger.transaction():
        ledger.move(place, [1], State.WAITING, State.QUEUED, START)
    ledger.audit()
    assert standing(ledger) == [("a", 1, "queued", "")]


def test_a_batch_whose_content_was_edited_is_never_sent(ledger: Ledger) -> None:
    entered(ledger, record("a"))
    claim(ledger, TARGET, [PROJECTS], 1, START, 10)
    with ledger.transaction():
        recover(ledger, TARGET, START)
        ledger.db.run("UPDATE version SET digest = ?", (b"\0",))
    with pytest.raises(LedgerError, match="no longer holds what was sent"):
        claim(ledger, TARGET, [PROJECTS], 1, START, 10)


def test_content_goes_after_its_time_and_the_next_change_names_what_is_kept(
    ledger: Ledger,
) -> None:
    memory = Memory()
    entered(ledger, record("a", XMMC="名称"))
    sent(ledger, memory)
    with ledger.transaction():
        assert purge(ledger, TARGET, START + timedelta(days=29)) == 0
    assert Contents(ledger).read(1) is not None
    with ledger.transaction():
        assert purge(ledger, TARGET, START + timedelta(days=31)) == 1
    assert Contents(ledger).read(1) is None
    assert entered(ledger, record("a", XMMC="名称"), run="r2").unchanged == 1
    entered(ledger, record("a", XMMC="新名"), run="r3")
    sent(ledger, memory, "r3")
    assert memory.sent[-1].parcels[0].previous == {"GCDM": "a"}


def test_no_statement_of_a_run_reads_a_whole_table(tmp_path: Path) -> None:
    ledger = open_ledger(tmp_path / "ledger.db")
    met = waiting._met(TARGET, "parent.hash")
    found = {"_DROP_MET": waiting._DROP_MET.format(met=met)}
    for module in (outbox, outcome, waiting, verdicts, content, held, intake):
        texts = {n: v for n, v in vars(module).items() if n.startswith("_") and isinstance(v, str)}
        found |= {n: v for n, v in texts.items() if v.split()[0] in ("SELECT", "UPDATE", "DELETE")}
    plans = {n: _plan(ledger, sql) for n, sql in found.items() if "{" not in sql}
    assert len(plans) > 20
    small = ("json_each", "place", " p", "parent", "VIRTUAL", "CONSTANT", "(subquery")
    for name, steps in plans.items():
        scans = [s for s in steps if s.startswith("SCAN") and not any(x in s for x in small)]
        assert not scans, f"{name}: {scans}"


def _plan(ledger: Ledger, sql: str) -> list[str]:
    values = (1,) * sql.count("?")
    return [row[3] for row in ledger.db.rows(f"EXPLAIN QUERY PLAN {sql}", values)]


# -- questions and acts --------------------------------------------------------------------------


def test_status_counts_by_table_and_state(ledger: Ledger) -> None:
    entered(ledger, record("a"), record("c", table=CASES, parent="a"))
    found = status(ledger, "national")
    assert found.counts == {
        ("national", PROJECTS, State.QUEUED): 1,
        ("national", CASES, State.WAITING): 1,
    }
    assert found.oldest == START
    assert status(ledger, "other").versions == 0


def test_rows_are_found_by_everything_a_person_may_know(ledger: Ledger) -> None:
    rows = [record("a"), record("b", division="441803"), record("c", table=CASES)]
    entered(ledger, *rows)
    entered(ledger, record("d", standing=Standing.BLOCKED, blocked_by=("100%_sure",)), run="r2")

    def keys(**given: object) -> str:
        found = list_rows(ledger, Selector(**given))  # type: ignore[arg-type]
        return "".join(value for e in found for value in e.key.values())

    assert keys() == "abcd"
    assert keys(table=CASES) == keys(table="SPGL_XMSPSXBLXXB") == "c"
    assert keys(states=(State.BLOCKED,)) == keys(run="r2") == keys(reason="100%_s") == "d"
    assert keys(reason="100_%") == ""
    assert keys(division="441803") == "b"
    assert keys(key={"GCDM": "a"}) == "a"
    assert keys(target="other") == ""
    assert [e.handle for e in list_rows(ledger, Selector(), limit=2, after=1)] == [2, 3]


def test_a_life_tells_everything_in_order(ledger: Ledger) -> None:
    memory = Memory(refuse=lambda key: "缺少材料")
    entered(ledger, record("a", X="1"))
    sent(ledger, memory)
    memory.refuse = lambda key: ""
    entered(ledger, record("a", X="2"), run="r2")
    sent(ledger, memory, "r2")
    story = life(ledger, "national", PROJECTS, {"GCDM": "a"})
    assert story is not None
    assert [(h.sequence, h.what) for h in story.timeline] == [
        (1, "entered"),
        (1, "sending"),
        (1, "attempt"),
        (1, "rejected"),
        (2, "entered"),
        (2, "sending"),
        (2, "attempt"),
        (2, "accepted"),
    ]
    assert story.versions[0].entry.note == "缺少材料"
    assert story.versions[1].entry.lsh == "L1"
    assert [t.outcome for v in story.versions for t in v.attempts] == ["rejected", "accepted"]
    assert life(ledger, "national", PROJECTS, {"GCDM": "nobody"}) is None


def test_acts_leave_alone_what_they_may_not_touch(ledger: Ledger) -> None:
    entered(ledger, record("a"), record("b"))
    sent(ledger, Memory(refuse=lambda key: "否" if key["GCDM"] == "a" else ""))
    act = retry(ledger, Selector(states=(State.REJECTED, State.ACCEPTED)), "x", START)
    assert [e.key["GCDM"] for e in act.moved] == ["a"]
    assert [(e.key["GCDM"], why) for e, why in act.left] == [
        ("b", Text("现为已接收", "is accepted"))
    ]
    act = withdraw(ledger, Selector(), "x", START)
    assert [e.key["GCDM"] for e in act.moved] == ["a"]
    ledger.audit()
    assert [row[2:] for row in standing(ledger)] == [
        ("withdrawn", "withdrawn by x"),
        ("accepted", ""),
    ]


def test_only_the_newest_version_of_a_record_is_retried(ledger: Ledger) -> None:
    memory = Memory(refuse=lambda key: "否")
    entered(ledger, record("a", X="1"))
    sent(ledger, memory)
    entered(ledger, record("a", X="2"), run="r2")
    act = retry(ledger, Selector(states=(State.REJECTED,)), "x", START)
    assert act.moved == ()
    assert [why["en"] for _, why in act.left] == ["a newer version was entered"]


def test_known_is_what_stands_at_the_target_or_is_on_its_way(ledger: Ledger) -> None:
    memory = Memory(refuse=lambda key: "否" if key.get("GCDM") == "refused" else "")
    entered(ledger, record("a"), record("refused"), record("gone"))
    sent(ledger, memory)
    entered(ledger, record("gone", operation=Operation.INVALIDATE), run="r2")
    sent(ledger, memory, "r2")
    entered(ledger, record("queued"), record("bad", standing=Standing.BLOCKED), run="r3")
    frame = known(ledger, "national")[PROJECTS]
    assert sorted(frame["GCDM"].to_list()) == ["a", "queued"]
    assert known(ledger, "other") == {}


def test_known_is_read_page_by_page(ledger: Ledger, monkeypatch: pytest.MonkeyPatch) -> None:
    """Records of several tables whose known columns differ, more than a page of them."""
    monkeypatch.setattr(sys.modules["pusher.ledger.known"], "_PAGE", 3)
    wide = [replace(record(f"w{i}"), known={"GCDM": f"w{i}", "ZBX": str(i)}) for i in range(4)]
    entered(ledger, *(record(f"p{i}") for i in range(5)), *wide, record("c", table=CASES))
    frames = known(ledger)
    assert frames.keys() == {PROJECTS, CASES}
    rows = dict(frames[PROJECTS].select("GCDM", "ZBX").iter_rows())
    assert rows == {**{f"p{i}": None for i in range(5)}, **{f"w{i}": str(i) for i in range(4)}}


def test_adopted_records_are_known_and_never_sent(ledger: Ledger) -> None:
    found = adopt(ledger, [record("a"), record("b")], TARGET, "adopt", START)
    assert (found.read, found.adopted) == (2, 2)
    books = entered(ledger, record("a"), record("b", X="new"), record("c", parent="a"))
    assert (books.unchanged, books.entered) == (1, 2)
    memory = Memory()
    assert sent(ledger, memory) == {State.ACCEPTED: 4}
    assert sorted(key for _, key, _ in memory.effects) == ["b", "c"]
    assert memory.sent[0].parcels[0].previous == {"GCDM": "b"}
    again = adopt(ledger, [record("a")], TARGET, "adopt2", START)
    assert (again.adopted, again.known) == (0, 1)


# -- a machine that tries everything ---------------------------------------------------------------

KEYS = ["p0", "p1", "c0", "c1"]


class Pushing(RuleBasedStateMachine):
    """Exports, pushes with faults, crashes: the target ends with what was exported last."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        self.ledger = open_ledger(self.folder / "ledger.db")
        self.memory = Memory()
        self.time = Time()
        self.wanted: dict[str, str | None] = {}
        self.run = 0

    def teardown(self) -> None:
        self.memory.before = self.memory.after = self.memory.asked = lambda batch: None
        for _ in range(4):
            self.time.now += timedelta(hours=3)
            self._deliver()
        wanted = {key: value for key, value in self.wanted.items() if value is not None}
        held = {key: fields["X"] for (_, key), fields in self.memory.rows.items()}
        # a case whose project was deleted before it could go waits for good
        stuck = {k for k in wanted if k[0] == "c" and self.wanted.get(f"p{k[1]}") is None}
        for key in set(wanted) - stuck:
            assert held.get(key) == wanted[key], key
        assert not set(held) - set(wanted) - {k for k in held if k in stuck}
        last: dict[str, object] = {}
        for operation, key, fields in self.memory.effects:
            assert last.get(key) != (operation, fields), "the same effect twice"
            last[key] = operation, fields
        self.ledger.close()
        shutil.rmtree(self.folder)

    @rule(
        rows=st.lists(
            st.tuples(st.sampled_from(KEYS), st.sampled_from(["1", "2", "3", "", "bad"])),
            min_size=1,
            max_size=4,
            unique_by=lambda row: row[0],
        )
    )
    def export(self, rows: Sequence[tuple[str, str]]) -> None:
        self.run += 1
        records = [self._record(key, value) for key, value in rows]
        books = enter(self.ledger, records, TARGET, f"r{self.run}", self.time())
        assert books.balanced
        for key, value in rows:
            if value != "bad":
                self.wanted[key] = value or None

    def _record(self, key: str, value: str) -> Record:
        case = key[0] == "c"
        return record(
            key,
            table=CASES if case else PROJECTS,
            parent=f"p{key[1]}" if case else None,
            operation=Operation.UPSERT if value else Operation.INVALIDATE,
            standing=Standing.BLOCKED if value == "bad" else Standing.CONFORMING,
            X=value,
        )

    @rule(seed=st.integers(0, 10_000), share=st.sampled_from([0.0, 0.3, 0.7]))
    def push(self, seed: int, share: float) -> None:
        rng = Random(seed)

        def maybe(*failures: Failure) -> object:
            def fault(batch: Batch) -> TransportError | None:
                hit = rng.random() < share
                return TransportError(rng.choice(failures), "scripted", "") if hit else None

            return fault

        doubt, away = Failure.IN_DOUBT, Failure.UNREACHABLE
        self.memory.before = maybe(doubt, away, Failure.ROLLED_BACK)  # type: ignore[assignment]
        self.memory.after = maybe(doubt)  # type: ignore[assignment]
        self.memory.asked = maybe(away)  # type: ignore[assignment]
        self._deliver()

    @rule(arrives=st.booleans())
    def crash(self, arrives: bool) -> None:
        """A process dies with claimed batches; they may have arrived."""
        claims = claim(self.ledger, TARGET, [PROJECTS, CASES], 1, self.time(), 3)
        for made in claims:
            if arrives and not made.doubtful:
                self.memory.before = self.memory.after = lambda batch: None
                self.memory._take(made.batch)
        self.ledger.close()
        self.ledger = open_ledger(self.folder / "ledger.db")

    def _deliver(self) -> None:
        self.run += 1
        quick = Target("national", batch_records=2, wait=1, retry=Schedule((0.5, 2.0), 10_000))
        made = deliver(
            self.ledger,
            quick,
            self.memory,
            packs(),
            run_id=f"r{self.run}",
            world=world(self.time, seed=self.run),
        )
        asyncio.run(made)

    @invariant()
    def balanced(self) -> None:
        self.ledger.balance()
        self.ledger.audit()


Pushing.TestCase.settings = settings(max_examples=12, stateful_step_count=12, deadline=None)
TestPushing = Pushing.TestCase
