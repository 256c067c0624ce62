"""The databases the exchange-database transport speaks to, one file each.

`connect` is the way in: it finds the dialect of a URL and makes an engine; nothing is sent yet.
"""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from pusher.transport import Failure, TransportError
from pusher.transports.credentials import read_secret
from pusher.transports.dialect import Dialect
from pusher.transports.dialects import dameng, mysql, oracle, postgresql, sqlite
from pusher.transports.exchange_settings import ExchangeSettings

#: By the first part of a SQLAlchemy URL. HighGo and Kingbase speak PostgreSQL.
DIALECTS: dict[str, Dialect] = {
    "sqlite": sqlite.DIALECT,
    "mysql": mysql.DIALECT,
    "mariadb": mysql.DIALECT,
    "postgresql": postgresql.DIALECT,
    "oracle": oracle.DIALECT,
    "dm": dameng.DIALECT,
}


def connect(settings: ExchangeSettings, *, create: bool = False) -> tuple[Dialect, sa.Engine]:
    """The dialect and an engine for a URL.

    Raises TransportError(CONFIGURATION), also for a database file that is not there, unless it is
    to be created: a mistyped path must not become an empty database.
    """
    url = _url(settings.url)
    dialect = DIALECTS.get(url.get_backend_name())
    if dialect is None:
        raise _wrong(
            f"no exchange database of kind {url.get_backend_name()!r}; "
            f"known: {', '.join(sorted(DIALECTS))}"
        )
    file = url.database if dialect.name == "sqlite" else None
    if file and file != ":memory:" and not create and not Path(file).is_file():
        raise _wrong(f"there is no database file {file}")
    secret = read_secret(env=settings.password_env, file=settings.password_file)
    if secret:
        url = url.set(password=secret)
    if "+" not in url.drivername and dialect.driver:
        url = url.set(drivername=f"{url.drivername}+{dialect.driver}")
    try:
        return dialect, dialect.engine(url, settings)
    except (ImportError, sa.exc.NoSuchModuleError) as fault:
        raise TransportError(
            Failure.CONFIGURATION,
            "driver",
            f"the driver for {url.drivername} is not installed; "
            f"install it with pip install 'spgl[{dialect.name}]'",
        ) from fault


def backend(url: str) -> str:
    """The name of the database of a URL, as in `DIALECTS`. Raises TransportError."""
    return _url(url).get_backend_name()


def _url(text: str) -> URL:
    try:
        url = make_url(text)
    except sa.exc.ArgumentError as fault:
        raise _wrong("the exchange database has no valid SQLAlchemy URL") from fault
    if url.password is not None:
        raise _wrong("leave the password out of the URL; name it by password_env or password_file")
    return url


def _wrong(text: str) -> TransportError:
    return TransportError(Failure.CONFIGURATION, "address", text)
