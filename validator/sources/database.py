"""A database as input: tables known by name, read once in one read-only snapshot, spooled.

Rows come through a server-side cursor and go into private Parquet files, so that the second pass
reads what the first one read. Only SELECTs are sent. Values become text as a CSV export would hold
them. A password never stands in the address; it comes from `SPGL_SOURCE_PASSWORD`.
"""

from __future__ import annotations

import base64
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import polars as pl

from validator.pack import Kind, Table
from validator.records import SourceError
from validator.sources.columns import field_of
from validator.sources.naming import Naming
from validator.sources.parquet import ParquetSource
from validator.sources.source import Address, Opened, Place, SourceOptions, UnknownTable
from validator.sources.spool import private_folder
from validator.text import Text

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.engine import URL

PASSWORD = "SPGL_SOURCE_PASSWORD"  # noqa: S105 (the name of a variable)
#: Driver used when the address names none.
_DRIVERS = {"mysql": "pymysql", "mariadb": "pymysql", "postgresql": "psycopg"}
#: What to install for a backend that we bring an extra for.
_PACKAGES = {"mysql": "spgl[mysql]", "mariadb": "spgl[mysql]", "postgresql": "spgl[postgresql]"}
_ROWS = 10_000


def open_database(address: Address, naming: Naming, options: SourceOptions) -> Opened:
    """The known tables of the database, spooled. Raises SourceError, never with a password."""
    import sqlalchemy as sa

    label = str(address)
    place = Place(Path(), label)
    url = _url(address, place)
    sources, unknown = list[ParquetSource](), list[UnknownTable]()
    try:
        with _snapshot(url) as connection:
            inspector = sa.inspect(connection)
            for name in sorted({*inspector.get_table_names(), *inspector.get_view_names()}):
                table = naming.table(name, place)
                if table is not None:
                    path = private_folder(options) / f"{table.name}.parquet"
                    here = Place(path, f"{label}#{name}")
                    keys = inspector.get_pk_constraint(name)["constrained_columns"]
                    _spooled(connection, name, keys, table, here)
                    source = ParquetSource(table, here)
                    source.columns()
                    sources.append(source)
                elif "SPGL_" in name.upper():
                    unknown.append(UnknownTable(f"{label}#{name}", name))
    except (ImportError, sa.exc.NoSuchModuleError) as fault:
        backend = url.get_backend_name()
        package = _PACKAGES.get(backend, backend)
        said = _NO_DRIVER.fill({"name": backend, "package": package})
        raise SourceError(label, said) from fault
    except sa.exc.SQLAlchemyError as fault:
        raise SourceError(label, _UNREACHABLE) from fault
    if not sources and not unknown:
        raise place.refuse(
            "库中没有任何已知的表；请检查库名和 [tables] 的前缀、后缀",
            "the database holds no known table; check its name and the prefixes under [tables]",
        )
    return Opened(tuple(sources), tuple(unknown))


def _url(address: Address, place: Place) -> URL:
    import sqlalchemy as sa
    from sqlalchemy.engine import make_url

    try:
        url = make_url(address.url)
    except (sa.exc.ArgumentError, ValueError) as fault:
        raise place.refuse(
            "不是有效的数据库地址；例如 mysql://用户@主机/库名",
            "this is no database URL; write one like mysql://user@host/database",
        ) from fault
    if url.password is not None or any(key.lower().startswith("pass") for key in url.query):
        raise place.refuse(
            f"地址中不要写口令；请放到环境变量 {PASSWORD}",
            f"leave the password out of the URL; put it into the variable {PASSWORD}",
        )
    backend, plus, _ = url.drivername.partition("+")
    if backend == "sqlite":
        return _read_only_file(url, place)
    if not plus and backend in _DRIVERS:
        url = url.set(drivername=f"{backend}+{_DRIVERS[backend]}")
    password = os.environ.get(PASSWORD)
    return url.set(password=password) if password else url


def _read_only_file(url: URL, place: Place) -> URL:
    """SQLite makes a missing file and writes to one it opens; neither must happen here."""
    path = Path(url.database or "")
    if not url.database or not path.is_file():
        raise place.refuse(
            "没有这个 SQLite 文件；请检查路径", "there is no such SQLite file; check the path"
        )
    return url.set(
        database=f"file:{quote(str(path.resolve()))}", query={"mode": "ro", "uri": "true"}
    )


@contextmanager
def _snapshot(url: URL) -> Iterator[sa.Connection]:
    """One transaction that sees one moment and may not write."""
    import sqlalchemy as sa

    engine = sa.create_engine(url, poolclass=sa.NullPool, hide_parameters=True)
    backend = url.get_backend_name()
    if backend == "postgresql":
        engine = engine.execution_options(
            isolation_level="REPEATABLE READ", postgresql_readonly=True
        )
    elif backend in ("mysql", "mariadb"):
        engine = engine.execution_options(isolation_level="REPEATABLE READ")
    with engine.connect() as connection:
        if backend in ("mysql", "mariadb"):
            connection.exec_driver_sql("SET SESSION TRANSACTION READ ONLY")
            connection.commit()
        elif backend == "sqlite":
            # The driver alone begins no transaction for reading.
            connection.exec_driver_sql("BEGIN")
        yield connection
        connection.rollback()


def _spooled(
    connection: sa.Connection, name: str, keys: Sequence[str], table: Table, place: Place
) -> None:
    """Write one table, all columns as text, in the order of its primary key."""
    import sqlalchemy as sa

    relation = sa.table(sa.sql.quoted_name(name, quote=True))
    order: list[sa.ColumnClause[object]] = [sa.column(key) for key in keys]
    query = sa.select(sa.text("*")).select_from(relation).order_by(*order)
    result = connection.execution_options(stream_results=True, max_row_buffer=_ROWS).execute(query)
    kinds = {f.name: f.kind for f in table.fields}
    headers = list(result.keys())
    fields = [kinds.get(field_of(h, table, place) or "", Kind.TEXT) for h in headers]
    parts = list[pl.LazyFrame]()
    folder = place.path.parent
    with result:
        for number, rows in enumerate(result.partitions(_ROWS)):
            columns = zip(*rows, strict=True)
            frame = pl.DataFrame(
                {
                    h: [_text(v, kind) for v in column]
                    for h, kind, column in zip(headers, fields, columns, strict=True)
                },
                schema=dict.fromkeys(headers, pl.String),
            )
            part = folder / f"{number}.part"
            frame.write_parquet(part, compression="zstd")
            parts.append(pl.scan_parquet(part))
    if parts:
        pl.concat(parts).sink_parquet(place.path, maintain_order=True)
    else:
        pl.DataFrame(schema=dict.fromkeys(headers, pl.String)).write_parquet(place.path)
    for used in folder.glob("*.part"):
        used.unlink()


def _text(value: object, kind: Kind) -> str | None:
    """A value as a CSV export would write it."""
    if value is None or isinstance(value, str):
        return value or None
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float):
        return f"{Decimal(repr(value)):f}"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, datetime | date):
        return str(value)
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, bytes | bytearray | memoryview):
        return _of_bytes(bytes(value), kind)
    return str(value)


def _of_bytes(value: bytes, kind: Kind) -> str | None:
    if kind is not Kind.BINARY:
        try:
            return value.decode("utf-8") or None
        except UnicodeDecodeError:
            pass
    return base64.b64encode(value).decode() or None


_NO_DRIVER = Text(
    "没有 {name} 的驱动程序；请运行 pip install '{package}'",
    "no driver for {name}; run: pip install '{package}'",
)
_UNREACHABLE = Text(
    f"数据库无法连接或读取；请检查地址、用户和 {PASSWORD}，-v 显示原因",
    f"the database cannot be reached or read; check address, user and {PASSWORD}; -v shows why",
)
