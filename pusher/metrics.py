"""The ledger as numbers in Prometheus' text exposition format, for node_exporter's textfile folder.

Pure apart from `write`: status and time in, text out. There is no HTTP endpoint, and no label holds
a key or a value of a record.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from pusher.ledger.queries import Run, Status
from pusher.states import State

#: Runs to ask of the ledger, so that the last one of every target is among them.
RUNS = 100
#: States from which a version still has to move without a person's doing.
_OPEN = (State.WAITING, State.QUEUED, State.SENDING, State.IN_DOUBT)
_ESCAPES = str.maketrans({"\\": "\\\\", "\n": "\\n", '"': '\\"'})

Sample = tuple[Mapping[str, str], float]


def prometheus(status: Status, now: datetime, *, exit_code: int | None = None) -> str:
    """Counts by target, table and state; ages in seconds; the last run of each target.

    `exit_code` is that of the push that writes the file; None where there was none.
    """
    return "".join(_families(status, now, exit_code))


def _families(status: Status, now: datetime, exit_code: int | None) -> Iterator[str]:
    counts: list[Sample] = [
        ({"target": target, "table": table, "state": state.value}, n)
        for (target, table, state), n in sorted(status.counts.items())
    ]
    yield _family("spgl_versions", "Record versions in the ledger by state.", counts)
    left: dict[str, int] = {}
    for (target, _, state), n in status.counts.items():
        left[target] = left.get(target, 0) + (n if state in _OPEN else 0)
    open_: list[Sample] = [({"target": target}, n) for target, n in sorted(left.items())]
    yield _family("spgl_open_versions", "Versions still to be sent or settled.", open_)
    age = 0.0 if status.oldest is None else max((now - status.oldest).total_seconds(), 0.0)
    yield _family("spgl_oldest_unsent_seconds", "Age of what waits longest.", [({}, age)])
    if status.next_due is not None:
        due: list[Sample] = [({}, status.next_due.timestamp())]
        yield _family("spgl_next_retry_timestamp_seconds", "When the next retry is due.", due)
    away: list[Sample] = [({"target": t}, a.until.timestamp()) for t, a in status.away.items()]
    yield _family(
        "spgl_circuit_open_until_timestamp_seconds",
        "Until when a target that did not answer last is left alone; absent where it answers.",
        away,
    )
    yield from _of_runs(tuple(_last(status.runs)))
    if exit_code is not None:
        yield _family("spgl_push_exit_code", "Exit code of the last push.", [({}, exit_code)])
    yield _family(
        "spgl_metrics_timestamp_seconds", "When these were written.", [({}, now.timestamp())]
    )


def _last(runs: Iterable[Run]) -> Iterator[Run]:
    """The newest run of each target; runs come newest first."""
    met: set[str] = set()
    for run in runs:
        if run.target not in met:
            met.add(run.target)
            yield run


def _of_runs(runs: tuple[Run, ...]) -> Iterator[str]:
    def each(value: float | None, run: Run) -> list[Sample]:
        return [] if value is None else [({"target": run.target}, value)]

    started = [s for r in runs for s in each(r.started.timestamp(), r)]
    yield _family("spgl_run_started_timestamp_seconds", "Start of the last run.", started)
    ended = [s for r in runs for s in each(r.ended.timestamp() if r.ended else None, r)]
    yield _family("spgl_run_ended_timestamp_seconds", "End of it; absent when cut off.", ended)
    books: list[Sample] = [
        ({"target": r.target, "part": part}, n) for r in runs for part, n in r.books.items()
    ]
    yield _family("spgl_run_records", "Books of the last run, by part.", books)
    done: list[Sample] = [
        ({"target": r.target, "outcome": name}, float(value))
        for r in runs
        for name in ("attempts", "delivered", "accepted", "refused", "given_up")
        if isinstance(value := r.delivery.get(name), int)
    ]
    yield _family("spgl_run_delivery", "What the last run delivered, by outcome.", done)
    yield _family(
        "spgl_run_put_off_batches",
        "Batches for which the last run had no retries left.",
        [s for r in runs if isinstance(n := r.delivery.get("put_off"), int) for s in each(n, r)],
    )
    rates = [s for r in runs for s in each(r.rate, r)]
    yield _family("spgl_run_records_per_second", "Records the last run got answers to.", rates)
    for name, text in (
        ("incomplete", "1 when the last run left something to send."),
        ("interrupted", "1 when the last run was told to stop."),
    ):
        flags = [
            s for r in runs if name in r.delivery for s in each(int(bool(r.delivery[name])), r)
        ]
        yield _family(f"spgl_run_{name}", text, flags)
    wrong = [
        s for r in runs if r.delivery for s in each(int(r.delivery.get("stopped") is not None), r)
    ]
    yield _family("spgl_run_misconfigured", "1 when a wrong setting stopped the last run.", wrong)


def _family(name: str, text: str, samples: Iterable[Sample]) -> str:
    lines = [f"{name}{_labels(labels)} {value:.15g}" for labels, value in samples]
    if not lines:
        return ""
    return "\n".join((f"# HELP {name} {text}", f"# TYPE {name} gauge", *lines)) + "\n"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{k}="{v.translate(_ESCAPES)}"' for k, v in labels.items()) + "}"


def write(path: Path, text: str) -> None:
    """Replace the file in one step, readable by the collector (0644). Raises OSError."""
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="\n") as out:
            out.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise
