"""Small hand-made packs and batches for the tests of delivery. Synthetic values only."""

from __future__ import annotations

from collections.abc import Mapping

from pusher.transport import Batch, Parcel
from validator.pack import (
    Field,
    Key,
    Kind,
    Pack,
    Packs,
    Provenance,
    Reference,
    Role,
    Table,
)
from validator.records import Operation
from validator.text import Text

STANDARD = "data-sharing-3.0"
PROJECT = "SPGL_XMJBXXB"
UNIT = "SPGL_ZRZTXXB"
DIVISION = "990100"


def field(name: str, kind: Kind = Kind.TEXT, role: Role = Role.BUSINESS) -> Field:
    return Field(name, Text(name, name), kind, Provenance.INFERRED, role)


def table(
    name: str,
    fields: tuple[Field, ...],
    key: tuple[str, ...],
    order: int,
    references: tuple[Reference, ...] = (),
) -> Table:
    exchange = (
        field("SJYXBS", Kind.INTEGER, Role.EXCHANGE),
        field("SJWXYY", Kind.TEXT, Role.EXCHANGE),
        field("SJSCZT", Kind.INTEGER, Role.EXCHANGE),
        field("SBYY", Kind.TEXT, Role.EXCHANGE),
    )
    everything = (field("LSH", Kind.INTEGER, Role.EXCHANGE), *fields, *exchange)
    return Table(
        standard=STANDARD,
        name=name,
        title=Text(name, name),
        fields=everything,
        key=Key(key, Provenance.INFERRED),
        order=order,
        provenance=Provenance.INFERRED,
        references=references,
        by_name={f.name: f for f in everything},
    )


def packs() -> Packs:
    """Projects, and units that refer to them."""
    project = table(
        PROJECT,
        (
            field("GCDM"),
            field("XMMC"),
            field("ZTZ", Kind.DECIMAL),
            field("SL", Kind.INTEGER),
            field("RQ", Kind.DATE),
            field("SJ", Kind.DATETIME),
            field("NR", Kind.BINARY),
        ),
        ("GCDM",),
        1,
    )
    unit = table(
        UNIT,
        (field("GCDM"), field("BBH", Kind.DECIMAL), field("MC")),
        ("GCDM", "BBH"),
        2,
        (Reference(("GCDM",), f"{STANDARD}/{PROJECT}", ("GCDM",), Provenance.INFERRED),),
    )
    pack = Pack(STANDARD, "3.0", Text("", ""), "reconstructed", (), (project, unit), (), ())
    return Packs((pack,))


def parcel(
    index: int,
    fields: Mapping[str, str],
    *,
    key: tuple[str, ...] = ("GCDM",),
    operation: Operation = Operation.UPSERT,
    reason: str = "",
    previous: Mapping[str, str] | None = None,
) -> Parcel:
    return Parcel(
        index,
        operation,
        reason,
        {name: fields[name] for name in key if name in fields},
        fields,
        previous,
    )


def batch(number: int, *parcels: Parcel, table: str = PROJECT, fresh: bool = False) -> Batch:
    return Batch(f"batch-{number}", f"key-{number}", STANDARD, table, DIVISION, parcels, fresh)


def projects(number: int, count: int = 3) -> Batch:
    """A batch of `count` new projects."""
    return batch(
        number,
        *(
            parcel(i, {"GCDM": f"P{number}-{i}", "XMMC": f"示例项目{i}", "ZTZ": "12.5"})
            for i in range(count)
        ),
    )
