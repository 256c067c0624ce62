"""Where reports of a command go: `--format` on standard output, `--report FORMAT=FILE` beside it,
and what a baseline keeps out of them.

A command calls `asked` and `known` before any work, `without_known` on its result, then `show` and
`exit_code`. What a report looks like is `validator.reports`, what a baseline is
`validator.baseline`.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from spgl import __version__
from spgl.cli import Call, Exit
from spgl.config import ConfigError
from validator.pack import Packs
from validator.run import Result
from validator.text import Lang, Text
from validator.violation import Severity

if TYPE_CHECKING:
    from collections.abc import Iterator

    from validator.baseline import Baseline, Entry

FAIL_ON = ("error", "warning", "info", "never")


@dataclass(frozen=True, slots=True)
class Output:
    """One report file asked for."""

    format: str
    path: Path


_AN_INPUT = Text(
    "--report：{path} 是被检查的文件，不会覆盖；请另取文件名",
    "--report: {path} is a file that is checked and is never written over; take another name",
)
#: Stale baseline entries named one by one.
_STALE = 20


def add(parser: argparse.ArgumentParser, lang: Lang, *, fail_on: str = "error") -> None:
    """Declare --format, --report, --fail-on (with the command's own default) and the baseline."""
    from validator.reports import FORMATS

    group = parser.add_argument_group(Text("报告", "reports")[lang])
    screens = [f.name for f in FORMATS.values() if f.screen]
    group.add_argument(
        "--format",
        choices=screens,
        default="text",
        help=Text("标准输出的格式（默认 text）", "format on standard output (default text)")[lang],
    )
    group.add_argument(
        "--report",
        action="append",
        default=[],
        metavar="FORMAT=FILE",
        help=Text(
            f"另写报告文件，可重复：{'、'.join(FORMATS)}",
            f"also write a report file; repeatable: {', '.join(FORMATS)}",
        )[lang],
    )
    group.add_argument(
        "--fail-on",
        choices=FAIL_ON,
        default=fail_on,
        help=Text(
            f"达到此级别时退出码为 1（默认 {fail_on}）",
            f"exit 1 at or above this severity (default {fail_on})",
        )[lang],
    )
    _add_baseline(group, lang)


def _add_baseline(group: argparse._ArgumentGroup, lang: Lang) -> None:
    group.add_argument(
        "--baseline",
        type=Path,
        metavar="FILE",
        help=Text(
            "不显示此文件所列的已知问题，并列出其中已不再出现的",
            "hide the known violations listed in FILE; name those that no longer occur",
        )[lang],
    )
    group.add_argument(
        "--write-baseline",
        type=Path,
        metavar="FILE",
        help=Text(
            "把本次全部问题记为已知，写入此文件",
            "write every violation of this run to FILE as known",
        )[lang],
    )
    group.add_argument(
        "--baseline-reason",
        default="",
        metavar="TEXT",
        help=Text("新记入基线的原因", "why the new entries are tolerated")[lang],
    )


def asked(call: Call) -> tuple[Output, ...]:
    """The report files asked for. Raises ConfigError before any work is done."""
    from validator.reports import FORMATS

    outputs = []
    for word in call.args.report:
        name, _, path = word.partition("=")
        if name not in FORMATS or not path:
            raise ConfigError(
                Text(
                    f"--report {word}：应为 格式=文件，格式有 {'、'.join(FORMATS)}",
                    f"--report {word}: write FORMAT=FILE with one of {', '.join(FORMATS)}",
                )[call.lang]
            )
        folder = Path(path).parent
        if not folder.is_dir():
            raise ConfigError(
                Text(
                    f"--report {word}：目录 {folder} 不存在，请先建立",
                    f"--report {word}: folder {folder} does not exist; create it first",
                )[call.lang]
            )
        if _is_input(call, Path(path)):
            raise ConfigError(_AN_INPUT.fill({"path": path})[call.lang])
        outputs.append(Output(name, Path(path)))
    return tuple(outputs)


def _is_input(call: Call, path: Path) -> bool:
    """Whether a path is a file named on the command line to be read."""
    given = getattr(call.args, "paths", None) or ()
    files = (p for p in given if isinstance(p, Path) and p.is_file())
    return path.exists() and any(path.samefile(file) for file in files)


def known(call: Call) -> Baseline | None:
    """The baseline asked for. Raises SourceError or ConfigError before any work is done."""
    path: Path | None = call.args.write_baseline
    if path and not path.parent.is_dir():
        raise ConfigError(
            Text(
                f"--write-baseline {path}：目录 {path.parent} 不存在，请先建立",
                f"--write-baseline {path}: folder {path.parent} does not exist; create it first",
            )[call.lang]
        )
    if not call.args.baseline:
        return None
    from validator import baseline

    return baseline.read(call.args.baseline)


def without_known(call: Call, result: Result, known: Baseline | None) -> Result:
    """What is to be shown and judged of `result`; the gate of a push knows no baseline.

    With --write-baseline every violation becomes known first. Stale entries are named on standard
    error. Raises ConfigError where the baseline cannot be written.
    """
    path: Path | None = call.args.write_baseline
    if path:
        known = _written(call, result, known, path)
    if known is None:
        return result
    from validator import baseline

    shown = baseline.apply(result, known)
    for line in _stale(shown.stale, call.lang):
        print(line, file=sys.stderr)
    return shown


def _written(call: Call, result: Result, known: Baseline | None, path: Path) -> Baseline:
    from validator import baseline

    made = baseline.make(
        result.violations(),
        today=date.fromisoformat(result.run.finished[:10]),
        reason=call.args.baseline_reason,
        known=known,
    )
    try:
        baseline.write(path, made)
    except OSError as fault:
        raise ConfigError(f"{path}: {fault.strerror}") from fault
    return made


def _stale(entries: tuple[Entry, ...], lang: Lang) -> Iterator[str]:
    from validator.reports.phrases import NOT_SHOWN
    from validator.reports.plain import visible

    head = Text("基线中已不再出现", "stale in the baseline")[lang]
    for entry in entries[:_STALE]:
        words = (entry.rule, entry.table or "", entry.message[lang], entry.fingerprint[:12])
        yield visible(f"spgl: {head}: {' '.join(word for word in words if word)}")
    if len(entries) > _STALE:
        hidden = {"count": f"{len(entries) - _STALE:,}"}
        yield f"spgl: {head}: {NOT_SHOWN.fill(hidden)[lang]}"


def show(call: Call, result: Result, packs: Packs, outputs: tuple[Output, ...]) -> None:
    """Render to the screen and to every file asked for. Raises ConfigError where writing fails."""
    from validator.reports import FORMATS, ReportOptions, write

    options = ReportOptions(color=call.color, tool=f"spgl {__version__}")
    for output in outputs:
        try:
            if output.format == "xlsx" and result.run.workbooks:
                _write_marked(call, output.path, result, packs)
            else:
                write(output.format, output.path, result, packs, lang=call.lang, options=options)
        except OSError as fault:
            raise ConfigError(f"{output.path}: {fault.strerror}") from fault
    screen = FORMATS[call.args.format]
    sys.stdout.flush()
    if screen.binary:
        screen.render(result, packs, sys.stdout.buffer, lang=call.lang, options=options)
    else:
        screen.render_text(result, packs, sys.stdout, lang=call.lang, options=options)
    sys.stdout.flush()


def _write_marked(call: Call, path: Path, result: Result, packs: Packs) -> None:
    """The workbook report with the user's own workbooks marked. Raises ConfigError rather than
    write over one of them, OSError where writing fails."""
    from validator.marking import books
    from validator.reports.plain import visible

    over = books.written_over(path, result.run)
    if over is not None:
        raise ConfigError(_AN_INPUT.fill({"path": str(over)})[call.lang])
    tool = f"spgl {__version__}"
    for text in books.write_marked(path, result, packs, lang=call.lang, tool=tool):
        print(visible(f"spgl: {text[call.lang]}"), file=sys.stderr)


def exit_code(result: Result, fail_on: str) -> int:
    """2 where a file could not be read, 1 for violations at or above `fail_on`, else 0."""
    if result.run.problems:
        return Exit.UNUSABLE
    if fail_on == "never":
        return Exit.FINE
    limit = Severity(fail_on).rank
    found = any(Severity(c.severity).rank <= limit and c.count for c in result.run.counts)
    return Exit.VIOLATIONS if found else Exit.FINE
