"""The stored runs of the state folder: heads, which came before which. Violations are `index`."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from spgl.inspector.site import Refusal
from validator.records import SourceError
from validator.reports.summary import passed, severities
from validator.run import Run
from validator.store import HEAD, Stored, open_run
from validator.text import Text
from validator.violation import Severity


@dataclass(frozen=True, slots=True)
class Night:
    """One stored run in a line of the timeline."""

    id: str
    started: datetime
    inputs: tuple[str, ...]
    read: int
    conforming: int
    blocked: int
    errors: int
    warnings: int
    infos: int
    unreadable_files: int
    passed: bool


def night(run: Run) -> Night:
    """The counts of a run that a timeline shows."""
    found = severities(run)
    return Night(
        id=run.id,
        started=datetime.fromisoformat(run.started),
        inputs=run.inputs,
        read=run.total("read"),
        conforming=run.total("conforming"),
        blocked=run.total("blocked"),
        errors=found[Severity.ERROR],
        warnings=found[Severity.WARNING],
        infos=found[Severity.INFO],
        unreadable_files=len(run.problems),
        passed=passed(run),
    )


class Runs:
    """Finished runs in `state_dir/runs`. A head is read once: a finished run never changes."""

    def __init__(self, state_dir: Path) -> None:
        self.folder = state_dir / "runs"
        self._nights: dict[str, Night] = {}
        self._open: dict[str, Stored] = {}
        self._lock = threading.Lock()

    def ids(self) -> tuple[str, ...]:
        """Ids of finished runs, newest first (an id begins with the time)."""
        if not self.folder.is_dir():
            return ()
        found = (p.parent.name for p in self.folder.glob(f"*/{HEAD}"))
        return tuple(sorted(found, reverse=True))

    def nights(self, limit: int, after: str = "") -> tuple[Night, ...]:
        """The newest runs, or those older than `after`; one that cannot be read is left out."""
        wanted = [name for name in self.ids() if not after or name < after]
        made: list[Night] = []
        for name in wanted:
            if len(made) == limit:
                break
            if name not in self._nights:
                try:
                    self._nights[name] = night(open_run(self.folder / name).run)
                except SourceError:
                    continue
            made.append(self._nights[name])
        return tuple(made)

    def open(self, name: str) -> Stored:
        """The run of an id, or the newest that read records for an empty one. Raises Refusal."""
        known = self.ids()
        if not known:
            raise Refusal(404, _NONE.fill({"folder": self.folder}))
        found = name or newest(known)
        if found not in known:
            raise Refusal(404, _UNKNOWN.fill({"name": found}))
        with self._lock:
            if found not in self._open:
                while len(self._open) >= 8:
                    self._open.pop(next(iter(self._open)))
                try:
                    self._open[found] = open_run(self.folder / found)
                except SourceError as fault:
                    raise Refusal(404, fault.text) from fault
            return self._open[found]

    def before(self, run: Run) -> str:
        """The id of the run before: the last earlier one with the same inputs, else the last."""
        earlier = [n for n in self.nights(200) if n.id < run.id]
        same = [n.id for n in earlier if n.inputs == run.inputs]
        return (same or [n.id for n in earlier] or [""])[0]

    def titles(self, limit: int = 60) -> Mapping[str, datetime]:
        """Ids and times to choose a run from."""
        return {n.id: n.started for n in self.nights(limit)}


def newest(ids: Sequence[str]) -> str:
    """The newest run that read records; one of refusals (`ID-refused`) where there is no other.

    `ids` are newest first and not empty.
    """
    return next((name for name in ids if not name.endswith("-refused")), ids[0])


_NONE = Text(
    "{folder} 中没有已完成的运行；请先运行 spgl validate 或 spgl push",
    "no finished run in {folder}; run spgl validate or spgl push first",
)
_UNKNOWN = Text(
    "没有运行 {name}；可能已被清理，请从运行列表重新选择",
    "no run {name}; it may have been cleaned away, choose one from the list of runs",
)
