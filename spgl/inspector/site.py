"""What every page is given: where the data are, what the visitor may do, and what was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from spgl.ledger_place import LedgerPlace
from validator.finding import Veil
from validator.pack import Packs, Table
from validator.reports.titles import Titles
from validator.text import Lang, Text

if TYPE_CHECKING:
    from spgl.inspector.index import Indexes
    from spgl.inspector.runs import Runs
    from spgl.inspector.snapshot import Snapshots
    from validator.sources import SourceOptions


@dataclass(frozen=True, slots=True)
class Rights:
    """What a visitor may do. `who` is written to the ledger beside every act."""

    actions: bool = False
    personal: bool = False
    who: str = "inspector"


@dataclass(frozen=True, slots=True)
class Site:
    """One inspector: its data, its rights, its clock. `reading` is how files of a run are read."""

    packs: Packs
    names: Titles
    runs: Runs
    indexes: Indexes
    snapshots: Snapshots
    ledger: LedgerPlace
    baseline_path: Path
    reading: SourceOptions
    rights: Rights
    lang: Lang
    now: Callable[[], datetime]
    csrf: str = ""

    def masked(self, table: Table, values: Mapping[str, str]) -> dict[str, str]:
        """Values by field name, personal ones masked unless the visitor may see them."""
        return Veil(self.rights.personal, b"").pairs(table, values)


@dataclass(frozen=True, slots=True)
class Ask:
    """One question: parts of the path, the query (every value of a name), the language."""

    lang: Lang
    query: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    place: Mapping[str, str] = field(default_factory=dict)

    def one(self, name: str) -> str:
        """The last value of a name, empty when it was not given."""
        return self.query.get(name, ("",))[-1].strip()

    def many(self, name: str) -> tuple[str, ...]:
        """Every value of a name that is not empty, each once."""
        return tuple(dict.fromkeys(v for v in self.query.get(name, ()) if v))

    def number(self, name: str) -> int | None:
        """A whole number, None when it was not given. Raises Refusal."""
        value = self.one(name)
        if not value:
            return None
        if not value.isascii() or not value.isdigit() or len(value) > 15:
            raise Refusal(400, NOT_A_NUMBER.fill({"name": name}))
        return int(value)


class Refusal(Exception):  # noqa: N818
    """A question that cannot be answered: HTTP status and one line for people."""

    def __init__(self, status: int, text: Text) -> None:
        super().__init__(text.en)
        self.status = status
        self.text = text


@dataclass(frozen=True, slots=True)
class Page:
    """One page: its path (the twin adds `.json`), template, title, and the function that builds its
    value. `menu`: shown in the navigation."""

    path: str
    template: str
    title: Text
    build: Callable[[Site, Ask], object]
    menu: bool = False


NOT_A_NUMBER = Text(
    "地址中的 {name} 应为整数；请从页面上的链接重新进入",
    "{name} in the address must be a whole number; start again from a link on a page",
)
