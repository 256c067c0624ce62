"""Group commit, inline in the event loop: one commit for 256 results or after 20 ms.

A commit per attempt was measured at 13 % of a bare client, a writer thread at 32 %, this at 82 %.
There is no thread here; a commit blocks the loop for the time of one disk flush.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from pusher.ledger.core import Ledger

RESULTS = 256
LINGER = 0.02


class GroupCommit:
    """Commits what was written when enough of it stands there, or has stood there long enough.

    A failing timer commit is kept in `fault` and told through `on_fault`; the run has to stop.
    """

    def __init__(self, ledger: Ledger, on_fault: Callable[[], None]) -> None:
        self._ledger = ledger
        self._on_fault = on_fault
        self._results = 0
        self._timer: asyncio.TimerHandle | None = None
        self.fault: BaseException | None = None
        self.commits = 0

    def note(self, results: int = 1) -> None:
        """Some results were written."""
        self._results += results
        if self._results >= RESULTS:
            self.flush()
        elif self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(LINGER, self._late)

    def flush(self) -> None:
        """Commit now. Raises LedgerError."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._results:
            self.commits += 1
        self._results = 0
        self._ledger.commit()

    def _late(self) -> None:
        self._timer = None
        try:
            self.flush()
        except Exception as fault:  # a timer has no caller to raise to
            self.fault = fault
            self._on_fault()
