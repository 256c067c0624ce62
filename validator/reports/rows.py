"""Every violation as compact data for the html report: one small JSON array each, names told once.

A row is [use, file, place, key, value, message, division]: numbers point into the lists of the
names, which follow the rows. A message is kept once as a text with gaps (U+0000 for the value,
U+0001 … for the parts of the key). Everything is made visible before and `<` never stands in the
data, so that it can stand in a page.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from validator.reports.plain import excerpt, visible
from validator.reports.tally import qualified
from validator.violation import Violation

#: Characters of a value or a part of a key, and of a message.
_VALUE, _MESSAGE = 200, 400
#: Parts of a key that are gaps in a message.
_PARTS = 20
#: Rows that are written at once.
_LOT = 500

Json = str | int | None | list["Json"]


@dataclass(slots=True)
class _List:
    """Distinct entries in order of appearance, by the number each gets."""

    numbers: dict[object, int] = field(default_factory=dict)

    def number(self, entry: object) -> int:
        return self.numbers.setdefault(entry, len(self.numbers))


@dataclass(slots=True)
class Rows:
    """Turns violations into rows. Read `chunks` to its end, then ask for `names`."""

    uses: _List = field(default_factory=_List)
    files: _List = field(default_factory=_List)
    keys: _List = field(default_factory=_List)
    messages: _List = field(default_factory=_List)
    divisions: _List = field(default_factory=_List)
    count: int = 0

    def chunks(self, violations: Iterable[Violation]) -> Iterator[str]:
        """The rows as the text of one JSON array."""
        lot = list[str]()
        yield "["
        for violation in violations:
            lot.append(written(self._row(violation)))
            self.count += 1
            if len(lot) == _LOT:
                yield ("" if self.count == _LOT else ",\n") + ",\n".join(lot)
                lot.clear()
        if lot:
            yield ("" if self.count == len(lot) else ",\n") + ",\n".join(lot)
        yield "]"

    def names(self) -> str:
        """What the numbers of the rows point to, as a JSON object."""
        found = {
            "uses": self.uses, "files": self.files, "keys": self.keys,
            "messages": self.messages, "divisions": self.divisions,
        }  # fmt: skip
        return written({name: list(entries.numbers) for name, entries in found.items()})

    def _row(self, v: Violation) -> list[Json]:
        value = None if v.value is None else excerpt(visible(v.value), _VALUE)
        parts = [excerpt(visible(part), _VALUE) for part in v.key.values()]
        use = (
            str(v.severity), v.stage or "-", visible(qualified(v) or "-"), v.rule,
            tuple(map(visible, v.fields)),
        )  # fmt: skip
        place: Json = v.line
        if place is None and v.record is not None:
            place = f"#{v.record}"
        return [
            self.uses.number(use),
            self.files.number(visible(v.file or "")),
            place,
            [self.keys.number(tuple(map(visible, v.key))), *parts] if parts else None,
            value,
            self.messages.number(
                tuple(
                    _with_gaps(text, value, parts)
                    for text in (v.message.zh, v.message.en, v.help.zh, v.help.en)
                )
            ),
            self.divisions.number(None if v.division is None else visible(v.division)),
        ]


def _with_gaps(text: str, value: str | None, parts: list[str]) -> str:
    shown = excerpt(visible(text), _MESSAGE)
    if value:
        shown = shown.replace(value, "\0")
    for number, part in enumerate(parts[:_PARTS], 1):
        if len(part) > 2:
            shown = shown.replace(part, chr(number))
    return shown


def written(value: object) -> str:
    """JSON that can stand inside a script element of a page, ASCII but for letters."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
