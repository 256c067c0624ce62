"""The durable store of the pusher: all SQL, identities, versions, batches, attempts, events.

`core` is the open ledger and the one place where states change; `enter` takes judged records in
(`intake` is its rows, `content` what they say); `outbox` claims what is due, `frozen` is a claimed
batch, `outcome` what came of it; `waiting` keeps children behind their parents; `verdicts` applies
later words of the target; `queries` and `known` answer questions; `actions` are a person's;
`database` is the engine below, `0001.sql` and what follows it the schema.
"""

from pusher.ledger.actions import Act, hold, retry, withdraw
from pusher.ledger.core import Ledger, open_ledger
from pusher.ledger.database import LedgerError
from pusher.ledger.enter import Books, enter
from pusher.ledger.known import Adopted, adopt, known
from pusher.ledger.queries import (
    Entry,
    Happening,
    Life,
    Run,
    Status,
    Tried,
    Version,
    life,
    list_rows,
    status,
)
from pusher.ledger.selector import Selector

__all__ = [
    "Act",
    "Adopted",
    "Books",
    "Entry",
    "Happening",
    "Ledger",
    "LedgerError",
    "Life",
    "Run",
    "Selector",
    "Status",
    "Tried",
    "Version",
    "adopt",
    "enter",
    "hold",
    "known",
    "life",
    "list_rows",
    "open_ledger",
    "retry",
    "status",
    "withdraw",
]
