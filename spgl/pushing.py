"""What every command that touches a target shares: the open ledger, the world, the end of a run."""

from __future__ import annotations

import asyncio
import random
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

from spgl import targets
from spgl.cli import Call, Exit, gravest
from spgl.config import ConfigError
from spgl.log import logger
from spgl.log_file import LogFile, named, remove_old
from spgl.night import stop_at
from validator.text import Lang, Text

if TYPE_CHECKING:
    from structlog.typing import FilteringBoundLogger

    from pusher.circuit import Open
    from pusher.delivery import Delivery
    from pusher.inbound import Inbound
    from pusher.ledger.core import Ledger
    from pusher.ledger.enter import Books
    from pusher.target import Target
    from pusher.worker import World
    from validator.pack import Packs
    from validator.records import Record

_BOOKS = Text(
    "账目：读取 {read} = 无法读取 {unreadable} + 跳过 {skipped} + 未变 {unchanged}"
    "（其中仍被退回 {refused}）+ 重复 {duplicate} + 未放行 {blocked} + 进入台账 {entered}",
    "books: read {read} = unreadable {unreadable} + skipped {skipped} + unchanged {unchanged} "
    "(still refused {refused}) + duplicate {duplicate} + blocked {blocked} + entered {entered}",
)
_SENT = Text(
    "投送：{attempts} 次，已送达 {delivered}，已接收 {accepted}，被退回 {refused}，"
    "已放弃 {given_up}",
    "delivery: {attempts} attempts, {delivered} delivered, {accepted} accepted, "
    "{refused} refused, {given_up} given up",
)
_STATES = Text("台账：{versions} 个版本 = {states}", "ledger: {versions} versions = {states}")
_STOPPED = Text(
    "目标 {name} 的设置有误，投送已停止，未消耗次数：{fault}",
    "target {name} is misconfigured; the push stopped and burnt no attempt: {fault}",
)
_NO_FOLDER = Text(
    "--metrics {file}：目录 {folder} 不存在，请先建立",
    "--metrics {file}: folder {folder} does not exist; create it first",
)
_NOT_WRITTEN = Text(
    "--metrics {file} 无法写入：{fault}", "--metrics {file} could not be written: {fault}"
)
_INBOUND = Text(
    "对方写来的反馈：读取 {read}，新 {new}，此前已存 {known}，拒收 {refused}",
    "feedback rows: {read} read, {new} new, {known} stored before, {refused} refused by us",
)
_NOT_READ = Text(
    "反馈表 {table} 无法读取，下次再读：{fault}",
    "feedback table {table} could not be read, the next run tries again: {fault}",
)
_OPEN = Text(
    "目标 {name} 多次无应答（{fault}），熔断至 {until}；新的运行先用一个批次试探",
    "circuit open until {until}: target {name} did not answer several times ({fault}); a new run "
    "probes it with one batch",
)
_PAUSE = Text(
    "目标 {name} 要求暂停至 {until}（{fault}）",
    "circuit open until {until}: target {name} asked for a pause ({fault})",
)
_FAULT = Text("最近一次失败：{fault}", "last failure: {fault}")
_PUT_OFF = Text(
    "目标状况不佳，本次重试次数已用完（retry_budget），{n} 个批次留待下次运行，未消耗次数",
    "the target is not well and this run used up its retries (retry_budget); {n} batches wait for "
    "the next run and burnt no attempt",
)
_DUE = Text("投送未完，最早 {due} 可继续", "push incomplete; next due {due}")


@contextmanager
def open_ledger(call: Call, *, must_exist: bool = False) -> Iterator[Ledger]:
    """The configured ledger, closed at the end. Raises ConfigError, LedgerError."""
    place = call.settings.ledger
    if must_exist and not place.exists():
        raise ConfigError(
            Text(
                f"没有台账 {place}；先运行 spgl push，或用 --state-dir 指定目录",
                f"there is no ledger {place}; run spgl push first, or name its --state-dir",
            )[call.lang]
        )
    ledger = place.open()
    try:
        yield ledger
    finally:
        ledger.close()


def target_of(call: Call, *, wait: float) -> Target:
    """The target that --target names, or the only one."""
    name, settings = call.settings.target(call.args.target)
    days = call.settings.number("ledger.keep_content_days")
    return targets.target_of(name, settings, wait=wait, keep_days=days)


def at_target(packs: Packs, record: Record) -> bool:
    """Whether a source says that an earlier system has brought the record to the target."""
    return record.uploaded in packs.pack(record.table.partition("/")[0]).exchange.accepted


def world(call: Call) -> World:
    """Real time, real chance, and the log that -q, -v and --log ask for. Raises ConfigError."""
    from pusher.worker import World

    rng = random.Random()  # noqa: S311 - jitter, no secret
    return World(clock=lambda: datetime.now().astimezone(), rng=rng, log=log_of(call))


def log_of(call: Call) -> FilteringBoundLogger:
    level = "warning" if call.args.quiet else "debug" if call.args.verbose else "info"
    pattern: Path | None = getattr(call.args, "log", None)
    if pattern is None:
        return logger(level=level)
    today = datetime.now().date()
    try:
        if call.args.log_days is not None:
            remove_old(pattern, today, call.args.log_days)
        file = cast("TextIO", LogFile(named(pattern, today)))
        return logger(file, level=level, json=True)
    except OSError as fault:
        raise ConfigError(f"--log {pattern}: {fault.strerror}") from fault


def deliver(
    call: Call,
    ledger: Ledger,
    target: Target,
    packs: Packs,
    run_id: str,
    *,
    until: datetime | None = None,
    locked: bool = False,
) -> Delivery:
    """Deliver until done; SIGTERM, SIGINT and the time `until` drain what is in flight."""
    from pusher.delivery import deliver as delivering

    _, settings = call.settings.target(target.name)
    transport = targets.transport_of(settings, packs)
    inbox = targets.inbox_of(settings, packs)

    async def run() -> Delivery:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for name in ("SIGTERM", "SIGINT"):
            try:
                loop.add_signal_handler(getattr(signal, name), stop.set)
            except NotImplementedError:  # Windows: Ctrl-C interrupts at once instead
                signal.signal(getattr(signal, name), lambda *_: loop.call_soon(stop.set))
        real = world(call)
        window = None if until is None else asyncio.create_task(stop_at(until, real, stop))
        try:
            return await delivering(
                ledger,
                target,
                transport,
                packs,
                run_id=run_id,
                world=real,
                stop=stop,
                inbox=inbox,
                locked=locked,
            )
        finally:
            if window is not None:
                window.cancel()

    return asyncio.run(run())


def check_metrics(call: Call) -> None:
    """Raise ConfigError before any work when --metrics names a folder that is not there."""
    path: Path | None = call.args.metrics
    if path is not None and not path.parent.is_dir():
        raise ConfigError(_NO_FOLDER.fill({"file": path, "folder": path.parent})[call.lang])


def write_metrics(call: Call, exit_code: int) -> None:
    """Write what --metrics asks for, all targets of the ledger. A file that cannot be written is a
    warning: the push is over, and its exit code tells how it went."""
    from pusher import metrics

    path: Path | None = call.args.metrics
    if path is None:
        return
    try:
        metrics.write(path, metrics_text(call, None, exit_code))
    except OSError as fault:
        said = _NOT_WRITTEN.fill({"file": path, "fault": fault.strerror})[call.lang]
        print(f"spgl: {said}", file=sys.stderr)


def metrics_text(call: Call, target: str | None, exit_code: int | None = None) -> str:
    """The ledger as Prometheus text, for one target or all. Raises ConfigError, LedgerError."""
    from pusher import metrics
    from pusher.ledger.queries import status

    with open_ledger(call, must_exist=True) as ledger:
        found = status(ledger, target, runs=metrics.RUNS)
    return metrics.prometheus(found, datetime.now().astimezone(), exit_code=exit_code)


def tell_books(books: Books, lang: Lang) -> str:
    """The conservation line of what was read."""
    from dataclasses import asdict

    return _BOOKS.fill({k: f"{v:,}" for k, v in asdict(books).items()})[lang]


def tell(delivery: Delivery, target: Target, lang: Lang) -> str:
    """What the run did and where every version stands, a line each."""
    from pusher.states import TITLES

    lines = [
        _SENT.fill(
            {
                name: f"{getattr(delivery, name):,}"
                for name in ("attempts", "delivered", "accepted", "refused", "given_up")
            }
        )[lang]
    ]
    states = " + ".join(f"{TITLES[s][lang]} {n:,}" for s, n in delivery.states.items()) or "0"
    lines.append(_STATES.fill({"versions": f"{delivery.versions:,}", "states": states})[lang])
    if delivery.inbound is not None:
        lines += tell_inbound(delivery.inbound, lang)
    if delivery.stopped is not None:
        lines.append(_STOPPED.fill({"name": target.name, "fault": delivery.stopped})[lang])
    elif delivery.incomplete:
        lines += _left(delivery, target, lang)
    return "\n".join(lines)


def _left(delivery: Delivery, target: Target, lang: Lang) -> list[str]:
    """Why something is left for the next run, and when it may go."""
    lines: list[str] = []
    now = datetime.now().astimezone()
    if delivery.fault is not None:
        lines.append(_FAULT.fill({"fault": delivery.fault})[lang])
    if delivery.away is not None and delivery.away.until > now:
        lines.append(away_text(target.name, delivery.away)[lang])
    if delivery.put_off:
        lines.append(_PUT_OFF.fill({"n": f"{delivery.put_off:,}"})[lang])
    if delivery.next_due is not None:
        due = delivery.next_due.astimezone().isoformat(timespec="seconds")
        lines.append(_DUE.fill({"due": due})[lang])
    return lines


def away_text(name: str, away: Open) -> Text:
    """That a target is left alone, until when and why."""
    until = away.until.astimezone().isoformat(sep=" ", timespec="seconds")[:19]
    words = {"name": name, "until": until, "fault": away.fault}
    return (_OPEN if away.openings else _PAUSE).fill(words)


def tell_inbound(inbound: Inbound, lang: Lang) -> list[str]:
    """What came in, and which tables could not be read, a line each."""
    counts = {n: f"{getattr(inbound, n):,}" for n in ("read", "new", "known", "refused")}
    made = [_INBOUND.fill(counts)[lang]]
    for table, fault in inbound.faults:
        made.append(_NOT_READ.fill({"table": table.rpartition("/")[2], "fault": fault})[lang])
    return made


def inbound_code(inbound: Inbound) -> int:
    """2 for a table that cannot be read as things are set, 75 where the target was away."""
    from pusher.transport import Failure

    wrong = [fault.failure is Failure.CONFIGURATION for _, fault in inbound.faults]
    if not wrong:
        return Exit.FINE
    return Exit.UNUSABLE if any(wrong) else Exit.INCOMPLETE


def exit_code(delivery: Delivery) -> int:
    """2 for a wrong setting, 75 while something is left to send, 3 for refusals in this run."""
    codes = [int(Exit.FINE)]
    if delivery.stopped is not None:
        codes.append(Exit.UNUSABLE)
    if delivery.incomplete:
        codes.append(Exit.INCOMPLETE)
    if delivery.inbound is not None:
        codes.append(inbound_code(delivery.inbound))
    if delivery.refused or delivery.given_up:
        codes.append(Exit.REFUSED)
    return gravest(*codes)
