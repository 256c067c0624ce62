"""`spgl sandbox`: the stand-in national system on loopback, until it is stopped."""

from __future__ import annotations

import argparse
import asyncio
import os
from pathlib import Path

from spgl.cli import Call, Exit
from spgl.config import ConfigError
from validator.text import Lang, Text


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

    def announce(url: str) -> None:
        print(say.fill({"url": url})[call.lang], flush=True)

    try:
        asyncio.run(serve(Sandbox(settings, script, packs=packs), announce=announce))
    except OSError as fault:
        raise ConfigError(f"{args.host}:{args.port}: {fault.strerror}") from fault
    return Exit.FINE
