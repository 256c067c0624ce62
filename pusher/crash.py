"""Named crash points for the fault tests: `SPGL_CRASH=claimed:3` kills the process, without any
chance to clean up, when it passes the point `claimed` for the third time. Without that variable
this does nothing."""

from __future__ import annotations

import os
import signal

_POINT, _, _COUNT = os.environ.get("SPGL_CRASH", "").partition(":")
_left = int(_COUNT or 1)


def at(point: str) -> None:
    """Die here if told so."""
    global _left  # noqa: PLW0603 - one process, one death
    if point == _POINT:
        _left -= 1
        if _left <= 0:
            os.kill(os.getpid(), getattr(signal, "SIGKILL", signal.SIGTERM))
