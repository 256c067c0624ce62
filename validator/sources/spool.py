"""Private folders for what cannot be read where it stands: members of a ZIP, databases, streams.

Nothing is decided here about what is written.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path

from validator.sources.source import SourceOptions


def private_folder(options: SourceOptions) -> Path:
    """A new empty folder that only this user may enter. It goes with `options.spool`, else with
    the process."""
    parent = options.spool if options.spool is not None else _of_process()[1]
    return Path(tempfile.mkdtemp(prefix="spgl-", dir=parent))


@cache
def _of_process() -> tuple[tempfile.TemporaryDirectory[str], Path]:
    """Removed when the interpreter ends."""
    folder = tempfile.TemporaryDirectory(prefix="spgl-")
    return folder, Path(folder.name)
