"""Where a violation is, as CI services want it: a path from the folder the run was started in.

Violations name a file relative to the argument. Which argument it came from is told by the names
alone; the disk is never asked, since a report may be rendered on another machine.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Sequence
from urllib.parse import quote

#: A table inside a container: `book.xlsx#sheet`, `all.json#TABLE`.
_INSIDE = re.compile(r"^(.+?\.[A-Za-z0-9]{1,8})#(.+)$", re.DOTALL)


def split(file: str) -> tuple[str, str]:
    """The file itself and the sheet, key or element inside it (may be empty)."""
    inside = _INSIDE.match(file)
    return (inside[1], inside[2]) if inside else (file, "")


def path(file: str | None, inputs: Sequence[str]) -> str:
    """The path of a violation's file as the arguments of the run were written, with `/`.

    Where several folders were given and the name does not tell which one it is from, the name
    stays as it is. Without a file the first argument is named; empty if there is none.
    """
    given = [posixpath.normpath(i.replace("\\", "/")) for i in inputs if "://" not in i]
    if not file:
        return given[0] if given else ""
    name = split(file)[0]
    for argument in given:
        if argument == name or argument.endswith("/" + name):
            return argument
    for argument in given:
        # Folders of several arguments with the same names in them: the folder's name stands first.
        if name.startswith(posixpath.basename(argument) + "/"):
            return posixpath.join(posixpath.dirname(argument), name)
    if len(given) == 1 and len(inputs) == 1:
        return posixpath.normpath(posixpath.join(given[0], name))
    return name


def uri(name: str) -> str:
    """A path as a relative URI reference (RFC 3986), Chinese in percent-encoded UTF-8."""
    return quote(name.encode("utf-8", "backslashreplace"), safe="/")
