"""Workbooks of a run given back marked: into the report itself, or each beside it.

One workbook that was read joins the report, behind the summary and the violations; several, or one
with macros, are marked beside it in a folder. A workbook that is gone or was changed since it was
read is left out, and the answer says so; one that was unpacked is there only while it is checked.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from validator.marking.marks import Marks
from validator.marking.workbook import Look, mark, sheet_names
from validator.pack import Packs
from validator.records import SourceError
from validator.reports.titles import titles
from validator.reports.xlsx import ROWS, write_book
from validator.run import Result, Run
from validator.sources.source import MISSING, Place
from validator.text import Lang, Text
from validator.violation import Violation
from validator.whole_file import whole_file

_LEGEND = Text(
    "标注副本：红色为错误，黄色为警告，蓝色为提示；批注说明问题。每个工作表前 {limit} 个单元格有"
    "批注，其余只标色，全部问题见问题明细。副本中的数据（含个人信息）是原工作簿的",
    "Marked copy: red is an error, yellow a warning, blue an info; comments tell what it is. The "
    "first {limit} cells of a sheet have comments, the others only colour; every violation is in "
    "the sheet of violations. The data of the copy, personal data included, are the workbook's own",
)
_CHANGED = Text(
    "{file}：检查之后已改动，没有标注副本；请重新检查",
    "{file}: changed since it was checked; no marked copy, check it again",
)
_GONE = Text(
    "{file}：已不在原处，没有标注副本；压缩包或标准输入中的工作簿只在检查时标注，"
    "请用 --report xlsx=文件 重新检查",
    "{file}: no longer there, no marked copy; a workbook inside a ZIP or from standard input is "
    "marked only while it is checked: check it again with --report xlsx=FILE",
)
_KEPT = Text("标注副本：{path}", "marked copy: {path}")
#: Cells of one sheet that get a comment: more make spreadsheet programs slow to open a file.
COMMENTS = 10_000


def folder_of(path: Path) -> Path:
    """Where marked copies stand that do not join the report `path`."""
    return path.with_name(f"{path.stem}-marked")


def written_over(path: Path, run: Run) -> Path | None:
    """An input that a report at `path` would be written over."""
    originals = {Path(workbook.path) for workbook in run.workbooks.values()}
    written = (path, *(folder_of(path) / file for file in run.workbooks))
    return next((target for target in written if target.resolve() in originals), None)


def write_marked(
    path: Path, result: Result, packs: Packs, *, lang: Lang, tool: str, comments: int = COMMENTS
) -> tuple[Text, ...]:
    """Write the workbook report to `path`, with the marked copies; what there is to tell about
    them. Raises OSError where writing fails."""
    run = result.run
    there, told = _there(run)
    legend = _LEGEND.fill({"limit": f"{comments:,}"})
    noted = _Noted(result, replace(run, notes=(*run.notes, legend)))
    joins = len(run.workbooks) == len(there) == 1 and _joins(there[0], path)
    if joins:
        try:
            _join(path, noted, there[0], packs, lang, tool, comments)
        except SourceError as fault:
            there, told, joins = [], (*told, _named(fault)), False
    if not joins:
        with whole_file(path) as out:
            write_book(noted if there else result, packs, out, lang=lang, tool=tool, rows=ROWS)
        for original in there:
            told += (_beside(path, original, result, packs, Look(lang, comments, None)),)
    return told


def _join(
    path: Path, result: Result, original: Place, packs: Packs, lang: Lang, tool: str, comments: int
) -> None:
    """The report and the marked copy in one workbook. Raises SourceError."""
    with tempfile.TemporaryDirectory(prefix="spgl-") as spool:
        report, taken = Path(spool, "report.xlsx"), sheet_names(original)
        with report.open("wb") as out:
            write_book(result, packs, out, lang=lang, tool=tool, rows=ROWS, taken=taken)
        with _marks(result, original, packs, lang) as marks, whole_file(path) as out:
            mark(original, out, marks, packs, Look(lang, comments, report))


def _beside(path: Path, original: Place, result: Result, packs: Packs, look: Look) -> Text:
    """A marked copy in the folder beside the report; where it is, or why it is not."""
    copy = folder_of(path) / original.file
    copy.parent.mkdir(parents=True, exist_ok=True)
    try:
        with _marks(result, original, packs, look.lang) as marks, whole_file(copy) as out:
            mark(original, out, marks, packs, look)
    except SourceError as fault:
        return _named(fault)
    return _KEPT.fill({"path": str(copy)})


def _marks(result: Result, original: Place, packs: Packs, lang: Lang) -> Marks:
    head = f"{original.file}#"
    of_book = (v for v in result.violations() if (v.file or "").startswith(head))
    marks = Marks(of_book, titles(packs), lang)
    for problem in result.run.problems:
        if problem.file.startswith(head):
            marks.add_problem(problem, lang)
    return marks


def _named(fault: SourceError) -> Text:
    return Text(f"{fault.file}：{fault.text.zh}", f"{fault.file}: {fault.text.en}")


@dataclass(frozen=True, slots=True)
class _Noted:
    """A result whose head says more."""

    whole: Result
    run: Run

    def violations(self) -> Iterator[Violation]:
        return self.whole.violations()


def _there(run: Run) -> tuple[list[Place], tuple[Text, ...]]:
    """The workbooks that are as they were when they were read, and what to say of the others."""
    there, told = list[Place](), list[Text]()
    for file, workbook in run.workbooks.items():
        place = Place(Path(workbook.path), file)
        if place.stamp() == workbook.stamp:
            there.append(place)
        else:
            gone = place.stamp() == MISSING
            told.append((_GONE if gone else _CHANGED).fill({"file": file}))
    return there, tuple(told)


def _joins(original: Place, path: Path) -> bool:
    """Macros only open under their own extension."""
    return original.path.suffix.lower() == path.suffix.lower()
