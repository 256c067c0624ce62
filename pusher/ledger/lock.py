"""One run at a time per ledger: an operating-system lock, which dies with its process.

A lock that outlives a killed process would need a time-out, and time alone never proves that the
other is dead. Network file systems are not supported.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from pusher.ledger.core import Ledger
from pusher.ledger.database import LedgerError
from pusher.target import Target
from validator.text import Text


@contextmanager
def run_lock(ledger: Ledger, target: Target) -> Iterator[None]:
    """Hold the right to push to a target from this ledger. Raises LedgerError if another run does.

    While it is held, what the ledger shows as `sending` was left by a dead process.
    """
    if ledger.path is None:
        yield
        return
    path = ledger.path.with_name(f"{ledger.path.name}.{_safe(target.name)}.lock")
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _locked(handle):
            raise LedgerError(_BUSY.fill({"target": target.name, "file": path}))
        yield
    finally:
        os.close(handle)


def _safe(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else f"%{ord(c):x}" for c in name)


def _locked(handle: int) -> bool:
    with suppress(OSError):
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


_BUSY = Text(
    "另一个投送正在向 {target} 运行（锁文件 {file}），请等它结束",
    "another push to {target} is running (lock file {file}); wait until it has ended",
)
