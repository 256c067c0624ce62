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
from queue import SimpleQueue
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
    """The same values in the same order, at most `depth` of them made ahead; failures come through.

    Closing the iterator early stops the thread and closes `values`.
    """
    queue: SimpleQueue[_Value[T] | _End] = SimpleQueue()
    room, stopped = threading.Semaphore(depth), threading.Event()
    worker = threading.Thread(target=_produce, args=(values, queue, room, stopped), daemon=True)
    worker.start()
    try:
        while isinstance(entry := queue.get(), _Value):
            room.release()
            yield entry.value
            del entry
        if entry.failure is not None:
            raise entry.failure
    finally:
        stopped.set()
        room.release()
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


def _produce(
    values: Iterable[T],
    queue: SimpleQueue[_Value[T] | _End],
    room: threading.Semaphore,
    stopped: threading.Event,
) -> None:
    """A value is asked for only when there is room for it, so that none waits beyond the queue."""
    source = iter(values)
    failure: BaseException | None = None
    try:
        while room.acquire() and not stopped.is_set():
            queue.put(_Value(next(source)))
    except StopIteration:
        pass
    except BaseException as raised:  # handed to the reader, who raises it
        failure = raised
    finally:
        close = getattr(source, "close", None)
        if close is not None:
            close()
    queue.put(_End(failure))
