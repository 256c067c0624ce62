"""What a standard pack is, as frozen plain types. Reading packs from disk is `validator.load`.

A pack holds no code and no expressions: it declares fields and *uses* named rules with parameters.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from validator.text import Text

if TYPE_CHECKING:
    from validator.feedback import Feedback
    from validator.form import Document, DocumentUse

#: Columns that the exchange owns; `Role.EXCHANGE` in every pack.
EXCHANGE_FIELDS = ("LSH", "SJYXBS", "SJWXYY", "SJSCZT", "SBYY")

RECONSTRUCTED = Text(
    "重建，非官方文本", "Reconstructed from public source code, not the official text"
)


_NO_NOTE = Text("", "")


class PackError(Exception):
    """A pack that cannot be used: one line saying file, line and remedy. Exit code 2."""


class Provenance(StrEnum):
    """What a fact in a pack rests on, strongest first."""

    #: The operator supplied the document or the DDL of the front exchange database.
    OFFICIAL = "official"
    #: A published GB standard.
    NATIONAL = "national"
    #: A published regulation whose text was read.
    REGULATION = "regulation"
    #: Read in the public code of a running 3.0 system (one vendor, one city).
    DEPLOYED = "deployed"
    #: Only in 1.0/2.0 systems or in the national item catalogue.
    EARLIER = "earlier"
    #: Our own conclusion, or a text recalled but not read.
    INFERRED = "inferred"

    @property
    def rank(self) -> int:
        """0 for the strongest evidence."""
        return list(Provenance).index(self)


class Attests(StrEnum):
    """What a required mark was seen to mean."""

    #: The local check or the target refuses an empty value.
    REFUSAL = "refusal"
    #: The sender always fills the field; nobody was seen to refuse a blank.
    SENDER_FILLS = "sender-fills"
    #: A portal form or another interface asks for it.
    OTHER_INTERFACE = "other-interface"
    #: People are told; no record was seen to be refused for it.
    NOTICE = "notice"


class Kind(StrEnum):
    """Lexical kind of a field; the pattern of each is in `validator.lexical`."""

    #: Any text.
    TEXT = "text"
    #: `0|-?[1-9][0-9]*`, within 64 bits.
    INTEGER = "integer"
    #: `-?[0-9]+(\\.[0-9]+)?`.
    DECIMAL = "decimal"
    #: `yyyy-MM-dd`; a midnight datetime is accepted.
    DATE = "date"
    #: `yyyy-MM-dd HH:mm:ss`; a plain date is accepted.
    DATETIME = "datetime"
    #: Base64.
    BINARY = "binary"


class Role(StrEnum):
    """Who owns a field."""

    #: Content of the record.
    BUSINESS = "business"
    #: Owned by the pusher; never content, exempt from `required`.
    EXCHANGE = "exchange"


class Direction(StrEnum):
    """Which way a table travels."""

    #: We send it.
    OUT = "out"
    #: Feedback; never sent.
    IN = "in"


class Personal(StrEnum):
    """What personal datum a field holds; decides how it is masked."""

    #: Name of a natural person.
    NAME = "name"
    #: Telephone number.
    PHONE = "phone"
    #: Identity document number (or a code that may be one).
    ID_NUMBER = "id-number"
    #: A document about persons.
    DOCUMENT = "document"


class Otherwise(StrEnum):
    """What a state code means that the pack does not name."""

    #: No verdict yet.
    PENDING = "pending"
    #: The other side refused the row.
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the codes of a row's state (SJSCZT) mean in the exchange of this pack.

    `new`: as a row is written. `accepted`: taken by the other side, a first step before a later
    one. `refused`: turned down, with the reason (SBYY). The default is the 3.0 chain.
    """

    new: str = "0"
    accepted: tuple[str, ...] = ("1", "3")
    refused: tuple[str, ...] = ("2",)
    otherwise: Otherwise = Otherwise.PENDING


@dataclass(frozen=True, slots=True)
class Condition:
    """Holds when the named field of the same record has one of the values (canonical form)."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Required:
    """A required mark: what it attests, on what evidence, under which fact id (may be empty)."""

    provenance: Provenance
    attests: Attests | None = None
    reference: str = ""
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class Length:
    """At most `max` characters (not bytes) as written."""

    max: int
    provenance: Provenance
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Precision:
    """At most `digits` significant digits of which `scale` after the point."""

    digits: int
    scale: int
    provenance: Provenance
    reference: str = ""


@dataclass(frozen=True, slots=True)
class FormatUse:
    """A named format (`validator.formats`), possibly only under a condition."""

    name: str
    provenance: Provenance
    reference: str = ""
    when: Condition | None = None


@dataclass(frozen=True, slots=True)
class CodeUse:
    """The code list a field draws from."""

    list: str
    provenance: Provenance
    reference: str = ""


@dataclass(frozen=True, slots=True)
class Field:
    """One column of a table, in the order of the standard."""

    name: str
    title: Text
    kind: Kind
    provenance: Provenance
    role: Role = Role.BUSINESS
    length: Length | None = None
    precision: Precision | None = None
    formats: tuple[FormatUse, ...] = ()
    required: tuple[Required, ...] = ()
    codes: CodeUse | None = None
    separator: str | None = None
    personal: Personal | None = None
    document: DocumentUse | None = None
    note: Text = _NO_NOTE


@dataclass(frozen=True, slots=True)
class Code:
    """One entry of a code list; `title` is empty where no label was seen."""

    code: str
    title: Text
    provenance: Provenance
    parent: str = ""
    since: str = ""
    until: str = ""


@dataclass(frozen=True, slots=True)
class CodeList:
    """A code list. `closed` means complete in its source and attested for the 3.0 system."""

    id: str
    title: Text
    closed: bool
    provenance: Provenance
    codes: tuple[Code, ...]
    pattern: str = ""
    note: Text = _NO_NOTE
    by_code: Mapping[str, Code] = field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Key:
    """The natural key of a table: names its identity at a target."""

    fields: tuple[str, ...]
    provenance: Provenance
    note: Text = _NO_NOTE


@dataclass(frozen=True, slots=True)
class Reference:
    """`fields` of the child point to `target_fields` of `table` (a qualified name)."""

    fields: tuple[str, ...]
    table: str
    target_fields: tuple[str, ...]
    provenance: Provenance
    reference: str = ""
    note: Text = _NO_NOTE


@dataclass(frozen=True, slots=True)
class RuleUse:
    """An explicit use of a named rule: parameters as the rule's own schema demands; `attests` says
    what the use was seen to mean, as with a required mark."""

    rule: str
    params: Mapping[str, object]
    provenance: Provenance
    reference: str = ""
    attests: Attests | None = None


@dataclass(frozen=True, slots=True)
class Table:
    """One table of a pack. `qualified` is its name everywhere outside the pack: `standard/table`.

    `local_columns` are columns of local systems seen beside this table (like `Pack.local_columns`,
    which hold for every table): read past silently, never content. `city_prefix`: at the target
    the name of the table carries the prefix of a city (setting `city_prefix` of a target).
    """

    standard: str
    name: str
    title: Text
    fields: tuple[Field, ...]
    key: Key
    order: int
    provenance: Provenance
    stage: str | None = None
    group: str = ""
    direction: Direction = Direction.OUT
    extension: bool = False
    references: tuple[Reference, ...] = ()
    rules: tuple[RuleUse, ...] = ()
    note: Text = _NO_NOTE
    local_columns: tuple[str, ...] = ()
    city_prefix: bool = False
    by_name: Mapping[str, Field] = field(default_factory=dict, compare=False, repr=False)

    @property
    def qualified(self) -> str:
        return f"{self.standard}/{self.name}"


@dataclass(frozen=True, slots=True)
class Stage:
    """A unit people report by: one of the four stages, the case records, or fire."""

    id: str
    title: Text
    tables: tuple[str, ...]
    items: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Overlay:
    """A site's own values that were laid over a pack; `place` is its folder."""

    name: str
    version: str
    title: Text
    place: str


@dataclass(frozen=True, slots=True)
class Pack:
    """One standard: its tables, code lists, stages and the rules that span tables.

    `overlays` lie over it, the last on top; it keeps the name of the standard, and its version
    names them. `severities` by `rule`, `TABLE.rule` or `TABLE.FIELD.rule` are theirs. `origins`:
    what an overlay brought → `file:line`, by path in the pack's files, as in
    `("tables/T.toml", "fields", "F", "length")` or `("codes/ID.csv", "CODE")`.
    """

    name: str
    version: str
    title: Text
    basis: str
    uses: tuple[str, ...]
    tables: tuple[Table, ...]
    code_lists: tuple[CodeList, ...]
    stages: tuple[Stage, ...]
    rules: tuple[RuleUse, ...] = ()
    local_columns: tuple[str, ...] = ()
    exchange: Exchange = Exchange()
    feedback: Feedback | None = None
    documents: tuple[Document, ...] = ()
    overlays: tuple[Overlay, ...] = ()
    severities: Mapping[str, str] = field(default_factory=dict)
    origins: Mapping[tuple[str, ...], str] = field(default_factory=dict, compare=False, repr=False)

    @property
    def official_fields(self) -> tuple[int, int]:
        """(official, all) fields: what the basis line states."""
        fields = [f for t in self.tables for f in t.fields]
        return sum(f.provenance is Provenance.OFFICIAL for f in fields), len(fields)


@dataclass(frozen=True, slots=True)
class Packs:
    """The packs of a run. Tables are found by qualified name; a bare name must be unambiguous."""

    packs: tuple[Pack, ...]
    _by_name: dict[str, Table] = field(default_factory=dict, init=False, compare=False, repr=False)

    def __iter__(self) -> Iterator[Pack]:
        return iter(self.packs)

    def tables(self) -> tuple[Table, ...]:
        """All tables, packs in load order, each in its order of sending."""
        return tuple(t for p in self.packs for t in p.tables)

    def pack(self, name: str) -> Pack:
        """Raises KeyError."""
        return {pack.name: pack for pack in self.packs}[name]

    def table(self, qualified: str) -> Table:
        """The table of a qualified name `standard/table`. Raises KeyError."""
        if not self._by_name:
            self._by_name.update((t.qualified, t) for t in self.tables())
        return self._by_name[qualified]

    def named(self, name: str) -> tuple[Table, ...]:
        """Every table of this bare name, or the one of `STANDARD:TABLE`; case-insensitive."""
        standard, _, bare = name.replace("/", ":").replace(" ", ":").upper().rpartition(":")
        found = (t for t in self.tables() if t.name == bare)
        return tuple(t for t in found if standard in ("", t.standard.upper()))

    def code_list(self, table: Table, list_id: str) -> CodeList:
        """A list of the table's own pack, else of the packs it uses. Raises KeyError."""
        own = self.pack(table.standard)
        for pack in (own, *(p for p in self.packs if p.name in own.uses)):
            for codes in pack.code_lists:
                if codes.id == list_id:
                    return codes
        raise KeyError(list_id)
