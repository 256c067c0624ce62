"""`spgl push [PATH…]`: validate, enter what is new, deliver, read the verdicts, close the books.

Without PATH it only works off the ledger. It may be killed at any time; the next run goes on.
"""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from spgl import checking, crew, narrowing, outputs, planning, pushing, routing, serving
from spgl.cli import Call, gravest
from spgl.config import ConfigError
from spgl.night import ends
from spgl.routing import Route
from spgl.serving import Served
from validator.text import Lang, Text

if TYPE_CHECKING:
    import polars as pl

    from pusher.ledger.core import Ledger
    from validator.pack import Packs


def add(parser: argparse.ArgumentParser, lang: Lang) -> None:
    def say(zh: str, en: str) -> str:
        return Text(zh, en)[lang]

    parser.add_argument(
        "paths",
        nargs="*",
        type=checking.path_or_address,
        metavar="PATH",
        help=say(
            "导出文件或目录；省略则只处理台账", "export file or folder; none: only the ledger"
        ),
    )
    group = parser.add_argument_group(say("投送", "delivery"))
    group.add_argument(
        "--target",
        metavar="NAME",
        help=say(
            "只投送此目标；省略则依次投送配置的全部目标",
            "only this target; without it every configured target in turn",
        ),
    )
    group.add_argument(
        "--wait",
        type=float,
        default=120.0,
        metavar="SECONDS",
        help=say(
            "等待到期重试的最长秒数（默认 120）",
            "wait this long for retries that fall due (default 120)",
        ),
    )
    group.add_argument(
        "--workers",
        type=int,
        default=1,
        metavar="N",
        help=say(
            "用 N 个进程投送（需要 PostgreSQL 台账）",
            "send with N processes (needs a ledger on PostgreSQL)",
        ),
    )
    group.add_argument(
        "--log",
        type=Path,
        metavar="FILE",
        help=say(
            "投送日志另存为 JSON 行；文件名中的 {date} 为运行开始的日期",
            "append the log to FILE as JSON lines; {date} in its name is the day of the run",
        ),
    )
    group.add_argument(
        "--log-days",
        type=int,
        metavar="N",
        help=say(
            "删除 N 天以前的日志文件（文件名须含 {date}）",
            "remove log files older than N days (needs {date} in the name)",
        ),
    )
    group.add_argument(
        "--metrics",
        type=Path,
        metavar="FILE",
        help=say(
            "结束时把台账数字写成 Prometheus 文本文件",
            "at the end write the ledger's numbers to FILE in Prometheus text format",
        ),
    )
    group.add_argument(
        "--deletions",
        type=Path,
        metavar="FILE",
        help=say(
            "要删除的记录（CSV：table、主键字段、reason）",
            "records to withdraw (CSV: table, key fields, reason)",
        ),
    )
    group.add_argument(
        "--snapshot",
        action="store_true",
        help=say(
            "导出为全量：国家系统有而导出没有的记录按删除处理",
            "the export is whole: withdraw what the target holds and it does not",
        ),
    )
    group.add_argument(
        "--snapshot-max",
        type=float,
        default=5.0,
        metavar="PERCENT",
        help=say(
            "每表最多删除的百分比，超过则不删除（默认 5）",
            "per table at most this share, else none of it (default 5)",
        ),
    )
    group.add_argument(
        "--until",
        metavar="HH:MM",
        help=say(
            "到此时刻（本地时钟，已过则为次日）停止投送，未完退出码 75",
            "stop sending at this time (local clock, tomorrow if past); exit 75 if some is left",
        ),
    )
    group.add_argument(
        "--dry-run",
        action="store_true",
        help=say(
            "只显示将投送什么，不写台账，不投送",
            "show what would be sent; write nothing to the ledger, send nothing",
        ),
    )
    outputs.add(parser, lang)
    checking.add(parser, lang)


_DRY = Text(
    "--dry-run 需要给出导出文件；台账现状见 spgl status",
    "--dry-run needs the export's PATH; how the ledger stands tells spgl status",
)


def run(call: Call) -> int:
    pushing.check_metrics(call)
    crew.check(call)
    code = _run(call)
    if not call.args.dry_run:
        pushing.write_metrics(call, code)
    return code


def _run(call: Call) -> int:
    """Judge the export once, then serve each target with what is its own."""
    end = _end(call)
    dry: bool = call.args.dry_run
    narrowing.refuse_deletions(call)
    if not call.args.paths:
        if dry:
            raise ConfigError(_DRY[call.lang])
        return _work_off(call, end)
    packs = checking.packs_of(call)
    routes = routing.routes_of(call, packs, wait=call.args.wait)
    files, baseline = outputs.asked(call), outputs.known(call)
    with planning.copied_ledger(call) if dry else pushing.open_ledger(call) as ledger:
        if not dry:
            serving.check_free(ledger, routes)
        known = _known(call, routes, ledger, packs)
        with checking.check_paths(call, call.args.paths, known=known, keep=not dry) as made:
            result = outputs.without_known(call, made.result(), baseline)
            outputs.show(call, result, made.packs, files)
            judged = outputs.exit_code(result, call.args.fail_on)

            def serve(route: Route) -> Served:
                fresh = not any(route.takes(table) for table in known)
                return serving.push(call, ledger, route, made, result.run, end, routes, fresh=fresh)

            return gravest(judged, serving.each(call, routes, serve))


def _known(
    call: Call, routes: routing.Routes, ledger: Ledger, packs: Packs
) -> Mapping[str, pl.DataFrame]:
    """What the targets hold by the ledger, else by --known-keys. Raises ConfigError."""
    from spgl.known import known_place, read_known

    known = routes.known(ledger)
    place = known_place(call)
    return known if place is None else {**read_known(place, packs), **known}


def _end(call: Call) -> datetime | None:
    """When --until ends the run, reckoned from the start of the command. Raises ConfigError."""
    if call.args.until is None:
        return None
    return ends(call.args.until, datetime.now(), call.lang).astimezone()


def _work_off(call: Call, end: datetime | None) -> int:
    packs = checking.packs_of(call)
    routes = routing.routes_of(call, packs, wait=call.args.wait)
    run_id = f"{datetime.now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
    with pushing.open_ledger(call, must_exist=True) as ledger:

        def serve(route: Route) -> Served:
            return serving.deliver(call, ledger, route, packs, run_id, end, several=routes.several)

        return serving.each(call, routes, serve)
