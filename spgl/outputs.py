"""Where reports of a command go: `--format` on standard output, `--report FORMAT=FILE` beside it.

What a report looks like is `validator.reports`.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from spgl import __version__
from spgl.cli import Call, Exit
from spgl.config import ConfigError
from validator.pack import Packs
from validator.run import Result
from validator.text import Lang, Text
from validator.violation import Severity

FAIL_ON = ("error", "warning", "info", "never")


@dataclass(frozen=True, slots=True)
class Output:
    """One report file asked for."""

    format: str
    path: Path


def add(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare --format, --report and --fail-on."""
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
        default="error",
        help=Text(
            "达到此级别时退出码为 1（默认 error）",
            "exit 1 at or above this severity (default error)",
        )[lang],
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
        outputs.append(Output(name, Path(path)))
    return tuple(outputs)


def show(call: Call, result: Result, packs: Packs, outputs: tuple[Output, ...]) -> None:
    """Render to the screen and to every file asked for. Raises ConfigError where writing fails."""
    from validator.reports import FORMATS, ReportOptions, write

    options = ReportOptions(color=call.color, tool=f"spgl {__version__}")
    for output in outputs:
        try:
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


def exit_code(result: Result, fail_on: str) -> int:
    """2 where a file could not be read, 1 for violations at or above `fail_on`, else 0."""
    if result.run.problems:
        return Exit.UNUSABLE
    if fail_on == "never":
        return Exit.FINE
    limit = Severity(fail_on).rank
    found = any(Severity(c.severity).rank <= limit and c.count for c in result.run.counts)
    return Exit.VIOLATIONS if found else Exit.FINE
