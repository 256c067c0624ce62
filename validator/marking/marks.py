"""What to say about which cell of a workbook: violations of a run, sorted by sheet and row.

Marks wait in a temporary database on disk, so that memory does not grow with their number, and come
back in the order of the rows. Texts are those of reports: personal values are masked already.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby

from validator.reports import phrases
from validator.reports.plain import excerpt, visible
from validator.reports.tally import qualified
from validator.reports.titles import Titles
from validator.run import FileProblem
from validator.text import Lang, Text
from validator.violation import Severity, Violation

#: Violations of one cell that its comment tells in full.
_TOLD = 8
#: Characters of one message or help.
_LENGTH = 600
#: Different things that are said at a header.
_HEADER = 10_000
_MORE = Text(
    "另有 {count} 个问题，见问题明细", "{count} more violations; see the sheet of violations"
)


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet that has marks: its name in the workbook, and its table where the packs know it."""

    name: str
    table: str | None


@dataclass(slots=True)
class Cell:
    """What is said about one cell: the gravest severity, the first texts, how many more."""

    severity: Severity
    told: list[str] = field(default_factory=list)
    more: int = 0

    def add(self, severity: Severity, said: str | None) -> None:
        """One more violation; None where another cell of the row tells it."""
        if severity.rank < self.severity.rank:
            self.severity = severity
        if said is None:
            return
        if len(self.told) < _TOLD:
            self.told.append(said)
        else:
            self.more += 1

    def comment(self, lang: Lang) -> str:
        """The text of the comment; violations are set apart by an empty line."""
        more = [_MORE.fill({"count": f"{self.more:,}"})[lang]] if self.more else []
        return "\n\n".join([*self.told, *more])


@dataclass(frozen=True, slots=True)
class Places:
    """Where a sheet has what, columns 0-based: the number of the header row, columns by field name
    and by header as written, all columns with a header, those of the key."""

    header: int
    columns: Mapping[str, int]
    heads: tuple[int, ...]
    key: tuple[int, ...]


#: Cells of one row by their 0-based column.
Row = tuple[int, Mapping[int, Cell]]


class Marks:
    """Marks of one workbook. Close it, or use it in a `with` block."""

    def __init__(self, violations: Iterable[Violation], names: Titles, lang: Lang) -> None:
        # An empty name is a private file on disk that SQLite removes itself.
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.execute("CREATE TABLE mark (sheet, line INTEGER, rank INTEGER, fields, said)")
        self._tables: dict[str, str | None] = {}
        self._rows.execute("BEGIN")
        self._rows.executemany(
            "INSERT INTO mark VALUES (?, ?, ?, ?, ?)",
            (self._line(violation, names, lang) for violation in violations),
        )
        self._rows.execute("COMMIT")

    def __enter__(self) -> Marks:
        return self

    def __exit__(self, *_: object) -> None:
        self._rows.close()

    def add_problem(self, problem: FileProblem, lang: Lang) -> None:
        """A sheet that could not be read is marked at its header."""
        sheet = problem.file.partition("#")[2]
        self._tables.setdefault(sheet, None)
        said = f"{phrases.SEVERITY[Severity.ERROR][lang]}\n{_shown(problem.text[lang])}"
        self._rows.execute("INSERT INTO mark VALUES (?, 0, 0, '[]', ?)", (sheet, said))

    def _line(self, v: Violation, names: Titles, lang: Lang) -> tuple[str, int, int, str, str]:
        sheet = (v.file or "").partition("#")[2]
        self._tables[sheet] = self._tables.get(sheet) or (qualified(v) if v.standard else None)
        # A violation without a record is about the sheet; its column is found in the header.
        fields = v.fields or ((v.column,) if v.column else ())
        return sheet, v.line or 0, v.severity.rank, json.dumps(fields), _said(v, names, lang)

    def sheets(self) -> tuple[Sheet, ...]:
        """The sheets that have marks, in the order of the run."""
        return tuple(Sheet(name, table) for name, table in self._tables.items())

    def rows(self, sheet: str, places: Places) -> Iterator[Row]:
        """Cells to mark, row by row, the header first. What names no column colours the key of its
        record, or the header where it has no record; the first of these cells tells it. What names
        columns that the sheet does not have is said once, at the header."""
        fields = self._rows.execute("SELECT DISTINCT fields FROM mark WHERE sheet = ?", (sheet,))
        named = [(text, json.loads(text)) for (text,) in fields]
        absent = [t for t, names in named if names and not places.columns.keys() & set(names)]
        among = f"({', '.join('?' * len(absent))})"
        header = self._rows.execute(
            "SELECT min(rank), fields, said FROM mark"  # noqa: S608 - only question marks
            f" WHERE sheet = ? AND (line = 0 OR fields IN {among})"
            " GROUP BY fields, said ORDER BY min(rank), min(rowid) LIMIT ?",
            (sheet, *absent, _HEADER),
        )
        cells = _cells(header, places.columns, places.heads)
        if cells:
            yield places.header, cells
        found = self._rows.execute(
            "SELECT line, rank, fields, said FROM mark"  # noqa: S608 - only question marks
            f" WHERE sheet = ? AND line > 0 AND fields NOT IN {among}"
            " ORDER BY line, rank, rowid",
            (sheet, *absent),
        )
        for line, group in groupby(found, key=lambda row: int(row[0])):
            yield line, _cells((row[1:] for row in group), places.columns, places.key)


def _cells(
    marks: Iterable[tuple[int, str, str]], columns: Mapping[str, int], whole: tuple[int, ...]
) -> dict[int, Cell]:
    """What is said about each cell of one row: (rank of the severity, fields as JSON, text)."""
    severities, cells = list(Severity), dict[int, Cell]()
    for rank, fields, said in marks:
        named = [columns[name] for name in json.loads(fields) if name in columns]
        for number, at in enumerate(named or whole):
            cell = cells.setdefault(at, Cell(severities[rank]))
            cell.add(severities[rank], said if named or not number else None)
    return cells


def _said(v: Violation, names: Titles, lang: Lang) -> str:
    title = names.rule(v.rule)[lang]
    head = f"{phrases.SEVERITY[v.severity][lang]} · {v.rule}"
    if title != v.rule:
        head += f" · {title}"
    return "\n".join([visible(head), _shown(v.message[lang]), f"→ {_shown(v.help[lang])}"])


def _shown(text: str) -> str:
    return excerpt(visible(text), _LENGTH)
