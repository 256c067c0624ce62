"""One run at a time per ledger: an operating-system lock, which dies with its process; on a shared
ledger one that leads, by a lock of its session, and others that only send.

A lock that outlives a killed process would need a time-out, and time alone never proves that the
other is dead. Network file systems are not supported.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime

from pusher.ledger.core import Ledger
from pusher.ledger.database import LedgerError
from pusher.target import Target
from validator.text import Text


class LedgerBusyError(LedgerError):
    """Another run is at it; nothing was done, and a later call will do."""

    temporary = True


@contextmanager
def run_lock(ledger: Ledger, target: Target, *, join: bool = False) -> Iterator[bool]:
    """Hold the right to push to a target from this ledger; with `join` on a shared ledger False is
    given where another run holds it: this one then only sends. Raises LedgerError elsewhere.

    On a ledger for one process, what it shows as `sending` meanwhile was left by a dead one.
    """
    if ledger.path is None:
        with _session_lock(ledger, target, join=join) as leads:
            yield leads
        return
    path = ledger.path.with_name(f"{ledger.path.name}.{_safe(target.name)}.lock")
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _locked(handle):
            words = {"target": target.name, "file": path, "holder": _holder(handle)}
            raise LedgerBusyError(_BUSY.fill(words))
        _sign(handle)
        yield True
    finally:
        os.close(handle)


#: Where the byte is that Windows locks.
_BEYOND = 1 << 20


@contextmanager
def _session_lock(ledger: Ledger, target: Target, *, join: bool) -> Iterator[bool]:
    """The lock of a ledger without a file; it ends with the session that holds it."""
    leads = ledger.db.lock(target.name)
    if not leads and not join:
        raise LedgerBusyError(_BUSY_SHARED.fill({"target": target.name}))
    try:
        yield leads
    finally:
        if leads:
            ledger.db.unlock(target.name)


def _sign(handle: int) -> None:
    """Write down who holds it, for people; the lock itself is the system's."""
    since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    word = f"{os.getpid()} {platform.node()} {since}".encode()
    os.ftruncate(handle, 0)
    os.pwrite(handle, word, 0) if hasattr(os, "pwrite") else os.write(handle, word)


def _holder(handle: int) -> str:
    """Process, machine and since when, as the holder wrote it; `?` before it has."""
    with suppress(OSError):
        return os.read(handle, 200).decode(errors="replace") or "?"
    return "?"


def _safe(name: str) -> str:
    return "".join(c if c.isalnum() or c in "-_" else f"%{ord(c):x}" for c in name)


def _locked(handle: int) -> bool:
    with suppress(OSError):
        if sys.platform == "win32":
            import msvcrt

            os.lseek(handle, _BEYOND, os.SEEK_SET)  # the locked byte cannot be read by others
            msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
            os.lseek(handle, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    return False


_BUSY = Text(
    "另一个投送正在向 {target} 运行（进程 {holder}；锁文件 {file}），本次未登记也未投送，"
    "请等它结束",
    "another push to {target} is running (process {holder}; lock file {file}); nothing was entered "
    "or sent, wait until it has ended",
)
_BUSY_SHARED = Text(
    "另一个投送正在向 {target} 登记数据，请等它结束；不带 PATH 的 spgl push 可同时投送",
    "another push to {target} is running; wait until it has ended, or help it to send: spgl push "
    "without PATH",
)
