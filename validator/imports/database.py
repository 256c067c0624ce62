"""The front exchange database as it is: tables, columns, NOT NULL, unique indexes, comments.

Read through SQLAlchemy's inspector: MySQL and MariaDB, PostgreSQL and its relatives, SQLite; Oracle
and Dameng where their driver is installed, never run on a server. Nothing is written, no row is
read, and a password never stands in the URL.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, cast

from validator.exports.ddl import KEY_INDEX, MYSQL_WIDEST
from validator.imports.official import Basis, Official, OfficialField, OfficialTable
from validator.pack import EXCHANGE_FIELDS, Kind
from validator.records import SourceError
from validator.text import Text

if TYPE_CHECKING:
    import sqlalchemy as sa
    from sqlalchemy.engine import URL

#: Driver used when a URL names none, and the extra of ours that brings it.
DRIVERS: Mapping[str, tuple[str, str]] = {
    "mysql": ("pymysql", "spgl[mysql]"),
    "mariadb": ("pymysql", "spgl[mysql]"),
    "postgresql": ("psycopg", "spgl[postgresql]"),
    "oracle": ("oracledb", "oracledb"),
    "dm": ("dmPython", "dmPython dmSQLAlchemy"),
}
_OURS = re.compile(r"SPGL_", re.I)
#: Digits from which a NUMBER(p) only says "a large integer".
_ANY_INTEGER = 18
_COMMENT = "comment"


def read_database(address: str, *, password: str = "", schema: str | None = None) -> Official:
    """What the database declares. Raises SourceError with what to do."""
    import sqlalchemy as sa

    url = _url(address)
    label = url.render_as_string()
    try:
        engine = sa.create_engine(
            url.set(password=password) if password else url,
            poolclass=sa.NullPool,
            hide_parameters=True,
        )
        with engine.connect() as connection:
            inspector = sa.inspect(connection)
            found = set(inspector.get_schema_names()) if schema else set()
            if schema and schema not in found:
                raise SourceError(
                    label,
                    Text(
                        f"没有模式 {schema}；请检查 --schema",
                        f"there is no schema {schema}; check --schema",
                    ),
                )
            return _read(inspector, label, schema)
    except (ImportError, sa.exc.NoSuchModuleError) as fault:
        raise SourceError(label, _no_driver(url.get_backend_name())) from fault
    except sa.exc.SQLAlchemyError as fault:
        raise SourceError(label, _unreachable(fault)) from fault


def _url(address: str) -> URL:
    import sqlalchemy as sa
    from sqlalchemy.engine import make_url

    try:
        url = make_url(address)
    except sa.exc.ArgumentError as fault:
        raise SourceError(
            "import-ddl",
            Text(
                "不是有效的数据库地址；例如 mysql://用户@主机/库名",
                "this is no database URL; write one like mysql://user@host/database",
            ),
        ) from fault
    if url.password is not None:
        raise SourceError(
            url.render_as_string(),
            Text(
                "地址中不要写口令；请用 --password-env 或 --password-file",
                "leave the password out of the URL; use --password-env or --password-file",
            ),
        )
    backend, _, driver = url.drivername.partition("+")
    if not driver and backend in DRIVERS:
        url = url.set(drivername=f"{backend}+{DRIVERS[backend][0]}")
    return url


def _no_driver(backend: str) -> Text:
    package = DRIVERS.get(backend, ("", backend))[1]
    return Text(
        f"没有 {backend} 的驱动程序；请运行 pip install '{package}'",
        f"no driver for {backend}; run: pip install '{package}'",
    )


#: Words of a driver's message and what they mean to a person.
_CAUSES = (
    (
        r"1045|password authentication|ORA-01017|access denied",
        Text("用户名或口令不对", "user or password is wrong"),
    ),
    (
        r"1049|does not exist|unknown database",
        Text("没有这个库或用户", "there is no such database or user"),
    ),
    (
        r"2003|refused|could not translate|getaddrinfo|resolve|timed? ?out",
        Text("连接不上主机", "the host cannot be reached"),
    ),
    (r"unable to open database file", Text("没有这个文件", "there is no such file")),
)


def _unreachable(fault: Exception) -> Text:
    said = str(fault)
    for pattern, cause in _CAUSES:
        if re.search(pattern, said, re.I):
            return Text(f"{cause.zh}；请检查地址和口令", f"{cause.en}; check address and password")
    return Text("无法读取数据库；-v 显示原因", "the database cannot be read; -v shows why")


def _read(inspector: sa.Inspector, label: str, schema: str | None) -> Official:
    names = sorted(inspector.get_table_names(schema=schema))
    ours = [n for n in names if _OURS.search(n)]
    wanted = {"schema": schema, "filter_names": ours}
    columns = inspector.get_multi_columns(**wanted) if ours else {}  # type: ignore[arg-type]
    comments = {n: _table_comment(inspector, n, schema) for n in ours}
    tables = tuple(
        OfficialTable(
            name=name,
            title=comments[name],
            fields=tuple(_field(cast("Mapping[str, object]", c)) for c in found),
            keys=tuple(
                k for k in dict.fromkeys(_keys(inspector, name, schema)) if _tells(k, found)
            ),
        )
        for (_, name), found in sorted(columns.items(), key=lambda pair: pair[0][1])
    )
    others = tuple(n for n in names if not _OURS.search(n))
    return Official(label, Basis.DATABASE, tables, others)


def _table_comment(inspector: sa.Inspector, name: str, schema: str | None) -> str:
    try:
        return inspector.get_table_comment(name, schema=schema)["text"] or ""
    except NotImplementedError:  # SQLite has no comments
        return ""


def _field(column: Mapping[str, object]) -> OfficialField:
    """A column as the inspector gives it."""
    kinds, length, precision, codes = describe_type(column["type"])
    given = column.get("default") is not None or column.get("autoincrement") is True
    made = given or bool(column.get("identity")) or bool(column.get("computed"))
    return OfficialField(
        name=str(column["name"]).upper(),
        title=str(column.get(_COMMENT) or "").strip(),
        written=str(column["type"]),
        kinds=kinds,
        length=length,
        precision=precision,
        required=not column["nullable"] and not made,
        codes=codes,
    )


Described = tuple[
    tuple[Kind, ...], int | None, tuple[int, int] | None, tuple[tuple[str, str], ...] | None
]


def describe_type(made: object) -> Described:
    """(kinds, length, precision, codes) of an SQLAlchemy type; no kinds for one not known."""
    import sqlalchemy as sa
    from sqlalchemy.dialects import oracle

    if isinstance(made, sa.Enum):
        return (Kind.TEXT,), None, None, tuple((str(code), "") for code in made.enums)
    if isinstance(made, oracle.DATE):  # it also carries the time of day
        return (Kind.DATE, Kind.DATETIME), None, None, None
    if isinstance(made, sa.DateTime):
        return (Kind.DATETIME,), None, None, None
    if isinstance(made, sa.Date):
        return (Kind.DATE,), None, None, None
    if isinstance(made, sa.Float):
        return (Kind.DECIMAL,), None, None, None
    if isinstance(made, sa.Numeric):  # before Integer: Oracle's NUMBER is both
        return _number(made.precision, made.scale)
    if isinstance(made, sa.Integer | sa.Boolean):
        return (Kind.INTEGER,), None, None, None
    if isinstance(made, sa.LargeBinary | sa.types._Binary):
        return (Kind.BINARY,), None, None, None
    if isinstance(made, sa.String):
        return (Kind.TEXT,), made.length, None, None
    return (), None, None, None


def _number(digits: int | None, scale: int | None) -> Described:
    if digits is None or (digits, scale) == MYSQL_WIDEST:
        return (Kind.DECIMAL, Kind.INTEGER), None, None, None
    if not scale:
        length = digits if digits < _ANY_INTEGER else None
        return (Kind.INTEGER, Kind.DECIMAL), length, (digits, 0), None
    return (Kind.DECIMAL,), None, (digits, scale), None


def _keys(inspector: sa.Inspector, name: str, schema: str | None) -> Iterator[tuple[str, ...]]:
    """Unique sets of columns without exchange columns; else the index that our own SQL makes."""
    found: list[Sequence[str | None]] = []
    primary = inspector.get_pk_constraint(name, schema=schema)
    found.append(primary["constrained_columns"] if primary else ())
    found += [u["column_names"] for u in inspector.get_unique_constraints(name, schema=schema)]
    indexes = inspector.get_indexes(name, schema=schema)
    found += [i["column_names"] for i in indexes if i["unique"]]
    unique = list(filter(None, map(_business, found)))
    marked = KEY_INDEX.format(table=name).upper()
    ours = [i["column_names"] for i in indexes if str(i["name"]).upper() == marked]
    yield from unique or filter(None, map(_business, ours))


def _tells(key: tuple[str, ...], columns: Sequence[object]) -> bool:
    """False for a running number, which tells nothing of what a record is."""
    maps = cast("Sequence[Mapping[str, object]]", columns)
    made = [c for c in maps if c.get("autoincrement") is True or c.get("identity")]
    return not set(key) <= {str(c["name"]).upper() for c in made}


def _business(columns: Iterable[str | None]) -> tuple[str, ...]:
    """Without exchange columns; nothing where only the local key of a row is left."""
    kept = tuple(c.upper() for c in columns if c and c.upper() not in EXCHANGE_FIELDS)
    return () if kept == ("DFSJZJ",) else kept
