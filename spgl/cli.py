"""The command line: finds the command, reads settings, turns outcomes into exit codes.

A command is one module in `spgl/commands` with `add(parser, lang)` and `run(call) -> int`, imported
only when it is called. No domain logic lives here.
"""

from __future__ import annotations

import argparse
import atexit
import gc
import importlib
import os
import sys
import traceback
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from pathlib import Path

from spgl import __version__
from spgl.config import ConfigError, Settings, load, locale_lang
from validator.text import Lang, Text


class Exit(IntEnum):
    """Exit codes; the gravest of several wins in the order 2, 75, 3, 1."""

    #: Nothing to complain about.
    FINE = 0
    #: Violations at or above --fail-on.
    VIOLATIONS = 1
    #: Usage, configuration, pack or source cannot be used.
    UNUSABLE = 2
    #: Records refused by the target or given up in this run.
    REFUSED = 3
    #: A defect of ours; never the data's fault.
    DEFECT = 70
    #: Push incomplete; the next run goes on.
    INCOMPLETE = 75
    #: Interrupted by a person.
    INTERRUPTED = 130


#: Settings of libraries, which read them when they are imported.
LIBRARIES = {
    # No threads for a linear algebra that nobody calls.
    "OPENBLAS_NUM_THREADS": "1",
    # Memory of a batch goes back to the system a little later: the next batch takes it again.
    "_RJEM_MALLOC_CONF": "dirty_decay_ms:2000",
}

_GRAVITY = (Exit.DEFECT, Exit.UNUSABLE, Exit.INCOMPLETE, Exit.REFUSED, Exit.VIOLATIONS, Exit.FINE)


def gravest(*codes: int) -> int:
    """The code a command ends with when several apply."""
    return min(codes, key=lambda code: _GRAVITY.index(Exit(code)), default=Exit.FINE)


@dataclass(frozen=True, slots=True)
class Command:
    """A command: its module and what it does in a line."""

    name: str
    title: Text
    private: bool = False

    @property
    def module(self) -> str:
        return f"spgl.commands.{self.name}"


COMMANDS: tuple[Command, ...] = (
    Command("validate", Text("检查导出数据，报告全部问题", "read exports, report every violation")),
    Command(
        "push",
        Text(
            "检查、入台账、投送、取回结论，可中断续传",
            "validate, enter, deliver, read feedback; resumable",
        ),
    ),
    Command("status", Text("按标准、表、状态统计台账", "counts by standard, table and state")),
    Command("ledger", Text("查看和处置台账记录", "look at and act on ledger rows")),
    Command(
        "feedback", Text("取回国家系统对已投送记录的结论", "fetch verdicts for delivered records")
    ),
    Command("report", Text("重新输出已保存的一次检查", "render a stored run again")),
    Command("packs", Text("标准包：表、字段、代码表、规则", "packs: tables, fields, codes, rules")),
    Command(
        "explain",
        Text(
            "解释规则、表、字段、代码表或格式", "explain a rule, table, field, code list or format"
        ),
    ),
    Command(
        "inspect",
        Text("在本机网页上查看问题和投送经过", "local pages of violations and deliveries"),
    ),
    Command(
        "sandbox", Text("在本机运行模拟的国家系统", "run the stand-in national system on loopback")
    ),
    Command(
        "demo",
        Text("两夜演示：检查、投送、续传、修复、再投送", "two nights on a sample city, end to end"),
    ),
    Command(
        "doctor",
        Text(
            "列出全部设置及来源，检查台账、目标和标准包",
            "every setting with its origin; checks of ledger, target, packs",
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a command: parsed arguments and settings."""

    args: argparse.Namespace
    settings: Settings

    @property
    def lang(self) -> Lang:
        return self.settings.lang

    @property
    def color(self) -> bool:
        plain = self.args.no_color or "NO_COLOR" in os.environ
        return not plain and sys.stdout.isatty()


def main(argv: Sequence[str] | None = None) -> int:
    """Entry point of the console script; returns the exit code."""
    words = list(sys.argv[1:] if argv is None else argv)
    start_light()
    _utf8_streams()
    verbose = False
    try:
        lang = _lang(words)
        if not words or words[0] in ("-h", "--help", "help"):
            print(_overview(lang))
            return Exit.FINE if words else Exit.UNUSABLE
        if words[0] in ("-V", "--version"):
            print(f"spgl {__version__}")
            return Exit.FINE
        command = _find(words[0], lang)
        parser = _parser(command, lang)
        args = parser.parse_args(words[1:])
        verbose = args.verbose > 0
        module = importlib.import_module(command.module)
        code: int = module.run(Call(args, load(args.config, _flags(args))))
    except KeyboardInterrupt:
        return Exit.INTERRUPTED
    except BrokenPipeError:
        # The reader of our output went away (`spgl … | head`): nothing more to say to it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.FINE
    except Exception as fault:
        if verbose:
            traceback.print_exc()
        if not _known(fault):
            said = _DEFECT.fill({"kind": type(fault).__name__, "fault": fault})[_lang(words)]
            print(f"spgl: {said}", file=sys.stderr)
            return Exit.DEFECT
        print(f"spgl: {_line(fault, _lang(words))}", file=sys.stderr)
        return Exit.INCOMPLETE if is_temporary(fault) else Exit.UNUSABLE
    return code


_DEFECT = Text(
    "程序自身的缺陷（{kind}：{fault}）；数据未受影响，请加 -v 重跑并反馈堆栈",
    "a defect of spgl itself ({kind}: {fault}); no data was harmed; run again with -v, report it",
)


def _known(fault: Exception) -> bool:
    """Failures that are one clear line to a person; anything else is a defect of ours."""
    from validator.pack import PackError

    return isinstance(fault, PackError | ConfigError) or _text_of(fault) is not None


def is_temporary(fault: Exception) -> bool:
    """Whether a later call will do, with nothing changed."""
    return getattr(fault, "temporary", False) is True


def _text_of(fault: Exception) -> Text | None:
    """The bilingual text that our own exceptions carry (SourceError, LedgerError, …)."""
    text = getattr(fault, "text", None)
    return text if isinstance(text, Text) else None


def _line(fault: Exception, lang: Lang) -> str:
    text = _text_of(fault)
    if text is None:
        return str(fault)
    file = getattr(fault, "file", "")
    return f"{file}: {text[lang]}" if file else text[lang]


def start_light() -> None:
    """Take off what libraries do at their start and we do not need."""
    for name, value in LIBRARIES.items():
        os.environ.setdefault(name, value)
    # Modules and packs are made to stay; looking for garbage among them takes a tenth of the start.
    gc.set_threshold(100_000, 20, 20)
    # At the end the system takes all memory back at once; one more look at every object would take
    # a tenth of a short run. What must be closed is closed before.
    atexit.register(gc.freeze)


def _utf8_streams() -> None:
    """Chinese texts must print on a C locale and on Windows consoles too."""
    import io

    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and (stream.encoding or "").lower() != "utf-8":
            stream.reconfigure(encoding="utf-8", errors="replace")


def _lang(words: Sequence[str]) -> Lang:
    """The language of help and usage errors, before settings are read."""
    for at, word in enumerate(words):
        value = word.removeprefix("--lang=") if word.startswith("--lang=") else ""
        if word == "--lang" and at + 1 < len(words):
            value = words[at + 1]
        if value in ("zh", "en"):
            return "zh" if value == "zh" else "en"
    env = os.environ.get("SPGL_LANG")
    if env in ("zh", "en"):
        return "zh" if env == "zh" else "en"
    return locale_lang(os.environ)


def _find(name: str, lang: Lang) -> Command:
    import difflib

    for command in COMMANDS:
        if command.name == name:
            return command
    near = difflib.get_close_matches(name, [c.name for c in COMMANDS], 1)
    hint = {"zh": "命令列表见 spgl --help", "en": "see spgl --help"}[lang]
    if near:
        hint = {"zh": f"是否想用 {near[0]}？", "en": f"did you mean {near[0]}?"}[lang]
    raise ConfigError({"zh": f"没有命令 {name}；{hint}", "en": f"no command {name}; {hint}"}[lang])


def _overview(lang: Lang) -> str:
    head = Text(
        "spgl：检查工程建设项目审批数据，并将合格记录投送到国家系统\n\n"
        "用法：spgl 命令 …（spgl 命令 --help 查看详情）\n",
        "spgl: validate construction-approval exchange records and deliver the conforming ones\n\n"
        "usage: spgl COMMAND …  (spgl COMMAND --help tells more)\n",
    )[lang]
    lines = [f"  {c.name:<10}{c.title[lang]}" for c in COMMANDS if not c.private]
    return head + "\n" + "\n".join(lines)


def _parser(command: Command, lang: Lang) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog=f"spgl {command.name}", description=command.title[lang], add_help=False
    )
    importlib.import_module(command.module).add(parser, lang)
    _add_shared(parser, lang)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for nested in action.choices.values():
                # Given before or after the action, an option counts; a default never hides it.
                _add_shared(nested, lang, nested_in=parser)
    return parser


def _add_shared(
    parser: argparse.ArgumentParser, lang: Lang, nested_in: argparse.ArgumentParser | None = None
) -> None:
    def say(zh: str, en: str) -> str:
        return Text(zh, en)[lang]

    shared = parser.add_argument_group(say("通用选项", "common options"))
    if nested_in is None:
        shared.add_argument("-h", "--help", action="help", help=say("显示帮助", "show this help"))
    shared.add_argument(
        "--standard",
        action="append",
        metavar="NAME",
        help=say("标准包名称或目录，可重复", "pack name or folder; repeatable"),
    )
    shared.add_argument("--lang", choices=("zh", "en"), help=say("输出语言", "language of texts"))
    shared.add_argument(
        "--config", type=Path, metavar="FILE", help=say("设置文件", "settings file (spgl.toml)")
    )
    shared.add_argument(
        "--state-dir", metavar="DIR", help=say("运行记录和台账目录", "folder of runs and ledger")
    )
    shared.add_argument("-q", "--quiet", action="store_true", help=say("少输出", "say less"))
    shared.add_argument(
        "-v",
        "--verbose",
        action="count",
        default=0,
        help=say("出错时显示堆栈", "traceback on failure"),
    )
    shared.add_argument("--no-color", action="store_true", help=say("不用颜色", "no colour"))
    if nested_in is not None:
        for action in shared._group_actions:
            action.default = argparse.SUPPRESS


def _flags(args: argparse.Namespace) -> Mapping[str, object]:
    """Flags that are settings, by setting name."""
    return {
        "lang": args.lang,
        "packs.use": args.standard,
        "state_dir": args.state_dir,
        "ledger.path": getattr(args, "ledger_path", None),
        "gate.pass": getattr(args, "gate_pass", None),
        "read.max_record": getattr(args, "max_record", None),
    }


if __name__ == "__main__":
    raise SystemExit(main())
