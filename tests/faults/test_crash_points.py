"""The 24 crash points of docs/reliability.md: each has its tests, every hook of the code is named,
and those that need a moment of their own are here: killed in the middle of a request, of rows, of a
commit, of a migration; a clock that is set."""

from __future__ import annotations

import ast
import asyncio
import re
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pushing
import pytest
from front_databases import SERVERS, Front, front_database
from oracle import Nights, Stand, findings
from places import rest
from proxy import Proxy
from pushes import KILLED, ROOT, Zygote, zygote

from pusher import crash
from pusher.ledger import open_ledger
from pusher.ledger.database import Sqlite, scripts
from pusher.sandbox.collector import Collector
from pusher.sandbox.script import Script
from pusher.sandbox.server import Sandbox, SandboxSettings

EVERY = (*crash.POINTS, *crash.OTHER_POINTS, *crash.INBOUND_POINTS)
ROW = re.compile(r"^\| *C([0-9]+) *\|(.*)\|$", re.M)
TEST = re.compile(r"`([a-z_/]+)::([a-z_0-9]+)`")
HOOK = re.compile(r"`([a-z_]+)`")


# -- the table --------------------------------------------------------------------------------


def test_the_table_names_24_points_and_tests_that_exist() -> None:
    rows = {int(number): cells for number, cells in ROW.findall(_table())}
    assert sorted(rows) == list(range(1, 25))
    for number, cells in rows.items():
        named = TEST.findall(cells)
        assert named, f"C{number} names no test"
        for file, name in named:
            tree = ast.parse((ROOT / "tests" / f"{file}.py").read_text(encoding="utf-8"))
            functions = (ast.FunctionDef, ast.AsyncFunctionDef)
            found = {n.name for n in ast.walk(tree) if isinstance(n, functions)}
            assert name in found, f"C{number}: no test {name} in tests/{file}.py"


def test_every_hook_of_the_code_is_named_and_told() -> None:
    code = {
        point
        for package in ("pusher", "spgl")
        for path in (ROOT / package).rglob("*.py")
        for point in re.findall(r'crash\.at\("(\w+)"\)', path.read_text(encoding="utf-8"))
    }
    assert code == set(EVERY), "name it in pusher/crash.py, or take it out there"
    told = set(HOOK.findall(_table()))
    assert set(EVERY) <= told, f"docs/reliability.md does not tell {set(EVERY) - told}"


def _table() -> str:
    return (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")


# -- over HTTP ----------------------------------------------------------------------------------


@asynccontextmanager
async def http(
    folder: Path, script: Script | None = None
) -> AsyncIterator[tuple[Sandbox, Proxy, Zygote]]:
    sandbox = Sandbox(SandboxSettings(store=folder / "sandbox.db"), script or Script())
    async with sandbox:
        port = int(sandbox.url.rpartition(":")[2])
        async with Proxy("127.0.0.1", port, Random(1)) as proxy:
            order = {"ledger": str(folder / "ledger.db"), "kind": "http"}
            address = f"http://127.0.0.1:{proxy.port}"
            async with zygote(**order, address=address) as pushes:
                yield sandbox, proxy, pushes


def stood(sandbox: Sandbox) -> Stand:
    return Stand(sandbox.store.effects(), sandbox.store.held())


async def killed_while(pushes: Zygote, night: int, said: asyncio.Event) -> None:
    """Start a push, kill it when `said` is set."""
    running = await pushes.start({**pushes.order, "night": night, "seed": 1})
    async with asyncio.timeout(30):
        await said.wait()
    running.kill()
    assert await running.ended == KILLED


async def finish(pushes: Zygote, night: int) -> None:
    assert await pushes.push(night, 1, kill_after=None) == 0


@pytest.mark.asyncio
async def test_killed_in_the_middle_of_a_request(tmp_path: Path) -> None:
    """C3: the target has seen the head and half of a body."""
    async with http(tmp_path) as (sandbox, proxy, pushes):
        said = asyncio.Event()

        def halve(piece: bytes) -> bool:
            if b"POST" in piece:
                said.set()
            return not said.is_set()

        proxy.watch = halve
        await killed_while(pushes, 0, said)
        assert sandbox.store.effects() == []
        proxy.watch = None
        await finish(pushes, 0)
        assert findings(stood(sandbox), tmp_path / "ledger.db", Nights(0)) == []


@pytest.mark.asyncio
async def test_killed_between_request_and_answer(tmp_path: Path) -> None:
    """C4: the target took the batches, the pusher never heard of it."""
    async with http(tmp_path) as (sandbox, proxy, pushes):
        proxy.mute, taken = True, asyncio.Event()
        watching = asyncio.create_task(_until(lambda: bool(sandbox.store.effects()), taken))
        await killed_while(pushes, 0, taken)
        await watching
        assert sandbox.store.effects()
        proxy.mute = False
        await finish(pushes, 0)
        assert sandbox.store.counts()["repeats"] == 0
        assert findings(stood(sandbox), tmp_path / "ledger.db", Nights(0)) == []


async def _until(true: Callable[[], bool], event: asyncio.Event) -> None:
    while not true():  # noqa: ASYNC110 - the store has no event
        await asyncio.sleep(0.01)
    event.set()


@pytest.mark.asyncio
async def test_killed_while_a_batch_is_cut_in_two(tmp_path: Path) -> None:
    """C13: the target takes no more than five records, the batches have eight."""
    async with http(tmp_path, Script(max_records=5)) as (sandbox, _, pushes):
        for night in range(2):
            for count in (1, 2):
                assert await pushes.push(night, 1, kill_after=None, at=f"halved:{count}") == KILLED
            await finish(pushes, night)
        assert findings(stood(sandbox), tmp_path / "ledger.db", Nights(1)) == []


@pytest.mark.asyncio
@pytest.mark.parametrize("jump", [3600.0, -3600.0, 86_400.0, -86_400.0])
async def test_a_clock_that_is_set_loses_and_doubles_nothing(tmp_path: Path, jump: float) -> None:
    """C19: forward or back by an hour or a day, in the middle of a push that is then killed."""
    async with http(tmp_path) as (sandbox, _, pushes):
        wrong = {"jump": jump, "jump_after": 0.0}
        assert await pushes.push(0, 1, kill_after=None, at="answered:3", **wrong) == KILLED
        assert await pushes.push(0, 1, kill_after=None, **wrong) in (0, 75)
        assert await pushes.push(1, 1, kill_after=None, ahead=2 * 86_400.0) == 0
        assert findings(stood(sandbox), tmp_path / "ledger.db", Nights(1)) == []


# -- into a server ------------------------------------------------------------------------------


@pytest.fixture(params=SERVERS)
def front(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Front]:
    with front_database(request.param, tmp_path) as made:
        yield made


@asynccontextmanager
async def exchange(
    front: Front, folder: Path, proxy: Proxy | None = None
) -> AsyncIterator[tuple[Collector, Zygote]]:
    collector = Collector(front.settings, pushing.packs(), Script())
    url = front.engine.url if proxy is None else front.engine.url.set(port=proxy.port)
    order = {"ledger": str(folder / "ledger.db"), "kind": "exchange_db"}
    async with zygote(**order, address=url.render_as_string(hide_password=False)) as pushes:
        yield collector, pushes
    rest(collector)
    found = Stand(collector.effects(), collector.held(), replaces=False)
    collector.close()
    assert findings(found, folder / "ledger.db", Nights(1)) == []


@pytest.mark.asyncio
async def test_killed_between_the_rows_of_a_transaction(front: Front, tmp_path: Path) -> None:
    """C8, C12: rows take their time, some are new ones beside their tombstones; none remains of a
    transaction whose client was killed."""
    async with exchange(front, tmp_path) as (collector, pushes):
        await finish(pushes, 0)
        rest(collector)
        slow(front)
        before = total(front)
        deaths = [await pushes.push(1, 1, kill_after=delay) for delay in (0.3, 0.5)]
        assert KILLED in deaths
        assert total(front) >= before
        slow(front, end=True)
        await finish(pushes, 1)


@pytest.mark.asyncio
async def test_killed_before_and_during_a_commit(front: Front, tmp_path: Path) -> None:
    """C9, C10: at the hook, and when the word COMMIT has gone and no answer comes back."""
    url = front.engine.url
    async with (
        Proxy(str(url.host), int(url.port or 0), Random(1)) as proxy,
        exchange(front, tmp_path, proxy) as (_, pushes),
    ):
        assert await pushes.push(0, 1, kill_after=None, at="written:2") == KILLED
        said, inserted = asyncio.Event(), False

        def listen(piece: bytes) -> bool:
            nonlocal inserted
            inserted |= b"INSERT" in piece
            if inserted and b"COMMIT" in piece.upper():
                proxy.mute = True
                said.set()
            return True

        proxy.watch = listen
        await killed_while(pushes, 0, said)
        proxy.watch, proxy.mute = None, False
        await finish(pushes, 0)
        await finish(pushes, 1)


def slow(front: Front, *, end: bool = False) -> None:
    """Let each new row take 100 ms at the server, or no longer."""
    for name in ("SPGL_XMJBXXB", "SPGL_XMSPSXBLXXB"):
        table, trigger = front.name(name), front.name(f"SLOW_{name}")
        if front.engine.dialect.name == "postgresql":
            if end:
                front.run(f"DROP TRIGGER {trigger} ON {table}")
                continue
            body = "BEGIN PERFORM pg_sleep(0.1); RETURN NEW; END"
            front.run(
                f"CREATE OR REPLACE FUNCTION slow() RETURNS trigger AS $$ {body} $$"
                " LANGUAGE plpgsql",
                f"CREATE TRIGGER {trigger} BEFORE INSERT ON {table}"
                " FOR EACH ROW EXECUTE FUNCTION slow()",
            )
        elif end:
            front.run(f"DROP TRIGGER {trigger}")
        else:
            front.run(
                f"CREATE TRIGGER {trigger} BEFORE INSERT ON {table}"
                " FOR EACH ROW SET @slow = SLEEP(0.1)"
            )


def total(front: Front) -> int:
    found = front.rows(f"SELECT COUNT(*) FROM {front.name('SPGL_XMSPSXBLXXB')}")[0][0]
    assert isinstance(found, int)
    return found


# -- the ledger ----------------------------------------------------------------------------------


@pytest.mark.asyncio
async def test_killed_while_a_ledger_is_brought_up_to_date(tmp_path: Path) -> None:
    """C17: from an empty file and from the first schema, at every step."""
    path, steps = tmp_path / "ledger.db", len(scripts())
    async with http(tmp_path) as (sandbox, _, pushes):
        assert await pushes.push(0, 1, kill_after=None, at="migrating:1") == KILLED
        path.unlink(missing_ok=True)
        Sqlite(path, scripts()[:1]).close()
        for _ in range(steps - 1):  # each time one step is taken back
            assert await pushes.push(0, 1, kill_after=None, at="migrating:1") == KILLED
        await finish(pushes, 0)
        assert findings(stood(sandbox), path, Nights(0)) == []
    open_ledger(path).close()
