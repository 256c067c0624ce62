"""A value that differs from that of the record it belongs to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import polars as pl

from validator.linked import COLUMN, PAIRED, linked, loaded, pairs_of, placed
from validator.numbers import parameters
from validator.pack import Packs, Table
from validator.rule import (
    Example,
    Need,
    Rule,
    Scope,
    Use,
    explicit,
    identity,
    named_table,
    text_param,
    texts_param,
)
from validator.text import Text

NAME = "differs-from-linked-record"
#: Odd, so that multiplying by it loses nothing of a hash.
_MIX = pl.lit(0x9E3779B97F4A7C15, dtype=pl.UInt64)


def uses(packs: Packs, table: Table) -> tuple[Use, ...]:
    """One use per compared field; a table of a pack that is not loaded cannot be asked."""
    found = []
    for use in explicit(NAME, table, lambda _: ()):
        by, compared = pairs_of(use.params, "by"), pairs_of(use.params, "same")
        if not all(loaded(packs, table.standard, c) for c in by.values()):
            continue
        for own, column in compared.items():
            other = linked(packs, table.standard, [*by.values(), column])
            more: dict[str, object] = {
                "own_by": tuple(by), "other_by": other.fields[:-1], "source": other.fields[-1],
                "source_title": other.table.by_name[other.fields[-1]].title.zh,
            }  # fmt: skip
            among = use.params.get("among")
            if among is not None:
                name, _, field = str(among).rpartition(".")
                more |= {"among_table": named_table(packs, table.standard, name),
                         "among_field": field}  # fmt: skip
            found.append(replace(placed(use, other, **more), fields=(own, *by)))
    return tuple(found)


def needs(_packs: Packs, use: Use) -> tuple[Need, ...]:
    own, other = texts_param(use, "own_by"), texts_param(use, "other_by")
    needed = (
        Need(use.table, ((use.fields[0],), own)),
        Need(text_param(use, "linked"), ((text_param(use, "source"),), other)),
    )
    if "among_table" not in use.params:
        return needed
    return *needed, Need(text_param(use, "among_table"), ((text_param(use, "among_field"),),))


def query(use: Use, frames: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Rows that have linked records with a value, none of which is their own."""
    own, value = identity(texts_param(use, "own_by")), use.fields[0]
    theirs = frames[1].select(
        pl.col(identity(texts_param(use, "other_by"))).alias("by"),
        pl.col(text_param(use, "source")).alias("theirs"),
    )
    rows = _in_question(
        frames[0].select("row", pl.col(value).alias("value"), pl.col(own).alias("by")).drop_nulls(),
        theirs.drop_nulls().unique(),
    )
    if "among_table" in use.params:
        known = frames[2].select(pl.col(text_param(use, "among_field")).alias("value"))
        rows = rows.join(known.drop_nulls().unique(), on="value", how="semi")
    beside = rows.join(theirs.drop_nulls().unique(), on="by")
    same = beside.filter(pl.col("value") == pl.col("theirs")).select("row").unique()
    return beside.select("row").unique().join(same, on="row", how="anti").sort("row")


def _in_question(rows: pl.DataFrame, theirs: pl.DataFrame) -> pl.DataFrame:
    """The rows with a value beside a linked one that differs; most have none, and are many."""
    # Both are hashes, so their mix stands for the pair; a join on pairs takes far more memory.
    same = theirs.select(pl.col("by") * _MIX + pl.col("theirs")).to_series()
    pair = pl.col("by") * _MIX + pl.col("value")
    there = pl.col("by").is_in(theirs["by"].implode())
    differing = rows.filter(there & ~pair.is_in(same.implode()))
    return rows.filter(pl.col("row").is_in(differing["row"].implode()))


RULE = Rule(
    name=NAME,
    scope=Scope.DATASET,
    title=Text("与所属记录不一致", "Differs from the record it belongs to"),
    message=Text(
        "{field}（{title}）与 {parent}（{parent_title}）对应记录的 {source}（{source_title}）"
        "不一致：{value}",
        "{field} ({title}) differs from {source} ({source_title}) of its record in {parent} "
        "({parent_title}): {value}",
    ),
    help=Text("请核对两处哪一个正确", "Check which of the two is right"),
    notes=Text(
        "对应记录有多条时，与其中一条一致即可；任一方为空时不检查。among 给出只在其中才检查的值。",
        "With several linked records, agreement with one is enough; an empty side is not judged. "
        "`among` limits the check to values that exist there, so that one slip is reported once.",
    ),
    params=parameters({"by": PAIRED, "same": PAIRED}, among=COLUMN),
    good=Example({
        "SPGL_XMJBXXB": ({"GCDM": "A", "XMDM": "2401-990102-04-01-100126"}, {"GCDM": "B"}),
        "SPGL_JSGCXFYSXXB": (
            {"XZQHDM": "1", "SPSXSLBM": "1", "GCDM": "A", "XMDM": "2401-990102-04-01-100126"},
            {"XZQHDM": "1", "SPSXSLBM": "2", "GCDM": "B", "XMDM": "2401-990102-04-01-100127"},
        ),
    }),
    bad_example=Example(
        {
            "SPGL_XMJBXXB": ({"GCDM": "A", "XMDM": "2401-990102-04-01-100126"},),
            "SPGL_JSGCXFYSXXB": (
                {"XZQHDM": "1", "SPSXSLBM": "1", "GCDM": "A", "XMDM": "2401-990102-04-01-100126"},
                {"XZQHDM": "1", "SPSXSLBM": "2", "GCDM": "A", "XMDM": "2401-990102-04-01-100127"},
            ),
        },
        (("SPGL_JSGCXFYSXXB", 2, ("XMDM", "GCDM")),),
    ),
    uses=uses,
    needs=needs,
    query=query,
    apart=True,
)  # fmt: skip
