"""From paths on the command line to a checked run: what `validate` and `push` share.

It composes sources, packs, known keys and the engine; it judges nothing itself.
"""

from __future__ import annotations

import argparse
import os
import secrets
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from spgl import narrowing
from spgl.cli import Call
from spgl.config import ConfigError
from spgl.progress import shown
from spgl.spool import spool_folder
from spgl.standard_input import with_standard_input
from validator.pack import Packs
from validator.text import Lang, Text

if TYPE_CHECKING:
    import polars as pl

    from validator.check import Checked, Options
    from validator.narrow import View
    from validator.reading import Progress
    from validator.records import TableSource
    from validator.run import Result
    from validator.sources import Address, SourceOptions

_KEY_FILE = "fingerprint.key"


@dataclass(frozen=True, slots=True)
class Checking:
    """A checked export, and what of it is told and sent."""

    packs: Packs
    checked: Checked
    view: View
    run_id: str

    @property
    def chosen(self) -> frozenset[str] | None:
        """Qualified names of the tables asked for (None: all)."""
        return self.view.narrowing.tables

    def result(self) -> Result:
        """The run as it is told."""
        from validator.narrow import narrowed

        return narrowed(self.checked, self.view, self.packs)


def add(parser: argparse.ArgumentParser, lang: Lang) -> None:
    """Declare what narrows and steers reading and judging."""

    def say(zh: str, en: str) -> str:
        return Text(zh, en)[lang]

    group = parser.add_argument_group(say("检查", "checking"))
    narrowing.add(group, lang)
    group.add_argument(
        "--known-keys",
        metavar="PATH",
        help=say(
            "国家系统已有的记录：台账，或每表一个CSV的目录",
            "what the target holds already: a ledger, or a folder with a CSV per table",
        ),
    )
    group.add_argument(
        "--partial",
        action="store_true",
        help=say(
            "引用的表不在本次导出中时只作提示",
            "a reference to a table outside the export is an info",
        ),
    )
    group.add_argument(
        "--low-memory",
        action="store_true",
        help=say(
            "占用更少内存，速度稍慢：分小块读取",
            "take less memory, a little slower: read in small blocks",
        ),
    )
    group.add_argument(
        "--normalise",
        action="store_true",
        help=say(
            "检查前规范全角字符、多余空白、日期写法、代码名称等，逐项报告",
            "before judging, put right full-width characters, stray spaces, forms of dates, labels"
            " of codes…; each change is reported",
        ),
    )
    group.add_argument(
        "--max-record",
        type=int,
        metavar="MIB",
        help=say(
            "一条记录最大多少 MiB，超过则无法读取（默认 16）",
            "a record of more MiB is unreadable (default 16)",
        ),
    )
    group.add_argument("--encoding", metavar="NAME", help=say("CSV编码", "encoding of CSV files"))
    group.add_argument(
        "--input-format",
        metavar="FORMAT",
        help=say("标准输入（-）的格式，如 csv", "format of standard input (-), such as csv"),
    )
    group.add_argument(
        "--table",
        dest="input_table",
        metavar="NAME",
        help=say("标准输入（-）的表名", "table of standard input (-)"),
    )
    group.add_argument(
        "--engine",
        choices=("bulk", "reference"),
        default="bulk",
        help=say(
            "reference：逐条用 JSON Schema 检查字段规则",
            "reference: field rules by JSON Schema, record by record",
        ),
    )
    group.add_argument(
        "--show-personal",
        action="store_true",
        help=say("不遮盖个人信息", "do not mask personal data"),
    )


def path_or_address(word: str) -> Path | Address:
    """A PATH of the command line; a Path would lose the slashes of a database URL."""
    if "://" not in word:
        return Path(word)
    from validator.sources import Address

    return Address(word)


@contextmanager
def check_paths(
    call: Call,
    paths: Sequence[Path | Address],
    *,
    known: Mapping[str, pl.DataFrame] | None = None,
    keep: bool = True,
) -> Iterator[Checking]:
    """Check the tables behind `paths`; the run is kept in the state folder unless `keep` is false.

    Raises ConfigError, PackError; bad files are problems of the run.
    """
    from validator.check import check
    from validator.narrow import view
    from validator.sources import discover
    from validator.workbooks import workbooks

    packs = packs_of(call)
    wanted = narrowing.narrowing_of(call, packs)
    run_id = f"{datetime.now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    with ExitStack() as stack:
        spool = stack.enter_context(spool_folder())
        inputs = with_standard_input(call, paths, spool)
        found = discover(inputs, packs, _source_options(call, spool))
        folder = _folder(call, run_id) if keep else None
        if folder is None:
            folder = spool / "run"
        progress = stack.enter_context(shown(call.lang, quiet=call.args.quiet))
        options = replace(_options(call, packs, known, keep, progress), reads=wanted.reads(packs))
        sources: Sequence[TableSource] = found.sources
        if call.args.normalise:
            from validator.sources.normalised import with_normalising

            sources = with_normalising(packs, sources)
        checked = check(
            packs,
            sources,
            options,
            folder,
            run_id=run_id,
            now=lambda: datetime.now().astimezone(),
            inputs=[str(p) for p in paths],
            unknown=[(u.file, u.name) for u in found.unknown],
            problems=found.problems,
            notes=found.notes,
            workbooks=workbooks(found.sources),
        )
        yield Checking(packs, checked, view(checked, wanted), run_id)


def packs_of(call: Call) -> Packs:
    """The packs in use. Raises PackError."""
    from validator.load import load_packs

    return load_packs(call.settings.texts("packs.use"))


def _options(
    call: Call,
    packs: Packs,
    known: Mapping[str, pl.DataFrame] | None,
    keep: bool,
    progress: Callable[[Progress], None],
) -> Options:
    from validator.check import BATCH_ROWS, FEW_BATCH_ROWS, Options
    from validator.violation import Severity

    overrides = {k: Severity(v) for k, v in call.settings.mapping("severity").items()}
    return Options(
        overrides=overrides,
        gate=frozenset(call.settings.texts("gate.pass")),
        partial=call.args.partial,
        known=known if known is not None else _known(call, packs),
        show_personal=call.args.show_personal,
        fingerprint_key=fingerprint_key(call.settings.state_dir, keep=keep),
        batch_rows=FEW_BATCH_ROWS if call.args.low_memory else BATCH_ROWS,
        engine=call.args.engine,
        on_progress=progress,
    )


def _source_options(call: Call, spool: Path) -> SourceOptions:
    from validator.sources import SourceOptions
    from validator.sources.source import BLOCK, MIB, SMALL_BLOCK

    names = call.settings.mapping("tables.names")
    return SourceOptions(
        encoding=call.args.encoding,
        max_record=_max_record(call) * MIB,
        tables={k: v.replace("/", ":") for k, v in names.items()},
        prefixes=call.settings.texts("tables.prefixes"),
        suffixes=call.settings.texts("tables.suffixes"),
        spool=spool,
        block=SMALL_BLOCK if call.args.low_memory else BLOCK,
    )


def _max_record(call: Call) -> int:
    """MiB of the largest record. Raises ConfigError for an option below 1."""
    found = call.settings.number("read.max_record")
    if found < 1:
        raise ConfigError(f"--max-record {found}: " + _NO_SIZE[call.lang])
    return found


_NO_SIZE = Text("应为不小于 1 的整数（MiB）", "write a whole number of MiB from 1 on")


def _folder(call: Call, run_id: str) -> Path:
    folder = call.settings.state_dir / "runs" / run_id
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
    except OSError as fault:
        raise ConfigError(
            f"{folder.parent}: {fault.strerror}; "
            + Text(
                "请用 --state-dir 指定可写目录或加 --no-store",
                "name a writable folder with --state-dir, or add --no-store",
            )[call.lang]
        ) from fault
    return folder


def fingerprint_key(state_dir: Path, *, keep: bool) -> bytes:
    """The key that hashes personal parts of fingerprints: SPGL_FINGERPRINT_KEY, else a file in the
    state folder, made on first use; without a state folder, one for this run only."""
    given = os.environ.get("SPGL_FINGERPRINT_KEY")
    if given:
        return given.encode()
    file = state_dir / _KEY_FILE
    if file.exists():
        return file.read_bytes()
    key = secrets.token_hex(32).encode()
    if keep:
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out:
            out.write(key)
    return key


def _known(call: Call, packs: Packs) -> Mapping[str, pl.DataFrame]:
    from spgl.known import known_place, read_known

    place = known_place(call)
    return {} if place is None else read_known(place, packs)
