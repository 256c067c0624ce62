"""`spgl push [PATH…]`: validate, enter what is new, deliver, read the verdicts, close the books.

Without PATH it only works off the ledger. It may be killed at any time; the next run goes on.
"""

from __future__ import annotations

import argparse
import secrets
from collections.abc import Sequence
from datetime import datetime
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING

from spgl import checking, deletions, outputs, planning, pushing, refusals
from spgl.cli import Call, Exit, gravest
from spgl.config import ConfigError
from spgl.night import ends
from validator.text import Lang, Text

if TYPE_CHECKING:
    from pusher.ledger.core import Ledger
    from pusher.target import Target
    from validator.records import Record

#: SJSCZT of rows that the target holds: checked, taken over.
AT_TARGET = ("1", "3")


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
    group.add_argument("--target", metavar="NAME", help=say("目标名称", "name of the target"))
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
        "--log",
        type=Path,
        metavar="FILE",
        help=say("投送日志另存为 JSON 行", "append the attempt log to FILE as JSON lines"),
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
    code = _run(call)
    if not call.args.dry_run:
        pushing.write_metrics(call, code)
    return code


def _run(call: Call) -> int:
    target = pushing.target_of(call, wait=call.args.wait)
    end = _end(call)
    dry: bool = call.args.dry_run
    if not call.args.paths:
        if dry:
            raise ConfigError(_DRY[call.lang])
        return _work_off(call, target, end)
    from pusher.ledger import enter
    from pusher.ledger import known as known_to
    from pusher.ledger.plan import plan
    from spgl.known import read_known
    from validator.narrow import narrowed

    files, baseline = outputs.asked(call), outputs.known(call)
    with planning.copied_ledger(call) if dry else pushing.open_ledger(call) as ledger:
        known = dict(known_to(ledger, target.name))
        if call.args.known_keys:
            known = {**read_known(call.args.known_keys, checking.packs_of(call)), **known}
        with checking.check_paths(call, call.args.paths, known=known, keep=not dry) as made:
            result = outputs.without_known(call, narrowed(made.checked, made.chosen), baseline)
            outputs.show(call, result, made.packs, files)
            now = datetime.now().astimezone()
            if not known:
                _first_run(call, made)
            records = made.checked.records()
            if made.chosen is not None:
                records = (r for r in records if r.table in (made.chosen or ()))
            listed = _listed(call, ledger, target, made)
            whole = (
                deletions.snapshot(call, ledger, target.name, result.run, made.chosen)
                if call.args.snapshot
                else None
            )
            records = chain(records if whole is None else whole.after(records), listed)
            unreadable = result.run.total("unreadable")
            judged = outputs.exit_code(result, call.args.fail_on)
            if dry:
                planned = plan(ledger, records, target, made.run_id, now, unreadable=unreadable)
                books = planned.books
            else:
                books = enter(ledger, records, target, made.run_id, now, unreadable=unreadable)
            print(pushing.tell_books(books, call.lang))
            if whole is not None:
                print(deletions.tell(whole, call.lang))
            doubtful = Exit.UNUSABLE if whole is not None and whole.doubts else Exit.FINE
            if dry:
                print(planning.tell_plan(planned, call.lang))
                return gravest(judged, doubtful)
            delivery = pushing.deliver(call, ledger, target, made.packs, made.run_id, until=end)
            print(pushing.tell(delivery, target, call.lang))
            refusals.show(call, ledger, target, made.packs, made.run_id)
            return gravest(judged, doubtful, pushing.exit_code(delivery))


def _listed(
    call: Call, ledger: Ledger, target: Target, made: checking.Checking
) -> Sequence[Record]:
    """The records to delete by list; none without one. Raises ConfigError."""
    if call.args.deletions is None:
        return ()
    listed = deletions.read_list(call.args.deletions, ledger, target.name, made.packs, call.lang)
    deletions.contradicted(made.checked.records(), listed, call.lang)
    return listed


def _end(call: Call) -> datetime | None:
    """When --until ends the run, reckoned from the start of the command. Raises ConfigError."""
    if call.args.until is None:
        return None
    return ends(call.args.until, datetime.now(), call.lang).astimezone()


def _work_off(call: Call, target: Target, end: datetime | None) -> int:
    packs = checking.packs_of(call)
    with pushing.open_ledger(call, must_exist=True) as ledger:
        run_id = f"{datetime.now():%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        delivery = pushing.deliver(call, ledger, target, packs, run_id, until=end)
        print(pushing.tell(delivery, target, call.lang))
        refusals.show(call, ledger, target, packs, run_id)
    return pushing.exit_code(delivery) or Exit.FINE


def _first_run(call: Call, made: checking.Checking) -> None:
    """An empty ledger must not send what an earlier system has sent already (decisions 2).

    Raises ConfigError naming the way out.
    """
    sent = sum(r.uploaded in AT_TARGET for r in made.checked.records())
    if sent:
        paths = " ".join(str(p) for p in call.args.paths)
        raise ConfigError(
            Text(
                f"台账为空，而导出中有 {sent:,} 条记录已在国家系统（SJSCZT 为 1 或 3）；"
                f"请先运行 spgl ledger adopt {paths}",
                f"the ledger is empty, yet {sent:,} records of the export stand at the target "
                f"already (SJSCZT 1 or 3); run spgl ledger adopt {paths} first",
            )[call.lang]
        )
