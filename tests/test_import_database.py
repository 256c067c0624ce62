"""import-ddl on real servers: a database from our own DDL differs only in what is planted."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy as sa
import sqlalchemy.dialects.mysql
import sqlalchemy.dialects.oracle
import sqlalchemy.dialects.postgresql
from services import mariadb_database, postgres_database
from sqlalchemy.engine import URL

from spgl.cli import main
from validator.exports.ddl import DIALECTS, table_ddl
from validator.imports.database import describe_type, read_database
from validator.imports.differences import Compared, Topic, compare
from validator.imports.write import write_overlays
from validator.load import load_packs
from validator.pack import Attests, Kind, Packs, Provenance
from validator.records import SourceError
from validator.sources import SourceOptions

PACKS = load_packs()
SERVERS = {"mysql": mariadb_database, "postgresql": postgres_database}

#: Ten differences, planted in SQL of both servers: (topic, table, field).
PLANTED = [
    (Topic.MISSING_TABLE, "SPGL_QYPGSXXXB", ""),
    (Topic.SURPLUS_TABLE, "SPGL_NEWXXB", ""),
    (Topic.MISSING_FIELD, "SPGL_XMJBXXB", "GCFW"),
    (Topic.SURPLUS_FIELD, "SPGL_XMJBXXB", "NEWCOL"),
    (Topic.TYPE, "SPGL_XMJBXXB", "SFXXGC"),
    (Topic.LENGTH, "SPGL_XMJBXXB", "XMMC"),
    (Topic.NULL, "SPGL_XMJBXXB", "SPLCBM"),
    (Topic.NULL, "SPGL_XMJBXXB", "XMDM"),
    (Topic.KEY, "SPGL_XMSPSXBLXXB", ""),
    (Topic.CODES, "SPGL_XMDTXXB", "JGTX"),
]
SQL = {
    "mysql": """
        DROP TABLE SPGL_QYPGSXXXB
        CREATE TABLE SPGL_NEWXXB (ID BIGINT AUTO_INCREMENT PRIMARY KEY, NAME VARCHAR(40))
        CREATE TABLE OTHER (ID BIGINT)
        ALTER TABLE SPGL_XMJBXXB DROP COLUMN GCFW
        ALTER TABLE SPGL_XMJBXXB ADD COLUMN NEWCOL VARCHAR(40) COMMENT '新列' AFTER XMMC
        ALTER TABLE SPGL_XMJBXXB ADD COLUMN SCSJ DATETIME
        ALTER TABLE SPGL_XMJBXXB MODIFY COLUMN SFXXGC VARCHAR(2) COMMENT '是否线性工程'
        ALTER TABLE SPGL_XMJBXXB MODIFY COLUMN XMMC VARCHAR(200) COMMENT '项目名称'
        ALTER TABLE SPGL_XMJBXXB MODIFY COLUMN SPLCBM MEDIUMTEXT NULL COMMENT '审批流程编码'
        ALTER TABLE SPGL_XMJBXXB MODIFY COLUMN XMDM MEDIUMTEXT NOT NULL COMMENT '项目代码'
        ALTER TABLE SPGL_XMSPSXBLXXB ADD UNIQUE INDEX U (GCDM(60), SPSXSLBM(60), SJYXBS)
        ALTER TABLE SPGL_XMDTXXB MODIFY COLUMN JGTX ENUM('01', '02')
    """,
    "postgresql": """
        DROP TABLE "SPGL_QYPGSXXXB"
        CREATE TABLE "SPGL_NEWXXB" (ID BIGSERIAL PRIMARY KEY, NAME VARCHAR(40))
        CREATE TABLE other (id BIGINT)
        ALTER TABLE "SPGL_XMJBXXB" DROP COLUMN "GCFW"
        ALTER TABLE "SPGL_XMJBXXB" ADD COLUMN newcol VARCHAR(40)
        ALTER TABLE "SPGL_XMJBXXB" ADD COLUMN "SCSJ" TIMESTAMP
        ALTER TABLE "SPGL_XMJBXXB" ALTER COLUMN "SFXXGC" TYPE VARCHAR(2)
        ALTER TABLE "SPGL_XMJBXXB" ALTER COLUMN "XMMC" TYPE VARCHAR(200)
        ALTER TABLE "SPGL_XMJBXXB" ALTER COLUMN "SPLCBM" DROP NOT NULL
        ALTER TABLE "SPGL_XMJBXXB" ALTER COLUMN "XMDM" SET NOT NULL
        CREATE UNIQUE INDEX u ON "SPGL_XMSPSXBLXXB" ("GCDM", "SPSXSLBM", "SJYXBS")
        CREATE TYPE "JGTX" AS ENUM ('01', '02')
        ALTER TABLE "SPGL_XMDTXXB" ALTER COLUMN "JGTX" TYPE "JGTX" USING NULL
    """,
}


@contextmanager
def front(server: str, *, planted: bool) -> Iterator[URL]:
    """A front database made from our own DDL."""
    with SERVERS[server]() as url:
        engine = sa.create_engine(url, poolclass=sa.NullPool)
        with engine.begin() as connection:
            for table in PACKS.tables():
                for statement in table_ddl(table, DIALECTS[server]):
                    connection.exec_driver_sql(statement)
            for statement in SQL[server].strip().splitlines() if planted else ():
                connection.exec_driver_sql(statement)
        yield url


def compared(url: URL, packs: Packs = PACKS) -> Compared:
    return compare(packs, read_database(str(url)), SourceOptions())


@pytest.mark.parametrize("server", SERVERS)
def test_our_own_ddl_differs_in_nothing_and_makes_every_field_official(
    server: str, tmp_path: Path
) -> None:
    with front(server, planted=False) as url:
        found = compared(url)
    assert found.differences == ()
    folders = write_overlays(PACKS, found, tmp_path)
    raised = load_packs(folders)
    assert [p.official_fields for p in raised] == [
        (p.official_fields[1], p.official_fields[1]) for p in PACKS
    ]
    for table, before in zip(raised.tables(), PACKS.tables(), strict=True):
        assert table.key.provenance is Provenance.OFFICIAL
        assert [f.kind for f in table.fields] == [f.kind for f in before.fields]
        assert [f.length for f in table.fields] == [f.length for f in before.fields]


@pytest.mark.parametrize("server", SERVERS)
def test_ten_planted_differences_are_exactly_those_reported(server: str, tmp_path: Path) -> None:
    with front(server, planted=True) as url:
        found = compared(url)
        assert sorted((d.topic, d.table, d.field) for d in found.differences) == sorted(PLANTED)
        assert [n.upper() for n in found.official.others] == ["OTHER"]
        write_overlays(PACKS, found, tmp_path)
        raised = load_packs([tmp_path / p.name for p in PACKS])
        again = compared(url, raised)
    (projects,) = raised.named("SPGL_XMJBXXB")
    assert "GCFW" not in projects.by_name
    assert projects.by_name["SFXXGC"].kind is Kind.TEXT
    assert projects.by_name["XMMC"].length is not None
    assert projects.by_name["XMMC"].length.max == 200
    marks = projects.by_name["XMDM"].required
    assert [(m.attests, m.provenance) for m in marks] == [(Attests.REFUSAL, Provenance.OFFICIAL)]
    new = projects.by_name["NEWCOL"]
    assert (new.length and new.length.max, new.provenance) == (40, Provenance.OFFICIAL)
    (units,) = raised.named("SPGL_XMDTXXB")
    use = units.by_name["JGTX"].codes
    assert use is not None
    made = raised.code_list(units, use.list)
    assert (made.closed, [c.code for c in made.codes]) == (True, ["01", "02"])
    assert made.provenance is Provenance.OFFICIAL
    (cases,) = raised.named("SPGL_XMSPSXBLXXB")
    assert cases.key.fields == ("GCDM", "SPSXSLBM")
    assert [(d.topic, d.table, d.field) for d in again.differences] == [
        (Topic.MISSING_TABLE, "SPGL_QYPGSXXXB", ""),
        (Topic.NULL, "SPGL_XMJBXXB", "SPLCBM"),
        (Topic.SURPLUS_TABLE, "SPGL_NEWXXB", ""),
    ], "what the overlay takes over differs no more"


def test_an_enumeration_of_a_shared_list_becomes_a_list_of_its_own(tmp_path: Path) -> None:
    change = "ALTER TABLE SPGL_XMJBXXB MODIFY COLUMN XMZJSX ENUM('1','2','7')"
    other = "ALTER TABLE SPGL_XMJBXXB MODIFY COLUMN CD DECIMAL(12,3)"
    with front("mysql", planted=False) as url:
        with sa.create_engine(url, poolclass=sa.NullPool).begin() as connection:
            connection.exec_driver_sql(change)
            connection.exec_driver_sql(other)
        found = compared(url)
    assert {(d.topic, d.field, d.theirs) for d in found.differences} == {
        (Topic.TYPE, "XMZJSX", "ENUM"),
        (Topic.CODES, "XMZJSX", "+7; -3"),
        (Topic.LENGTH, "CD", "(12,3)"),
    }
    packs = load_packs(write_overlays(PACKS, found, tmp_path))
    (table,) = packs.named("SPGL_XMJBXXB")
    use, length = table.by_name["XMZJSX"].codes, table.by_name["CD"].precision
    assert use is not None
    assert packs.code_list(table, use.list).closed
    assert [c.code for c in packs.code_list(table, use.list).codes] == ["1", "2", "7"]
    assert length is not None
    assert (length.digits, length.scale) == (12, 3)


def test_the_command_tells_the_differences_and_writes_overlays(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "official"
    with front("mysql", planted=True) as url:
        words = ["packs", "import-ddl", str(url), "--out", str(out), "--lang"]
        assert main([*words, "zh"]) == 0
        told = capsys.readouterr().out
        assert main([*words, "en"]) == 2
        assert "not an empty folder" in capsys.readouterr().err
    assert "10 处不同" in told
    assert "SPGL_XMJBXXB.XMMC  ? → 200" in told
    assert "另有 1 张表名不含 SPGL_，未作比较" in told
    assert f"{out / 'data-sharing-3.0'}  官方字段 " in told
    text = (out / "data-sharing-3.0/tables/SPGL_XMJBXXB.toml").read_text("utf-8")
    assert "# SPLCBM null: NOT NULL → NULL" in text
    head = (out / "data-sharing-3.0/pack.toml").read_text("utf-8")
    assert "# SPGL_NEWXXB" in head, "a running number is no key, so the table waits for a person"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://root:secret@127.0.0.1/x", "leave the password out of the URL"),
        ("nonsense", "no database URL"),
        ("mysql://root@127.0.0.1:1/x", "cannot be reached"),
        ("sybase://h/x", "no driver for sybase"),
        ("sqlite:////no/such/folder/file.db", "no such file"),
    ],
)
def test_what_cannot_be_read_is_one_line_without_the_password(
    url: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["packs", "import-ddl", url, "--lang", "en"]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1
    assert "secret" not in said


def test_a_missing_database_and_a_wrong_password_are_told_apart() -> None:
    with mariadb_database() as url:
        with pytest.raises(SourceError) as caught:
            read_database(str(url.set(database="no_such_database")))
        assert "no such database" in caught.value.text.en
        with pytest.raises(SourceError) as caught:
            read_database(str(url.set(username="nobody_here")), password="x")
        assert "password" in caught.value.text.en
        with pytest.raises(SourceError) as caught:
            read_database(str(url), schema="no_such_schema")
        assert "no schema no_such_schema" in caught.value.text.en


def test_the_password_comes_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with front("postgresql", planted=False) as url:
        words = ["packs", "import-ddl", str(url), "--lang", "en"]
        assert main([*words, "--password-env", "SPGL_TEST_NO_SUCH"]) == 2
        assert "no such variable" in capsys.readouterr().err
        file = tmp_path / "password"
        file.write_text("anything\n", encoding="utf-8")
        assert main([*words, "--password-file", str(file)]) == 0
        monkeypatch.setenv("SPGL_TEST_PASSWORD", "anything")
        assert main([*words, "--password-env", "SPGL_TEST_PASSWORD"]) == 0
        assert "0 differences" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("made", "kinds", "length", "precision"),
    [
        (sa.dialects.oracle.DATE(), (Kind.DATE, Kind.DATETIME), None, None),
        (sa.dialects.oracle.NUMBER(19), (Kind.INTEGER, Kind.DECIMAL), None, (19, 0)),
        (sa.dialects.oracle.NUMBER(10, 0), (Kind.INTEGER, Kind.DECIMAL), 10, (10, 0)),
        (sa.dialects.oracle.NUMBER(), (Kind.DECIMAL, Kind.INTEGER), None, None),
        (sa.dialects.oracle.VARCHAR2(200), (Kind.TEXT,), 200, None),
        (sa.dialects.oracle.CLOB(), (Kind.TEXT,), None, None),
        (sa.dialects.mysql.DECIMAL(18, 2), (Kind.DECIMAL,), None, (18, 2)),
        (sa.dialects.mysql.TINYINT(1), (Kind.INTEGER,), None, None),
        (sa.dialects.postgresql.BYTEA(), (Kind.BINARY,), None, None),
        (sa.dialects.postgresql.UUID(), (), None, None),
        (sa.types.NullType(), (), None, None),
    ],
)
def test_column_types(
    made: object, kinds: tuple[Kind, ...], length: int | None, precision: object
) -> None:
    assert describe_type(made)[:3] == (kinds, length, precision)
