"""`spgl sandbox`: the stand-in national system on loopback, until it is stopped."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from spgl import routing, targets
from spgl.cli import Call, Exit
from spgl.config import ConfigError
from validator.pack import Direction, Packs
from validator.text import Lang, Text

if TYPE_CHECKING:
    from pusher.sandbox.collector import Collector
    from pusher.sandbox.script import Script
    from pusher.transports.exchange_settings import ExchangeSettings


def add(parser: argparse.ArgumentParser, lang: Lang) -> None:
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help=Text("监听地址（默认只限本机）", "address to listen on (default loopback only)")[lang],
    )
    parser.add_argument(
        "--port",
        type=int,
        default=8650,
        help=Text("端口，0 为任选", "port; 0: a free one")[lang],
    )
    parser.add_argument(
        "--script",
        type=Path,
        metavar="FILE",
        help=Text("退回与故障脚本（JSON）", "what to refuse and how to misbehave (JSON)")[lang],
    )
    parser.add_argument(
        "--store",
        type=Path,
        metavar="FILE",
        help=Text("保存收到的记录，默认退出即忘", "keep what it received; default forgets at exit")[
            lang
        ],
    )
    parser.add_argument(
        "--token-env",
        metavar="NAME",
        help=Text("要求此环境变量中的令牌", "demand the token of this environment variable")[lang],
    )
    parser.add_argument(
        "--collect",
        metavar="URL",
        help=Text(
            "另在此前置库中接收数据（sqlite:///…）",
            "also take rows over from this exchange database (sqlite:///…)",
        )[lang],
    )
    parser.add_argument(
        "--collect-standard",
        action="append",
        metavar="NAME",
        help=Text(
            "该前置库存放的标准包，可重复（同名的表只能有一个）",
            "pack whose tables stand in that database; repeatable (a table name stands once)",
        )[lang],
    )
    parser.add_argument(
        "--city-prefix",
        default="",
        metavar="PREFIX",
        help=Text(
            "该前置库反馈表的城市前缀，如 370800_；有它才写反馈",
            "prefix of a city before its feedback tables, such as 370800_; without it no feedback "
            "is written",
        )[lang],
    )
    parser.add_argument(
        "--collect-target",
        metavar="NAME",
        help=Text(
            "同上，但取自 spgl.toml 中此目标的设置（MySQL、PostgreSQL、SQLite）",
            "the same with the settings of this target in spgl.toml (MySQL, PostgreSQL, SQLite)",
        )[lang],
    )
    parser.add_argument(
        "--every",
        type=float,
        default=1.0,
        metavar="SECONDS",
        help=Text("每隔几秒接收一次", "seconds between two looks at the database")[lang],
    )


def run(call: Call) -> int:
    from pusher.sandbox.script import Script, ScriptError, load_script
    from pusher.sandbox.server import Sandbox, SandboxSettings, serve
    from validator.load import load_packs

    args = call.args
    token = os.environ.get(args.token_env, "") if args.token_env else ""
    if args.token_env and not token:
        raise ConfigError(
            Text(
                f"环境变量 {args.token_env} 为空，请先设置",
                f"environment variable {args.token_env} is empty; set it first",
            )[call.lang]
        )
    try:
        script = load_script(args.script) if args.script else Script()
    except ScriptError as fault:
        raise ConfigError(fault.text[call.lang]) from fault
    packs = load_packs(call.settings.texts("packs.use"))
    settings = SandboxSettings(args.host, args.port, args.store, token)
    say = Text(
        "沙箱地址 {url}；它的接收不代表国家系统接收。按 Ctrl-C 结束",
        "sandbox at {url}; what it accepts is accepted by the sandbox only. Ctrl-C ends it",
    )

    collectors = [_collector(front, own, script) for front, own in _databases(call, packs)]

    def announce(url: str) -> None:
        print(say.fill({"url": url})[call.lang], flush=True)

    async def work() -> None:
        stop = asyncio.Event()
        async with asyncio.TaskGroup() as group:
            for collector in collectors:
                group.create_task(_collect(collector, args.every, script, stop))
            await serve(Sandbox(settings, script, packs=packs), announce=announce)
            stop.set()

    try:
        asyncio.run(work())
    except OSError as fault:
        raise ConfigError(f"{args.host}:{args.port}: {fault.strerror}") from fault
    return Exit.FINE


def _databases(call: Call, packs: Packs) -> list[tuple[ExchangeSettings, Packs]]:
    """The exchange databases to take rows over from, each with the packs that it holds. Raises
    ConfigError for an unknown target, or packs that cannot share a database."""
    from pusher.transports.exchange_settings import ExchangeSettings

    found = []
    if call.args.collect:
        own = _chosen(call, packs)
        names = [t.name for t in own.tables() if t.direction is Direction.OUT]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ConfigError(_TWICE.fill({"names": ", ".join(twice)})[call.lang])
        prefix = call.args.city_prefix
        found.append((ExchangeSettings(call.args.collect, city_prefix=prefix), own))
    if call.args.collect_target:
        name, settings = call.settings.target(call.args.collect_target)
        if settings["transport"] != "exchange_db":
            raise ConfigError(
                Text(f"目标 {name} 不是前置库", f"target {name} is no exchange database")[call.lang]
            )
        route = routing.route_of(call, name, settings, wait=0.0)
        found.append((targets.exchange_settings(settings), route.packs(packs)))
    return found


def _chosen(call: Call, packs: Packs) -> Packs:
    """The packs of --collect-standard, all without it. Raises ConfigError."""
    names = call.args.collect_standard
    if not names:
        return packs
    loaded = {pack.name: pack for pack in packs}
    for name in names:
        if name not in loaded:
            known = {"name": name, "known": ", ".join(loaded)}
            raise ConfigError(_NOT_LOADED.fill(known)[call.lang])
    return Packs(tuple(loaded[name] for name in dict.fromkeys(names)))


_NOT_LOADED = Text(
    "--collect-standard {name}：没有启用这个标准包；已启用：{known}",
    "--collect-standard {name}: that pack is not in use; in use: {known}",
)
_TWICE = Text(
    "--collect：{names} 在几个标准包中同名，不能放在同一个库里；请用 --collect-standard 指定",
    "--collect: {names} stand in several packs and cannot share a database; choose with "
    "--collect-standard",
)


def _collector(settings: ExchangeSettings, packs: Packs, script: Script) -> Collector:
    """A collector behind an exchange database, its tables made where missing. Raises ConfigError
    where it cannot be reached or the stand-in was never run on its kind."""
    from sqlalchemy.exc import SQLAlchemyError

    from pusher.sandbox.collector import Collector
    from pusher.transport import TransportError

    try:
        return Collector(settings, packs, script)
    except (TransportError, NotImplementedError) as fault:
        raise ConfigError(str(fault)) from fault
    except SQLAlchemyError as fault:
        reason = str(fault).splitlines()[0]
        raise ConfigError(f"the exchange database cannot be used: {reason}") from fault


async def _collect(collector: Collector, every: float, script: Script, stop: asyncio.Event) -> None:
    """Take rows over from an exchange database until `stop`."""
    try:
        await collector.run(Random(script.faults.seed), every=every, stop=stop)  # noqa: S311
    finally:
        collector.close()
