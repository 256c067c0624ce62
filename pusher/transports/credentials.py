"""Who we are to a target: a bearer token from the environment or a file.

The token is read when the transport opens, so that a rotated file is seen by the next run. It
appears in no message: `redact` takes it out of any text on its way to a log.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pusher.transport import Failure, TransportError

_HIDDEN = "***"


@dataclass(frozen=True, slots=True)
class Credentials:
    """A secret (empty: none) and the header that carries it."""

    secret: str = field(default="", repr=False)
    header: str = "Authorization"
    scheme: str = "Bearer"

    def headers(self) -> dict[str, str]:
        """The header of a request; empty without a secret."""
        if not self.secret:
            return {}
        return {self.header: f"{self.scheme} {self.secret}" if self.scheme else self.secret}

    def redact(self, text: str) -> str:
        """`text` without the secret."""
        return text.replace(self.secret, _HIDDEN) if self.secret else text


def read_secret(
    *, env: str | None, file: Path | None, environment: Mapping[str, str] | None = None
) -> str:
    """The secret named by `env` or `file`; empty when neither is set.

    Raises TransportError(CONFIGURATION) when it is named but not there, or holds what no header
    can carry.
    """
    if env is not None:
        secret = (os.environ if environment is None else environment).get(env, "").strip()
        where = f"environment variable {env}"
    elif file is not None:
        where = f"token file {file}"
        try:
            secret = file.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as fault:
            raise TransportError(
                Failure.CONFIGURATION, "token", f"{where} cannot be read"
            ) from fault
    else:
        return ""
    if not secret or not secret.isascii() or not secret.isprintable():
        raise TransportError(
            Failure.CONFIGURATION,
            "token",
            f"{where} holds no usable token: set it, then push again",
        )
    return secret
