"""The inspector shows the same whether the ledger is a SQLite file or in PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from inspector_values import (
    FIRST,
    PROJECTS,
    SECOND,
    Nights,
    Visitor,
    app_of,
    nights,
    site_of,
    visiting,
)

from pusher.ledger import LedgerError, open_ledger
from spgl.inspector.site import Site
from spgl.ledger_place import LedgerPlace
from tests.ledgers import postgres_schema


def copied(path: Path, url: str, schema: str) -> None:
    """Every row of a SQLite ledger into an empty one on PostgreSQL."""
    source, copy = open_ledger(path), open_ledger(url, schema=schema)
    tables = source.db.rows(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%'"
    )
    with copy.transaction():
        for (table,) in tables:
            rows = source.db.rows(f"SELECT * FROM {table}")
            marks = ", ".join("?" for _ in (rows or [()])[0])
            copy.db.many(f"INSERT INTO {table} VALUES ({marks})", rows)
    numbered = copy.db.rows(
        "SELECT table_name, column_name FROM information_schema.columns "
        "WHERE table_schema = ? AND is_identity = 'YES'",
        (schema,),
    )
    for table, column in numbered:  # rows that came with their numbers
        sql = f"SELECT setval(pg_get_serial_sequence(?, ?), MAX({column}) + 1) FROM {table}"
        copy.db.rows(sql, (table, column))
    copy.audit()
    source.close()
    copy.close()


@pytest.fixture(scope="module")
def made() -> Nights:
    return nights()


@pytest.fixture(scope="module")
def shared(made: Nights) -> Iterator[Site]:
    with postgres_schema() as (url, schema):
        copied(made.state / "ledger.db", url, schema)
        yield replace(site_of(made), ledger=LedgerPlace(Path("none"), url, schema))


@pytest.fixture(scope="module")
def both(made: Nights, shared: Site) -> Iterator[tuple[Visitor, Visitor]]:
    mine = site_of(made)
    for site in (mine, shared):  # read now, not while a page is asked for
        for run in (FIRST, SECOND):
            site.snapshots.open(run)
    with visiting(app_of(mine)) as file, visiting(app_of(shared)) as database:
        yield file, database


@pytest.mark.parametrize(
    "path",
    [
        "/overview.json",
        "/ledger.json",
        "/ledger.json?state=rejected",
        "/ledger.json?state=accepted",
        "/monitoring.json",
        "/record.json?run={run}&table={table}&k.GCDM={hostile}",
    ],
)
def test_a_page_says_the_same_of_both(
    made: Nights, both: tuple[Visitor, Visitor], path: str
) -> None:
    asked = path.format(run=FIRST, table=PROJECTS, hostile=made.hostile)
    of_file, of_database = (visitor.json(asked) for visitor in both)
    for answer in (of_file, of_database):
        answer.pop("children", None)  # of the stored run, in no fixed order
    assert of_file == of_database
    assert of_file


def test_a_schema_without_a_ledger_is_no_ledger_yet(made: Nights, tmp_path: Path) -> None:
    site = site_of(made)
    of_file = replace(site, ledger=LedgerPlace(tmp_path / "none.db"))
    with postgres_schema() as (url, schema):
        of_database = replace(site, ledger=LedgerPlace(tmp_path / "none.db", url, schema))
        with visiting(app_of(of_file)) as file, visiting(app_of(of_database)) as database:
            for path in ("/ledger.json", "/monitoring.json"):
                assert file.json(path) == database.json(path)
            assert database.json("/overview.json")["ledger"] is False
            assert "还没有台账" in database.get("/ledger")
        acting = replace(of_database, rights=site_of(made, actions=True).rights)
        with visiting(app_of(acting)) as visitor:
            form = {"act": "retry", "csrf": acting.csrf, "version": "1"}
            visitor.answer("POST", "/act", 404, data=form)
        with pytest.raises(LedgerError, match="there is no ledger in schema"):
            of_database.ledger.open(read_only=True)
    assert not (tmp_path / "none.db").exists()


def test_a_person_acts_on_a_ledger_in_postgresql(made: Nights, shared: Site) -> None:
    ledger = shared.ledger.open()
    (version,) = ledger.db.rows("SELECT MIN(id) FROM version WHERE state = 'rejected'")[0]
    ledger.close()
    acting = replace(shared, rights=site_of(made, actions=True).rights)
    with visiting(app_of(acting)) as visitor:
        form = {"act": "retry", "csrf": acting.csrf, "version": str(version)}
        visitor.answer("POST", "/act", 303, data=form)
    ledger = shared.ledger.open()
    assert ledger.db.rows("SELECT state FROM version WHERE id = ?", (version,)) == [("queued",)]
    ledger.close()
