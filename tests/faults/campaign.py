"""The fault campaign: random nights of kills, cuts, lost answers and wrong clocks, and an oracle.

`make faults RUNS=2000 SEED=1`. A run is one to four nights of a few dozen records into one target
(`KINDS`) from one ledger (`LEDGERS`), each pushed several times while something breaks, and in the
end once in peace; then source, ledger and target must agree (`oracle`). Each run has its own seed;
the line that repeats it is printed when it fails. A repeated run draws the same troubles, not the
same microsecond. A kill is no power failure: what the operating system has taken over survives it.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import shutil
import sys
import tempfile
import time
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import oracle
import pushing
from books import LEDGERS, Books, books
from places import Place, fresh, place
from pushes import KILLED, Zygote, zygote

from pusher import crash

KINDS = ("http", "sqlite", "mariadb", "postgresql")
POINTS = (*crash.POINTS, *crash.OTHER_POINTS)
#: Seconds after which a push that goes on is killed as well.
LONG = 8.0
#: Seconds an attempt has in a hasty push: less than a slow line takes.
HASTY = 0.1
#: By how far a clock may be set, and when the last pushes run: after every wait there can be.
HOUR, LATER = 3600.0, 4 * 86_400.0


@dataclass(slots=True)
class Tally:
    """What was done and what was found."""

    runs: int = 0
    records: int = 0
    done: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Run:
    """One run: its place, its two pushers, its draw."""

    place: Place
    books: Books
    first: Zygote
    second: Zygote
    rng: Random
    folder: Path
    tally: Tally
    nights: oracle.Nights
    problems: list[str] = field(default_factory=list)
    _ledger: dict[str, str] = field(default_factory=dict)

    async def play(self) -> list[str]:
        """Every night under trouble, the last one to its end in peace; what is wrong then."""
        await self.place.begin(self.folder, self.rng)
        self._ledger = await asyncio.to_thread(self.books.begin, self.folder)
        for night in range(self.nights.last + 1):
            for _ in range(self.rng.randint(1, 3)):
                await self._strike(night)
        await self.place.calm()
        await self._finish()
        if self.problems:
            return self.problems
        stand = await self.place.stand()
        self.tally.records += len(stand.effects)
        return await asyncio.to_thread(self.books.findings, stand, self.nights)

    async def _strike(self, night: int) -> None:
        kills = (self._killed, self._killed, self._at_a_point, self._at_a_point)
        strikes = (*kills, self._hit, self._two, self._in_peace)
        ahead = self.rng.choice((0.0, 0.0, HOUR, -HOUR))
        jump = self.rng.choice((0.0, 0.0, HOUR, -HOUR))
        self.tally.done["clocks set"] += bool(jump)
        how = {"ahead": ahead, "jump": jump, "jump_after": self.rng.uniform(0, 0.2)}
        how["timeout"] = self.rng.choice((pushing.TARGET.timeout, HASTY))
        await self.rng.choice(strikes)(night, how)
        await asyncio.to_thread(self.books.bury)

    async def _killed(self, night: int, how: dict[str, float]) -> None:
        self._ended(await self._push(self.first, night, self.rng.uniform(0, 0.3), how))

    async def _at_a_point(self, night: int, how: dict[str, float]) -> None:
        point = f"{self.rng.choice(POINTS)}:{self.rng.randint(1, 4)}"
        self._ended(await self._push(self.first, night, LONG, how, at=point))

    async def _hit(self, night: int, how: dict[str, float]) -> None:
        pushing_ = asyncio.create_task(self._push(self.first, night, LONG, how))
        await asyncio.sleep(self.rng.uniform(0.02, 0.3))
        cut = 0
        if self.rng.random() < 0.3:
            cut = await asyncio.to_thread(self.books.cut)
            self.tally.done["ledger sessions ended"] += cut
        if not cut:
            await self.place.hit(self.rng)
        self._ended(await pushing_, alone=not cut)

    async def _two(self, night: int, how: dict[str, float]) -> None:
        """Two pushes started at once, of which one may be killed."""
        self.tally.done["started two at once"] += 1
        after = self.rng.choice((LONG, self.rng.uniform(0, 0.3)))
        codes = await asyncio.gather(
            self._push(self.first, night, after, how), self._push(self.second, night, LONG, how)
        )
        for code in codes:
            self._ended(code, alone=False)

    async def _in_peace(self, night: int, how: dict[str, float]) -> None:
        self._ended(await self._push(self.first, night, LONG, how))

    async def _finish(self) -> None:
        for n in range(20):
            late = {"ahead": LATER + n * HOUR}
            code = await self._push(self.first, self.nights.last, None, late)
            self._ended(code)
            await asyncio.to_thread(self.books.bury)
            if code != 75:
                return
        self.problems.append("the last push never came to an end")

    async def _push(
        self,
        pusher: Zygote,
        night: int,
        kill_after: float | None,
        how: dict[str, float],
        at: str = "",
    ) -> int:
        self.tally.done["pushes"] += 1
        order = {**self._ledger, "kind": self.place.kind, "address": self.place.address}
        shape = {"projects": self.nights.projects, "shift": self.nights.shift}
        return await pusher.push(
            night,
            self.rng.randrange(1 << 30),
            kill_after=kill_after,
            at=at,
            **order,
            **shape,
            **how,
        )

    def _ended(self, code: int, *, alone: bool = True) -> None:
        """Killed, complete or not complete; refused only beside another push, or without its
        ledger."""
        self.tally.done["pushes killed"] += code == KILLED
        if code not in (0, 75, KILLED) and (alone or code != 2):
            self.problems.append(f"a push ended with {code}; see the errors of the campaign")


async def campaign(
    kinds: tuple[str, ...],
    runs: int,
    seed: int,
    folder: Path,
    ledgers: tuple[str, ...] = LEDGERS[:1],
) -> Tally:
    """All runs, ledgers and kinds in turn; every failure is told when it happens."""
    tally, began = Tally(), time.monotonic()
    errors = folder / "errors.txt"
    async with AsyncExitStack() as opened:
        places = [await opened.enter_async_context(place(k, folder, errors)) for k in kinds]
        kept = [opened.enter_context(books(name)) for name in ledgers]
        first = await opened.enter_async_context(zygote(errors))
        second = await opened.enter_async_context(zygote(errors))
        for n in range(runs):
            kind, number = kinds[n % len(kinds)], seed + n // len(kinds)
            at = number % len(ledgers)  # a repeated run has the ledger it had
            rng = Random(f"{kind} {number}")
            nights = oracle.Nights(rng.randint(0, 3), rng.randint(3, 6), rng.randrange(33))
            here = fresh(folder / "run")
            target = places[n % len(kinds)]
            run = Run(target, kept[at], first, second, rng, here, tally, nights)
            found = await run.play()
            tally.runs += 1
            if found:
                told = "; ".join(found[:4])
                again = f"make faults RUNS=1 SEED={number} KINDS={kind} LEDGERS={ledgers[at]}"
                tally.failed.append(f"{told}\n  again: {again}")
                print(f"FAILED {tally.failed[-1]}", flush=True)
                evidence = folder / f"failed-{kind}-{number}"
                shutil.copytree(here, evidence, dirs_exist_ok=True)
                target.keep(evidence)
            _progress(n + 1, runs, began, tally)
    for each in places:
        tally.done.update(each.happened)
    return tally


def _progress(done: int, runs: int, began: float, tally: Tally) -> None:
    if done % 25 and done != runs:
        return
    taken = time.monotonic() - began
    left = taken / done * (runs - done)
    print(
        f"{done}/{runs} runs, {tally.done['pushes killed']} kills, {len(tally.failed)} failed, "
        f"{taken / done:.2f} s a run, {left / 60:.0f} min left",
        flush=True,
    )


def told(tally: Tally) -> str:
    """The tally as lines."""
    lines = [f"{tally.runs} runs, {tally.records} effects, {len(tally.failed)} failed"]
    lines += [f"  {n:>7,} {name}" for name, n in sorted(tally.done.items())]
    return "\n".join([*lines, *tally.failed])


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", default=",".join(KINDS), help="targets, separated by commas")
    parser.add_argument("--ledgers", default=",".join(LEDGERS), help="where the pusher keeps books")
    parser.add_argument("--folder", type=Path, help="kept, with what failed; default: temporary")
    given = parser.parse_args()
    logging.getLogger("sqlalchemy.pool").setLevel(logging.CRITICAL)  # sessions are ended on purpose
    kinds, ledgers = tuple(given.kinds.split(",")), tuple(given.ledgers.split(","))
    print(
        f"seed {given.seed}, {given.runs} runs into {', '.join(kinds)}; "
        f"ledger: {', '.join(ledgers)}",
        flush=True,
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = given.folder or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        tally = asyncio.run(campaign(kinds, given.runs, given.seed, folder, ledgers))
    print(told(tally))
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
