"""SQL of the packs: MariaDB and PostgreSQL create it, and comments and types come back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa
from services import mariadb_database, postgres_database
from sqlalchemy.engine import URL

from validator.exports.ddl import (
    DIALECTS,
    ddl_text,
    export_ddl,
    refuses_blank,
    serial,
    table_ddl,
)
from validator.load import load_packs
from validator.pack import Kind, Length, PackError, Precision, Provenance, Table

PACKS = load_packs()
OFFICIAL = Provenance.OFFICIAL


def made(url: URL, tables: list[Table], dialect: str) -> sa.Engine:
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    with engine.begin() as connection:
        for table in tables:
            for statement in table_ddl(table, DIALECTS[dialect]):
                connection.exec_driver_sql(statement.replace("%", "%%"))
    return engine


def sized(table: Table) -> Table:
    """The table with a length on each text and a precision on each decimal."""
    fields = tuple(
        replace(f, length=Length(100 + i, OFFICIAL))
        if f.kind is Kind.TEXT
        else replace(f, precision=Precision(18, 2, OFFICIAL))
        if f.kind is Kind.DECIMAL
        else f
        for i, f in enumerate(table.fields)
    )
    return replace(table, fields=fields, by_name={f.name: f for f in fields})


@pytest.mark.parametrize(
    ("dialect", "database"), [("mysql", mariadb_database), ("postgresql", postgres_database)]
)
def test_a_real_database_creates_every_table_and_gives_comments_back(
    dialect: str, database: Callable[[], AbstractContextManager[URL]]
) -> None:
    with database() as url:
        engine = made(url, list(PACKS.tables()), dialect)
        inspector = sa.inspect(engine)
        columns = inspector.get_multi_columns()
        comments = inspector.get_multi_table_comment()
        for table in PACKS.tables():
            found = columns[None, table.name]
            assert [(c["name"], c["comment"]) for c in found] == [
                (f.name, f.title.zh) for f in table.fields
            ]
            assert comments[None, table.name] == {"text": table.title.zh}
            filled = {f.name for f in table.fields if refuses_blank(f) or serial(f)}
            assert {c["name"] for c in found if not c["nullable"]} == filled
            (index,) = inspector.get_indexes(table.name)
            assert index["column_names"] == list(table.key.fields)


@pytest.mark.parametrize(
    ("dialect", "database"), [("mysql", mariadb_database), ("postgresql", postgres_database)]
)
def test_lengths_and_precisions_stand_in_the_types(
    dialect: str, database: Callable[[], AbstractContextManager[URL]]
) -> None:
    tables = [sized(t) for t in PACKS.tables()]
    with database() as url:
        columns = sa.inspect(made(url, tables, dialect)).get_multi_columns()
        for table in tables:
            for column in columns[None, table.name]:
                field, kind = table.by_name[column["name"]], column["type"]
                if field.length and field.kind is Kind.TEXT:
                    assert isinstance(kind, sa.VARCHAR)
                    assert kind.length == field.length.max
                if field.precision:
                    assert isinstance(kind, sa.Numeric)
                    assert (kind.precision, kind.scale) == (18, 2)


def test_a_row_holds_what_no_length_limits_and_the_database_numbers_it() -> None:
    (table,) = PACKS.named("SPGL_QYPGXXB")
    long = "区" * 70_000
    with mariadb_database() as url:
        engine = made(url, [table], "mysql")
        with engine.begin() as connection:
            place = sa.Table(table.name, sa.MetaData(), autoload_with=engine)
            connection.execute(place.insert(), [{"QYPGDYBM": "1", "QYPGFWZBXX": long}])
            row = connection.execute(sa.select(place.c.LSH, place.c.QYPGFWZBXX)).one()
    assert tuple(row) == (1, long)


@pytest.mark.parametrize("dialect", DIALECTS)
def test_files_are_deterministic_and_say_what_they_rest_on(dialect: str, tmp_path: Path) -> None:
    written = export_ddl(PACKS, DIALECTS[dialect], tmp_path)
    assert [p.name for p in written] == [f"{p.name}.{dialect}.sql" for p in PACKS]
    for path, pack in zip(written, PACKS, strict=True):
        text = path.read_text("utf-8")
        assert text == ddl_text(pack, DIALECTS[dialect])
        assert "重建，非官方文本" in text
        assert text.count("CREATE TABLE") == len(pack.tables)
        assert all(f.title.zh in text for t in pack.tables for f in t.fields)


def test_oracle_and_dameng_never_index_a_clob() -> None:
    for dialect in (DIALECTS["oracle"], DIALECTS["dameng"]):
        for table in PACKS.tables():
            create = next(iter(table_ddl(table, dialect)))
            for name in table.key.fields:
                assert f'"{name}" CLOB' not in create


def test_names_that_are_no_identifiers_are_refused_and_texts_are_quoted() -> None:
    table = PACKS.tables()[0]
    evil = replace(table.fields[0], name='X" INT); DROP TABLE Y; --')
    bad = replace(table, fields=(evil,), by_name={evil.name: evil})
    with pytest.raises(PackError, match="cannot name a table or column"):
        list(table_ddl(bad, DIALECTS["postgresql"]))
    odd = replace(table, title=replace(table.title, zh="a'b\\c\n--d"))
    with mariadb_database() as url:
        engine = made(url, [odd], "mysql")
        assert sa.inspect(engine).get_table_comment(odd.name)["text"] == "a'b\\c --d"
    with postgres_database() as url:
        engine = made(url, [odd], "postgresql")
        assert sa.inspect(engine).get_table_comment(odd.name)["text"] == "a'b\\c --d"
