"""`spgl report [RUN]` renders a stored run again; `spgl report compare A B` tells what changed.

A run is its id or the folder it is stored in, a json report, or nothing for the last one stored.
Nothing is validated again: to judge with other packs or settings, run `spgl validate`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from spgl import outputs
from spgl.cli import Call, Exit
from spgl.config import ConfigError
from validator.pack import PackError, Packs
from validator.run import Result
from validator.text import Lang, Text
from validator.violation import Severity


def add(parser: argparse.ArgumentParser, lang: Lang) -> None:
    parser.add_argument(
        "run",
        nargs="*",
        metavar="RUN | compare A B",
        help=Text(
            "运行编号、运行目录或 json 报告，省略则取最近一次；compare A B 比较两次运行",
            "run id, folder of a run or json report, default the last run; "
            "compare A B sets two runs side by side",
        )[lang],
    )
    outputs.add(parser, lang, fail_on="never")


def run(call: Call) -> int:
    words: list[str] = call.args.run
    if words[:1] == ["compare"]:
        return _compare(call, words[1:])
    if len(words) > 1:
        raise ConfigError(
            Text(
                "一次只能输出一次运行；比较两次运行请用 spgl report compare A B",
                "one run at a time; to set two side by side use spgl report compare A B",
            )[call.lang]
        )
    files, known = outputs.asked(call), outputs.known(call)
    result = outputs.without_known(call, _find(call, words[0] if words else None), known)
    outputs.show(call, result, _packs(call), files)
    return outputs.exit_code(result, call.args.fail_on)


def _compare(call: Call, words: list[str]) -> int:
    from validator.compare import Change, compare
    from validator.reports.comparison import render_json, render_text

    if len(words) != 2 or call.args.format not in ("text", "json") or call.args.report:
        raise ConfigError(
            Text(
                "用法：spgl report compare 前次 本次 [--format text|json] [--fail-on 级别]",
                "usage: spgl report compare BEFORE AFTER [--format text|json] [--fail-on SEVERITY]",
            )[call.lang]
        )
    comparison = compare(_find(call, words[0]), _find(call, words[1]))
    sys.stdout.flush()
    if call.args.format == "json":
        render_json(comparison, sys.stdout.buffer)
    else:
        render_text(comparison, _packs(call), sys.stdout, lang=call.lang)
    sys.stdout.flush()
    if call.args.fail_on == "never":
        return Exit.FINE
    limit = Severity(call.args.fail_on).rank
    worse = any(comparison.total(Change.NEW, s) for s in Severity if s.rank <= limit)
    return Exit.VIOLATIONS if worse else Exit.FINE


def _find(call: Call, name: str | None) -> Result:
    """The run people mean. Raises ConfigError or SourceError."""
    from spgl.inspector.runs import newest
    from validator import report_file, store

    runs = call.settings.state_dir / "runs"
    if name is None:
        # A run is finished once its head is there; ids begin with the time.
        found = {head.parent.name for head in runs.glob(f"*/{store.HEAD}")}
        stored = sorted(found, reverse=True)
        if not stored:
            raise ConfigError(
                Text(
                    f"{runs} 中没有已保存的运行；请给出 json 报告，或先运行 spgl validate",
                    f"no stored run in {runs}; name a json report, or run spgl validate first",
                )[call.lang]
            )
        return store.open_run(runs / newest(stored))
    path = Path(name)
    if path.is_file() and not _is_head(path):
        return report_file.read(path)
    if path.exists():
        return store.open_run(path)
    if (runs / name / store.HEAD).is_file():
        return store.open_run(runs / name)
    raise ConfigError(
        Text(
            f"没有运行 {name}：它不是文件或目录，{runs} 中也没有此编号",
            f"no run {name}: it is no file or folder, and {runs} has no run of this id",
        )[call.lang]
    )


def _is_head(path: Path) -> bool:
    """Whether a file is the head of a stored run rather than a json report of the same name."""
    from validator import store

    with path.open("rb") as file:
        return path.name == store.HEAD and b"schema_version" not in file.read(64)


def _packs(call: Call) -> Packs:
    """The packs give titles only, so a run can be shown where its packs are not at hand."""
    from validator.load import load_packs

    try:
        return load_packs(call.settings.texts("packs.use"))
    except PackError as fault:
        text = Text("标题从略，标准包无法使用", "titles are left out, the packs cannot be used")
        print(f"spgl: {text[call.lang]}: {fault}", file=sys.stderr)
        return Packs(())
