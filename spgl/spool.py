"""The private folder of a run: unpacked members, copies of databases, standard input.

It goes when the run ends, on SIGTERM and Ctrl-C too. What a killed run left is removed by the next
one: a folder belongs to whoever holds the lock of the file in it, and a lock dies with its process.
What is kept in the folder is not known here.
"""

from __future__ import annotations

import os
import shutil
import signal
import stat
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

_PREFIX = "spgl-spool-"
#: Made and not locked yet; a process that was killed in between leaves an empty folder.
_UNLOCKED = "spgl-new-"
_DAY = 86_400
_LOCK = ".lock"


@contextmanager
def spool_folder() -> Iterator[Path]:
    """A new folder of mode 0700 in the temporary folder; stale ones of this user are swept first.
    Raises KeyboardInterrupt inside on SIGTERM."""
    parent = Path(tempfile.gettempdir())
    _sweep(parent)
    made = Path(tempfile.mkdtemp(prefix=_UNLOCKED, dir=parent))
    handle = os.open(made / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    folder = parent / made.name.replace(_UNLOCKED, _PREFIX)
    try:
        _locked(handle)
        made = made.rename(folder)
        with _terminable():
            yield folder
    finally:
        if sys.platform == "win32":  # an open file cannot be removed there
            os.close(handle)
        shutil.rmtree(made, ignore_errors=True)
        if sys.platform != "win32":
            os.close(handle)


def _sweep(parent: Path) -> None:
    """Remove folders of this user whose process is gone."""
    with suppress(OSError):
        for folder in parent.iterdir():
            with suppress(OSError):
                if folder.name.startswith(_PREFIX) and _own(folder):
                    _remove_stale(folder)
                elif folder.name.startswith(_UNLOCKED) and _own(folder) and _old(folder):
                    shutil.rmtree(folder, ignore_errors=True)


def _old(folder: Path) -> bool:
    return time.time() - folder.stat().st_mtime > _DAY


def _own(folder: Path) -> bool:
    """A real folder that belongs to this user: others may put what they like beside it."""
    found = folder.lstat()
    mine = sys.platform == "win32" or found.st_uid == os.getuid()
    return stat.S_ISDIR(found.st_mode) and mine


def _remove_stale(folder: Path) -> None:
    """Remove the folder if nobody holds its lock. Without the lock file its owner was killed while
    removing it."""
    try:
        handle = os.open(folder / _LOCK, os.O_RDWR)
    except FileNotFoundError:
        shutil.rmtree(folder, ignore_errors=True)
        return
    try:
        stale = _locked(handle)
    finally:
        os.close(handle)
    if stale:
        shutil.rmtree(folder, ignore_errors=True)


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


@contextmanager
def _terminable() -> Iterator[None]:
    """Let SIGTERM end the run as Ctrl-C does, so that what it holds is released."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
