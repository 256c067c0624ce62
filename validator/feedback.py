"""What rows that come back from a target say of a case: `[feedback]` of a pack, as plain types.

Reading it from disk is `validator.load_build`; turning rows into case events is `spgl.case_events`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from validator.pack import Provenance


@dataclass(frozen=True, slots=True)
class Further:
    """One more event where a feedback row has a state and a field that reads exactly `value`."""

    state: str
    field: str
    value: str
    states: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Feedback:
    """What rows that come back (tables of direction `in`) say of a case, and the case events they
    become.

    `case` and `local_key` are the fields that name the case, `application` the table we sent it
    with. Rows of `table` become rows of `events` (qualified): its `state_column` takes what
    `states` makes of `state` (a code that is missing there becomes nothing), `columns` are copied
    (event column → feedback field), `constants` stand in every row, `application_columns` come from
    the application, `id_column` takes a UUID of ours, `division_column` the city of the prefix.
    """

    case: str
    local_key: str
    application: str
    table: str
    events: str
    provenance: Provenance
    state: str
    state_column: str
    states: Mapping[str, tuple[str, ...]]
    columns: Mapping[str, str]
    further: tuple[Further, ...] = ()
    constants: Mapping[str, str] = field(default_factory=dict)
    application_columns: Mapping[str, str] = field(default_factory=dict)
    id_column: str = ""
    division_column: str = ""
