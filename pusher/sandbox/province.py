"""The province behind a fire application channel: what it writes back for cases it took over.

A case goes one state further with each step, in the order of the script: 3, 101 (8 in 3.0), 11 is a
usual course (facts: exchange, state_machine; 1 is written by the city itself). With 6 comes a list
of materials, and the case goes on once the supplement was taken over; with 9 a special procedure,
with 11 an approval document. What a real province writes there beyond the columns is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from uuid import NAMESPACE_OID, uuid5

import sqlalchemy as sa

from pusher.sandbox.arrivals import Arrival, equals, read_arrivals
from pusher.transports.dialect import Dialect
from pusher.transports.exchange_settings import ExchangeTable
from pusher.transports.exchange_sql import bound, known_names

#: Tables of the channel.
APPLICATION, SUPPLEMENT = "SPGL_XMJBXXB", "SPGL_XMCLBZXXB"
PROCESS, DOCUMENT = "SPGL_XMSPGCXXB", "SPGL_XMSPGCPFWJXXB"
PROCEDURE, MATERIALS = "SPGL_XMSPGCTBCXXXB", "SPGL_XMCLBZQDXXB"
#: States with a row in another table beside them.
WANTS, SPECIAL, PASSED = "6", "9", "11"


class Province:
    """Writes feedback rows for the applications that were taken over. `places` by bare name."""

    def __init__(
        self,
        dialect: Dialect,
        places: Mapping[str, ExchangeTable],
        states: Sequence[str],
        clock: Callable[[], datetime] = datetime.now,
    ) -> None:
        self._dialect = dialect
        self._places = places
        self._states = tuple(states)
        self._clock = clock

    def step(self, connection: sa.Connection) -> int:
        """Every case one state further; how many feedback rows were written."""
        written = 0
        for application in self._taken(connection, APPLICATION):
            case = application.fields.get("LSH", "")
            done = self._of_case(connection, PROCESS, case)
            if len(done) >= len(self._states) or self._waits(connection, case, done):
                continue
            for table, values in self._rows(application, len(done)):
                self._insert(connection, table, values)
                written += 1
        return written

    def _taken(self, connection: sa.Connection, table: str) -> list[Arrival]:
        place = self._places[table]
        state = equals(self._dialect, place, "SJSCZT", place.conduct.taken_over)
        return read_arrivals(connection, place, state)

    def _of_case(self, connection: sa.Connection, table: str, case: str) -> list[Arrival]:
        place = self._places[table]
        return read_arrivals(connection, place, equals(self._dialect, place, "LSH", case))

    def _waits(self, connection: sa.Connection, case: str, done: Sequence[Arrival]) -> bool:
        """Whether the case waits for materials: one supplement for each time they were asked."""
        asked = sum(row.fields.get("SPJG") == WANTS for row in done)
        come = sum(r.fields.get("LSH") == case for r in self._taken(connection, SUPPLEMENT))
        last = bool(done) and done[-1].fields.get("SPJG") == WANTS
        return last and come < asked

    def _rows(self, application: Arrival, number: int) -> Iterable[tuple[str, dict[str, str]]]:
        """The rows of one step: the process row, and what comes beside it."""
        case, state = application.fields["LSH"], self._states[number]
        at = self._clock() + timedelta(seconds=number)
        own = {name: application.fields.get(name, "") for name in ("LSH", "DFSJZJ", "XZQHDM")}
        process = str(uuid5(NAMESPACE_OID, f"{case}/{number}"))
        yield (
            PROCESS,
            {
                **own,
                "ID": process,
                "SPBMBM": "SANDBOX",
                "SPBMMC": "示例市住房和城乡建设局",
                "SPRXM": "示例审批人",
                "SPSJ": f"{at:%Y-%m-%d %H:%M:%S}",
                "SPJG": state,
                "SPYJ": "未抽中" if state == "22" else "沙箱意见",
            },
        )
        beside = {**own, "ID": f"{process}-1", "SPGCID": process}
        if state == WANTS:
            yield MATERIALS, {**beside, "FORMS_JSON": '[{"Name":"示例材料"}]'}
        if state == SPECIAL:
            yield PROCEDURE, {**beside, "TBCX": "2", "TBCXKSSJ": f"{at:%Y-%m-%d %H:%M:%S}"}
        if state == PASSED:
            day = f"{at:%Y-%m-%d}"
            file = {"FJMC": "意见书.pdf", "FJLX": "application/pdf", "FJURL": f"sandbox:{process}"}
            title = {"PFRQ": day, "PFWH": f"示例〔{at:%Y}〕{number}号", "PFWJBT": "消防意见书"}
            yield DOCUMENT, {**beside, **title, **file}

    def _insert(self, connection: sa.Connection, table: str, values: Mapping[str, str]) -> None:
        place = self._places[table]
        names = set(known_names(place))
        states = {"SJYXBS": "1", "SJSCZT": str(place.conduct.waiting)}
        cells = {n: v for n, v in {**values, **states}.items() if n in names | states.keys() and v}
        connection.execute(
            sa.insert(place.clause).values(
                {place.columns[n]: bound(self._dialect, place, n, v) for n, v in cells.items()}
            )
        )
