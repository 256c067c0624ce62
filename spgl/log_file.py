"""The log of unattended runs: JSON lines appended to a file, without anybody to rotate it.

`{date}` in the name is the day on which the run began: one file a day, and `--log-days` removes the
old ones. A file that is moved away meanwhile (logrotate) is made anew with the next line.
"""

from __future__ import annotations

import io
import os
import re
from datetime import date, timedelta
from pathlib import Path
from typing import TextIO

DATE = "{date}"


class LogFile(io.TextIOBase):
    """Appends whole lines to the file that has the name now; mode 0600 where it is made."""

    def __init__(self, path: Path) -> None:
        """Raises OSError."""
        self._path = path
        self._out = _opened(path)
        self._whole = True

    def write(self, text: str) -> int:
        if self._whole and self._moved():
            self._out.close()
            self._out = _opened(self._path)
        self._whole = text.endswith("\n")
        return self._out.write(text)

    def flush(self) -> None:
        self._out.flush()

    def close(self) -> None:
        self._out.close()

    def _moved(self) -> bool:
        """Whether another file, or none, has the name."""
        try:
            there = self._path.stat()
        except OSError:
            return True
        ours = os.fstat(self._out.fileno())
        return (there.st_ino, there.st_dev) != (ours.st_ino, ours.st_dev)


def named(pattern: Path, day: date) -> Path:
    """The file of a day."""
    return pattern.with_name(pattern.name.replace(DATE, day.isoformat()))


def remove_old(pattern: Path, day: date, keep: int) -> int:
    """Remove the files of days before the last `keep`; how many. Nothing without `{date}`."""
    if DATE not in pattern.name:
        return 0
    head, _, tail = pattern.name.partition(DATE)
    form = re.compile(re.escape(head) + r"([0-9]{4}-[0-9]{2}-[0-9]{2})" + re.escape(tail))
    last = (day - timedelta(days=keep)).isoformat()
    gone = 0
    for path in pattern.parent.iterdir():
        found = form.fullmatch(path.name)
        if found is not None and found[1] <= last and path.is_file():
            path.unlink(missing_ok=True)
            gone += 1
    return gone


def _opened(path: Path) -> TextIO:
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    return os.fdopen(handle, "a", encoding="utf-8")
