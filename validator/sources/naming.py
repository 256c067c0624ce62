"""From a name found in the input (file stem, JSON key, XML element) to a table of the packs.

It deliberately knows no file and no column, and it never guesses: only listed prefixes and
suffixes are taken off, and a name that two packs define must be qualified: by `STANDARD:TABLE`, by
the setting [tables], or by standing in a folder that is named like the standard.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from validator.pack import Packs, Table
from validator.sources.source import Place, SourceOptions

_DIVISION_BEFORE = re.compile(r"^[0-9]{6}_")
_DIVISION_AFTER = re.compile(r"_[0-9]{6}$")
#: Local editing copies; they are never the table itself.
_DRAFTS = ("_EDIT", "_EDIT_R")


@dataclass(frozen=True, slots=True)
class Naming:
    """The packs of a run with the site's own naming."""

    packs: Packs
    options: SourceOptions

    def table(self, name: str, place: Place) -> Table | None:
        """The table meant by `name`, None when no pack knows it.

        Raises SourceError when the name stands in two packs, or is mapped to no table.
        """
        folder = _folder(self.packs, place)
        mapped = {key.upper(): value for key, value in self.options.tables.items()}
        for candidate in _forms(name.strip().upper(), self.options):
            own = [t for t in self.packs.named(candidate) if t.standard == folder]
            if own:
                return own[0]
            target = mapped.get(candidate)
            if target is not None:
                return self._qualified(candidate, target, place)
            found = list(self.packs.named(candidate))
            if len(found) > 1:
                raise _ambiguous(candidate, found, place)
            if found:
                return found[0]
        return None

    def _qualified(self, name: str, target: str, place: Place) -> Table:
        standard, _, bare = target.replace("/", ":").rpartition(":")
        for table in self.packs.named(bare):
            if not standard or table.standard.upper() == standard.upper():
                return table
        raise place.refuse(
            f"设置 [tables] 将 {name} 指向 {target}，但已加载的标准包中没有这张表；请改正该设置",
            f"the setting [tables] maps {name} to {target}, which is no table of the loaded packs;"
            " correct the setting",
        )


def _folder(packs: Packs, place: Place) -> str | None:
    """The standard that a folder above the file is named like, the nearest first: below the
    argument, or the folder given as argument."""
    standards = {pack.name.upper(): pack.name for pack in packs}
    above = [*reversed(place.file.upper().split("/")[:-1]), place.path.parent.name.upper()]
    return next((standards[name] for name in above if name in standards), None)


def _ambiguous(name: str, found: list[Table], place: Place) -> Exception:
    options = ", ".join(f"{t.standard}:{t.name}" for t in found)
    return place.refuse(
        f"表名 {name} 同时存在于多个标准包（{options}）；"
        "请放入以标准命名的文件夹，写成 标准:表，或在 [tables] 中指定",
        f"the table name {name} stands in more than one pack ({options});"
        " put the file into a folder named like the standard, write STANDARD:TABLE, or map it"
        " under [tables]",
    )


def _forms(name: str, options: SourceOptions) -> Iterator[str]:
    """`name` and what is left of it as known prefixes and suffixes come off, longest first."""
    if name.endswith(_DRAFTS):
        yield name
        return
    waiting, seen = [name], set[str]()
    while waiting:
        form = waiting.pop(0)
        if form in seen or not form:
            continue
        seen.add(form)
        yield form
        waiting += [form.removeprefix(p.upper()) for p in options.prefixes]
        waiting += [form.removesuffix(s.upper()) for s in (*options.suffixes, "_V3")]
        waiting += [_DIVISION_BEFORE.sub("", form), _DIVISION_AFTER.sub("", form)]
