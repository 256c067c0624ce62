"""Databases as input: SQLite embedded, MariaDB and PostgreSQL as they are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import services
import sqlalchemy as sa
from source_values import PACKS, read
from sqlalchemy.engine import URL

from validator.sources import Address, Discovery, SourceOptions, discover
from validator.sources.database import PASSWORD

ROWS = [
    {"XMDM": "p2", "XMMC": "乙", "TZE": Decimal("12.50"), "KSSJ": datetime(2024, 3, 5, 9, 30)},
    {"XMDM": "p1", "XMMC": "", "TZE": None, "KSSJ": datetime(2024, 3, 6)},
]


@contextmanager
def server(name: str, folder: Path) -> Iterator[URL]:
    if name == "sqlite":
        yield URL.create("sqlite", database=str(folder / "front #1?.db"))
    elif name == "mariadb":
        with services.mariadb_database() as url:
            yield url
    else:
        with services.postgres_database() as url:
            yield url


def filled(url: URL, rows: int = 0) -> None:
    data = sa.MetaData()
    projects = sa.Table(
        "SPGL_AXXB_370800",
        data,
        sa.Column("XMDM", sa.String(50), primary_key=True),
        sa.Column("XMMC", sa.String(50)),
        sa.Column("TZE", sa.Numeric(10, 2)),
        sa.Column("KSSJ", sa.DateTime),
        sa.Column("JSSJ", sa.Date),
        sa.Column("BZ", sa.Integer),
    )
    sa.Table("SPGL_BXXB", data, sa.Column("slbm", sa.Integer, primary_key=True))
    sa.Table("SPGL_OTHER", data, sa.Column("x", sa.Integer))
    sa.Table("users", data, sa.Column("x", sa.Integer))
    engine = sa.create_engine(url, poolclass=sa.NullPool)
    data.create_all(engine)
    with engine.begin() as connection:
        connection.execute(projects.insert(), [{**r, "JSSJ": date(2024, 4, 1)} for r in ROWS])
        if rows:
            many = [{"XMDM": f"q{n:06}"} for n in range(rows)]
            connection.execute(projects.insert(), many)


def opened(url: URL | str, spool: Path) -> Discovery:
    text = url if isinstance(url, str) else url.render_as_string(hide_password=True)
    return discover([Address(text)], PACKS, SourceOptions(spool=spool))


@pytest.mark.parametrize("name", ["sqlite", "mariadb", "postgresql"])
def test_known_tables_are_read_in_the_order_of_their_key(name: str, tmp_path: Path) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    with server(name, tmp_path) as url:
        filled(url, 25_000)
        found = opened(url, spool)
    # What was spooled is read after the database is gone.
    assert not found.problems, found.problems
    projects, cases = found.sources
    assert projects.file.endswith("#SPGL_AXXB_370800")
    assert [u.name for u in found.unknown] == ["SPGL_OTHER"]
    got = read(projects)
    assert got.rows[0][2] == {
        "XMDM": "p1",
        "KSSJ": "2024-03-06 00:00:00",
        "JSSJ": "2024-04-01",
    } or (name == "sqlite" and got.rows[0][2]["KSSJ"].startswith("2024-03-06 00:00:00"))
    assert got.rows[1][2]["TZE"] in ("12.50", "12.5")
    assert got.cells("XMDM")[2:] == [f"q{n:06}" for n in range(25_000)]
    assert not got.native
    assert read(cases).rows == []
    assert [c.header for c in projects.columns() if c.field is None] == ["BZ"]


def test_a_sqlite_file_is_never_written(tmp_path: Path) -> None:
    with server("sqlite", tmp_path) as url:
        filled(url)
        path = Path(url.database or "")
        before = hashlib.sha256(path.read_bytes()).hexdigest()
        assert opened(url, tmp_path).sources
        assert hashlib.sha256(path.read_bytes()).hexdigest() == before
    missing = tmp_path / "missing.db"
    (problem,) = opened(f"sqlite:///{missing}", tmp_path).problems
    assert "no such SQLite file" in problem.text.en
    assert not missing.exists()


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("mysql://u:secret@127.0.0.1:1/db", "leave the password out"),
        ("postgresql://u@127.0.0.1:1/db?password=secret", "leave the password out"),
        ("mysql://u:p@secret@127.0.0.1:1/db?passwd=secret", "leave the password out"),
        ("mysql://u@127.0.0.1:1/db", "cannot be reached"),
        ("postgresql://u@127.0.0.1:1/db", "cannot be reached"),
        ("nodb://u@h/db", "no driver for nodb"),
        ("mysql://u@h:port/db", "no database URL"),
    ],
)
def test_what_cannot_be_read_is_one_clear_line(
    url: str, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PASSWORD, "hunter2")
    (problem,) = opened(url, tmp_path).problems
    assert said in problem.text.en
    assert problem.text.zh
    for secret in ("secret", "hunter2"):
        assert secret not in f"{problem.file} {problem.text.en} {problem.text.zh}"


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "x.db"
    path.write_bytes(b"x" * 5000)
    (problem,) = opened(f"sqlite:///{path}", tmp_path).problems
    assert "cannot be reached or read" in problem.text.en
    path.write_bytes(b"")
    (problem,) = opened(f"sqlite:///{path}", tmp_path).problems
    assert "no known table" in problem.text.en
