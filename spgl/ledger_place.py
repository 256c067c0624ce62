"""Where the ledger is: a file, or a schema of a PostgreSQL database that several processes share.

A place is a value; opening it is the only thing it does. The password of a database comes from
`PGPASSWORD` or `PGPASSFILE`, never from a setting, so that an address can be shown anywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

from validator.text import Text

if TYPE_CHECKING:
    from pusher.ledger.core import Ledger

SCHEME = "postgresql+psycopg://"
SCHEMA = "spgl"
_NAME = re.compile(r"[a-z_][a-z0-9_]{0,62}")


@dataclass(frozen=True, slots=True)
class LedgerPlace:
    """A ledger file, or (`url` given) a `schema` of a PostgreSQL database."""

    path: Path
    url: str = ""
    schema: str = SCHEMA

    @property
    def shared(self) -> bool:
        """Several processes may push from it at once."""
        return bool(self.url)

    def __str__(self) -> str:
        return f"{self.url} ({self.schema})" if self.url else str(self.path)

    def exists(self) -> bool:
        """Whether a file is there; a database is always asked."""
        return self.shared or self.path.exists()

    def open(self, *, read_only: bool = False) -> Ledger:
        """Open it, make what is missing; `read_only`, for a database alone, makes and writes
        nothing. Raises LedgerError."""
        from pusher.ledger.core import Ledger, open_ledger

        if not self.url:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return open_ledger(self.path)
        if not read_only:
            return open_ledger(self.url, schema=self.schema)
        from pusher.ledger.postgresql import Postgres

        return Ledger(Postgres(self.url, self.schema, read_only=True))

    def copy(self, path: Path) -> None:
        """A copy as a file, nothing where there is no ledger yet. Raises LedgerError."""
        from pusher.ledger.copying import copy_file, copy_schema

        if self.url:
            copy_schema(self.url, self.schema, path)
        else:
            copy_file(self.path, path)


def fault_of(url: str, schema: str) -> Text | None:
    """What is wrong with an address or schema name; None: nothing. The address is not repeated
    where it holds a password."""
    try:
        parts = urlsplit(url)
        secret = parts.password is not None or "password" in parse_qs(parts.query)
        named = bool(parts.path.strip("/"))
    except ValueError:
        return _MALFORMED
    if secret or parts.netloc.count("@") > 1:
        return _PASSWORD
    if not url.startswith(SCHEME) or not named:
        return _MALFORMED
    return None if _NAME.fullmatch(schema) else _BAD_SCHEMA.fill({"schema": schema})


_PASSWORD = Text(
    "台账地址不可含密码；请用环境变量 PGPASSWORD 或 PGPASSFILE",
    "the address of a ledger must not hold a password; set PGPASSWORD or PGPASSFILE instead",
)
_MALFORMED = Text(
    "台账地址应为 postgresql+psycopg://用户@主机/数据库",
    "the address of a ledger must read postgresql+psycopg://user@host/database",
)
_BAD_SCHEMA = Text(
    "台账模式名 {schema} 不合法：只用小写字母、数字和下划线，不以数字开头",
    "ledger schema {schema} is no plain name; use lower-case letters, digits and underscores, "
    "no digit first",
)
