"""What a table is called where one list holds the tables of all packs."""

from __future__ import annotations

from validator.pack import Packs, Table


def listed_name(packs: Packs, table: Table, between: str) -> str:
    """The bare name; where a table of an earlier pack has it, the standard before it.

    With a blank between it is the name of a sheet that sources read back.
    """
    first = packs.named(table.name)[0]
    return table.name if first is table else f"{table.standard}{between}{table.name}"
