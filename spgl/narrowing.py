"""From --stage, --tables, --since and --where-division to what of a run is told and sent."""

from __future__ import annotations

import argparse
import re
from datetime import datetime
from typing import TYPE_CHECKING

from spgl.cli import Call
from spgl.config import ConfigError
from validator.pack import Kind, Packs
from validator.text import Lang, Text

if TYPE_CHECKING:
    from validator.narrow import Narrowing, Since

_TEMPORAL = (Kind.DATE, Kind.DATETIME)


def add(group: argparse._ArgumentGroup, lang: Lang) -> None:
    """Declare the options."""

    def say(zh: str, en: str) -> str:
        return Text(zh, en)[lang]

    group.add_argument(
        "--stage",
        action="append",
        metavar="NAME",
        help=say("只报告此阶段的表，可重复", "only tables of this stage; repeatable"),
    )
    group.add_argument(
        "--tables",
        metavar="T1,T2",
        help=say("只报告这些表", "only these tables"),
    )
    group.add_argument(
        "--since",
        action="append",
        metavar="COLUMN=TIME",
        help=say(
            "只报告和报送此列不早于该时间的记录，如 SJGXSJ=2024-03-05；没有此列的表全部列入",
            "tell and send only records whose column is not before that time, as"
            " SJGXSJ=2024-03-05; tables without the column are taken whole",
        ),
    )
    group.add_argument(
        "--where-division",
        action="append",
        metavar="CODE",
        help=say(
            "只报告和报送此行政区划（含下级，如 441800 含 441802）的记录，可重复",
            "tell and send only records of this division and those below it (441800 has 441802);"
            " repeatable",
        ),
    )


def narrowing_of(call: Call, packs: Packs) -> Narrowing:
    """What was asked for. Raises ConfigError: a name nobody has, a time or code that is none."""
    from validator.narrow import Narrowing

    return Narrowing(
        _tables(call, packs),
        tuple(_since(word, packs, call.lang) for word in call.args.since or ()),
        tuple(_division(word, call.lang) for word in call.args.where_division or ()),
    )


def refuse_deletions(call: Call) -> None:
    """Raise ConfigError for --snapshot beside a narrowing: what is left out is not gone."""
    if getattr(call.args, "snapshot", False) and (call.args.since or call.args.where_division):
        raise ConfigError(_NO_SNAPSHOT[call.lang])


def chosen_tables(call: Call, packs: Packs, words: str | None) -> frozenset[str] | None:
    """Qualified names by --tables; None for all. Raises ConfigError for a name nobody has."""
    names: set[str] = set()
    for word in (words or "").split(","):
        if word.strip():
            tables = packs.named(word.strip())
            if not tables:
                raise ConfigError(f"--tables {word}: " + _NO_TABLE[call.lang])
            names |= {t.qualified for t in tables}
    return frozenset(names) or None


def _tables(call: Call, packs: Packs) -> frozenset[str] | None:
    """Qualified names by --tables and --stage."""
    names = set(chosen_tables(call, packs, call.args.tables) or ())
    for stage in call.args.stage or ():
        tables = tuple(t for t in packs.tables() if t.stage == stage)
        if not tables:
            known = ", ".join(s.id for p in packs for s in p.stages)
            raise ConfigError(f"--stage {stage}: " + _NO_STAGE.fill({"known": known})[call.lang])
        names |= {t.qualified for t in tables}
    return frozenset(names) or None


def _since(word: str, packs: Packs, lang: Lang) -> Since:
    from validator.narrow import Since

    name, equals, time = (part.strip() for part in word.partition("="))
    fields = [t.by_name[name.upper()] for t in packs.tables() if name.upper() in t.by_name]
    if not equals or not any(f.kind in _TEMPORAL for f in fields):
        why = _NO_COLUMN if not fields else _NO_DATES
        raise ConfigError(f"--since {word}: " + (why if equals else _HOW)[lang])
    return Since(name.upper(), _moment(word, time, lang))


def _moment(word: str, time: str, lang: Lang) -> datetime:
    from validator.lexical import canonical, matches

    if not matches(Kind.DATETIME, time):
        raise ConfigError(f"--since {word}: " + _HOW[lang])
    return datetime.strptime(canonical(Kind.DATETIME, time), "%Y-%m-%d %H:%M:%S")


def _division(word: str, lang: Lang) -> str:
    if not re.fullmatch("[0-9]{6}", word):
        raise ConfigError(f"--where-division {word}: " + _NO_CODE[lang])
    return word


_NO_TABLE = Text("没有这个表；spgl packs list 列出全部表", "no such table; see spgl packs list")
_NO_STAGE = Text("没有这个阶段；可用：{known}", "no such stage; known: {known}")
_HOW = Text(
    "应写作 列名=时间，如 SJGXSJ=2024-03-05 或 'SJGXSJ=2024-03-05 22:00:00'",
    "write COLUMN=TIME, as SJGXSJ=2024-03-05 or 'SJGXSJ=2024-03-05 22:00:00'",
)
_NO_COLUMN = Text(
    "所用标准包的表都没有这一列；spgl explain 表名 列出各列",
    "no table of the packs in use has this column; spgl explain TABLE lists them",
)
_NO_DATES = Text("这一列不是日期或时间", "this column holds no dates")
_NO_CODE = Text(
    "应为 6 位数字的行政区划代码，如 441800", "write a division code of 6 digits, as 441800"
)
_NO_SNAPSHOT = Text(
    "--snapshot 不能与 --since、--where-division 同用：未列入的记录并未删除；请去掉其中之一",
    "--snapshot cannot be used with --since or --where-division: records left out are not gone;"
    " leave out one of them",
)
