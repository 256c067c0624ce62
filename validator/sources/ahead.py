"""Work done ahead of the reader, in threads, in order and with bounded look-ahead.

Polars, numpy and file reads release the interpreter lock, so reading, checking and parsing of
neighbouring blocks overlap. It knows nothing of what passes through.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import Empty, Full, Queue
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class _Value(Generic[T]):
    value: T


@dataclass(frozen=True, slots=True)
class _End:
    failure: BaseException | None


def ahead(values: Iterable[T], depth: int = 1) -> Generator[T, None, None]:
    """The same values in the same order, produced up to `depth` ahead; failures come through.

    Closing the iterator early stops the thread and closes `values`.
    """
    queue: Queue[_Value[T] | _End] = Queue(depth)
    stopped = threading.Event()
    worker = threading.Thread(target=_produce, args=(values, queue, stopped), daemon=True)
    worker.start()
    try:
        while isinstance(entry := queue.get(), _Value):
            yield entry.value
            del entry
        if entry.failure is not None:
            raise entry.failure
    finally:
        stopped.set()
        _drain(queue)
        worker.join()


def side_by_side(
    work: Callable[[T], R], values: Iterable[T], workers: int = 2
) -> Generator[R, None, None]:
    """`work` done to each value, results in order; one more value waits than there are workers.
    A failure of `values` is raised behind the results of all values before it."""
    failure: Exception | None = None
    with ThreadPoolExecutor(workers) as pool:
        waiting: deque[Future[R]] = deque()
        source = iter(values)
        while failure is None:
            try:
                waiting.append(pool.submit(work, next(source)))
            except StopIteration:
                break
            except Exception as raised:
                failure = raised
            if len(waiting) > workers:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    if failure is not None:
        raise failure


def _produce(values: Iterable[T], queue: Queue[_Value[T] | _End], stopped: threading.Event) -> None:
    source = iter(values)
    failure: BaseException | None = None
    try:
        for value in source:
            if not _put(queue, _Value(value), stopped):
                break
    except BaseException as raised:  # handed to the reader, who raises it
        failure = raised
    finally:
        close = getattr(source, "close", None)
        if close is not None:
            close()
    _put(queue, _End(failure), stopped)


def _put(queue: Queue[_Value[T] | _End], entry: _Value[T] | _End, stopped: threading.Event) -> bool:
    while not stopped.is_set():
        try:
            queue.put(entry, timeout=0.1)
        except Full:
            continue
        return True
    return False


def _drain(queue: Queue[_Value[T] | _End]) -> None:
    """Make room so that a producer waiting to put notices the stop at once."""
    try:
        while True:
            queue.get_nowait()
    except Empty:
        return
