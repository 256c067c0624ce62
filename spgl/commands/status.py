"""`spgl status`: counts by standard, table and state; oldest waiting; last runs."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from spgl import pushing, refusals
from spgl.cli import Call, Exit
from validator.text import Lang, Text

if TYPE_CHECKING:
    from pusher.ledger.inbound import Count
    from pusher.ledger.queries import Run, Status
    from pusher.ledger.refusals import Silent
    from pusher.reasons import Group


def add(parser: argparse.ArgumentParser, lang: Lang) -> None:
    parser.add_argument(
        "--target", metavar="NAME", help=Text("只看此目标", "only this target")[lang]
    )
    parser.add_argument(
        "--format",
        choices=("text", "json", "prometheus"),
        default="text",
        help=Text("输出格式", "output format")[lang],
    )


def run(call: Call) -> int:
    if call.args.format == "prometheus":
        sys.stdout.write(pushing.metrics_text(call, call.args.target))
        return Exit.FINE
    from pusher.ledger import inbound
    from pusher.ledger.queries import status
    from pusher.ledger.refusals import reasons
    from pusher.reasons import grouped

    now, days = datetime.now().astimezone(), call.settings.number("feedback.answer_days")
    with pushing.open_ledger(call, must_exist=True) as ledger:
        found = status(ledger, call.args.target)
        groups = grouped(reasons(ledger, call.args.target))
        silent = refusals.silent_since(ledger, call.args.target, now, days)
        alarms = refusals.overdue(call, ledger, call.args.target, now)
        came = inbound.counts(ledger, call.args.target)
    if call.args.format == "json":
        sys.stdout.write(to_json(found, groups, silent, came))
    else:
        told = refusals.group_lines(groups, call.lang)
        back = [_came_line(count, call.lang) for count in came]
        print("\n".join([*_lines(found, call.lang), *back, *told, *alarms]))
    return Exit.FINE


def to_json(
    found: Status,
    groups: Sequence[Group] = (),
    silent: Sequence[Silent] = (),
    came: Sequence[Count] = (),
) -> str:
    """The status as one JSON object (docs/interface of `spgl status --format json`)."""
    import json

    counts = [
        {"target": target, "table": table, "state": str(state), "versions": n}
        for (target, table, state), n in found.counts.items()
    ]
    shown = {
        "schema_version": 1,
        "versions": found.versions,
        "counts": counts,
        "oldest": found.oldest.isoformat() if found.oldest else None,
        "next_due": found.next_due.isoformat() if found.next_due else None,
        "away": [
            {"target": t, "until": a.until.isoformat(), "openings": a.openings, "fault": a.fault}
            for t, a in found.away.items()
        ],
        "runs": [
            {
                "run": r.name,
                "target": r.target,
                "started": r.started.isoformat(),
                "ended": r.ended.isoformat() if r.ended else None,
                "books": dict(r.books),
                "delivery": dict(r.delivery),
                "records_per_second": r.rate,
            }
            for r in found.runs
        ],
        "refusals": [
            {"reason": g.pattern, "versions": g.count, "tables": g.tables} for g in groups
        ],
        "unanswered": [
            {
                "target": s.target,
                "table": s.table,
                "versions": s.count,
                "oldest": s.oldest.isoformat() if s.oldest else None,
            }
            for s in silent
        ],
        "feedback": [
            {
                "target": c.target,
                "table": c.table,
                "rows": c.rows,
                "refused": c.refused,
                "unmarked": c.unmarked,
            }
            for c in came
        ],
    }
    return json.dumps(shown, ensure_ascii=False, indent=2, default=str) + "\n"


def _lines(found: Status, lang: Lang) -> list[str]:
    from pusher.states import TITLES, State
    from validator.reports.plain import left, right

    def say(zh: str, en: str) -> str:
        return Text(zh, en)[lang]

    if not found.counts:
        return [say("台账中还没有记录", "the ledger holds no records yet")]
    states = [s for s in State if any(key[2] is s for key in found.counts)]
    titles = [TITLES[s][lang] for s in states]
    lines = []
    for target in dict.fromkeys(key[0] for key in found.counts):
        lines.append(say(f"目标 {target}", f"target {target}"))
        lines.append("  " + left("", 44) + "".join(right(t, 12) for t in titles))
        tables = dict.fromkeys(key[1] for key in found.counts if key[0] == target)
        for table in tables:
            cells = [found.counts.get((target, table, s), 0) for s in states]
            shown = "".join(right(f"{n:,}" if n else "·", 12) for n in cells)
            lines.append("  " + left(table, 44) + shown)
        sums = [sum(n for k, n in found.counts.items() if k[0] == target and k[2] is s)
                for s in states]  # fmt: skip
        total = "".join(right(f"{n:,}", 12) for n in sums)
        lines.append("  " + left(say("合计", "total"), 44) + total)
    if found.oldest:
        age = _age(datetime.now().astimezone() - found.oldest, lang)
        told = f"{_when(found.oldest.astimezone())} ({age})"
        lines.append(say("最早未送出：", "oldest unsent: ") + told)
    if found.next_due:
        lines.append(say("下次重试：", "next retry: ") + _when(found.next_due.astimezone()))
    now = datetime.now().astimezone()
    lines += [pushing.away_text(t, a)[lang] for t, a in found.away.items() if a.until > now]
    lines += [_run_line(r, lang) for r in found.runs]
    return lines


def _came_line(count: Count, lang: Lang) -> str:
    numbers = {n: f"{getattr(count, n):,}" for n in ("rows", "refused", "unmarked")}
    places = {"target": count.target, "table": count.table.rpartition("/")[2]}
    return _CAME.fill({**numbers, **places})[lang]


_CAME = Text(
    "目标 {target} 写来的反馈 {table}：{rows} 条，拒收 {refused}，待标记 {unmarked}",
    "feedback of {target} in {table}: {rows} rows, {refused} refused by us, {unmarked} not marked "
    "there yet",
)


def _run_line(run: Run, lang: Lang) -> str:
    def say(zh: str, en: str) -> str:
        return Text(zh, en)[lang]

    ended = say("已结束", "ended") if run.ended else say("未结束（中断）", "did not end (cut off)")
    read = run.books.get("read", 0) if run.books else 0
    entered = run.books.get("entered", 0) if run.books else 0
    began = _when(run.started.astimezone())
    line = say(
        f"运行 {run.name}：{began}，{ended}，读取 {read:,}，进入台账 {entered:,}",
        f"run {run.name}: {began}, {ended}, read {read:,}, entered {entered:,}",
    )
    if run.rate is not None:
        second, hour = f"{run.rate:,.1f}", f"{run.rate * 3600:,.0f}"
        line += say(f"，每秒 {second} 条（每小时 {hour}）", f", {second} a second ({hour}/h)")
    put_off = run.delivery.get("put_off")
    if isinstance(put_off, int) and put_off:
        line += say(f"，超出重试限额 {put_off:,} 批", f", {put_off:,} batches put off")
    return line


def _age(age: timedelta, lang: Lang) -> str:
    hours, rest = divmod(max(int(age.total_seconds()), 0), 3600)
    words = {"hours": hours, "minutes": rest // 60}
    return Text("已 {hours} 小时 {minutes} 分", "{hours} h {minutes} min ago").fill(words)[lang]


def _when(moment: object) -> str:
    return str(moment)[:19]
