"""`spgl inspect`: the local pages that show what is wrong and what became of every record."""

from __future__ import annotations

import argparse
import os
from pathlib import Path
from typing import TYPE_CHECKING

from spgl.cli import Call, Exit
from spgl.config import ConfigError
from validator.text import Lang, Text

if TYPE_CHECKING:
    from spgl.inspector.security import Gate
    from spgl.inspector.site import Site


def add(parser: argparse.ArgumentParser, lang: Lang) -> None:
    def say(zh: str, en: str) -> str:
        return Text(zh, en)[lang]

    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help=say(
            "监听地址（默认只限本机；其他地址须设令牌）",
            "address to listen on (default this machine only; another one needs a token)",
        ),
    )
    parser.add_argument(
        "--port", type=int, default=8660, help=say("端口，0 为任选", "port; 0: a free one")
    )
    parser.add_argument(
        "--token-env",
        metavar="NAME",
        help=say("要求此环境变量中的令牌", "demand the token in this environment variable"),
    )
    parser.add_argument(
        "--token-file",
        type=Path,
        metavar="FILE",
        help=say("要求此文件中的令牌", "demand the token in this file"),
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help=say("允许以此主机名访问，可重复", "answer to this host name; repeatable"),
    )
    parser.add_argument(
        "--allow-actions",
        action="store_true",
        help=say(
            "允许重新投送、撤回、标为已知，均记入台账",
            "allow retry, withdraw and mark as known; each is written down",
        ),
    )
    parser.add_argument(
        "--as",
        dest="who",
        metavar="NAME",
        help=say("处置人姓名，默认为登录用户", "who acts; default the login name"),
    )
    parser.add_argument(
        "--baseline",
        type=Path,
        metavar="FILE",
        help=say(
            "“标为已知”写入的基线文件，默认在状态目录中",
            "baseline file that “mark as known” writes; default in the state folder",
        ),
    )
    parser.add_argument(
        "--show-personal",
        action="store_true",
        help=say("不遮盖个人信息，并记入日志", "do not mask personal data; this is logged"),
    )


def run(call: Call) -> int:
    import asyncio

    from spgl.inspector.serve import serve
    from spgl.log import logger

    site, gate = _made(call)
    args, log = call.args, logger()
    if args.show_personal:
        log.warning("personal_data_shown", by=site.rights.who)
    say = Text("核查台：{url}  按 Ctrl-C 结束", "inspector at {url}  Ctrl-C ends it")

    def announce(url: str) -> None:
        print(say.fill({"url": url})[call.lang], flush=True)

    try:
        asyncio.run(serve(site, gate, log, args.host, args.port, announce))
    except OSError as fault:
        raise ConfigError(f"{args.host}:{args.port}: {fault.strerror or fault}") from fault
    return Exit.FINE


def _made(call: Call) -> tuple[Site, Gate]:
    """The site and its gate from settings and flags. Raises ConfigError, PackError."""
    from spgl.inspector.security import Gate, loopback
    from spgl.inspector.serve import make_site
    from spgl.inspector.site import Rights

    args, token = call.args, _token(call)
    if not loopback(args.host) and not token:
        raise ConfigError(_NEEDS_TOKEN.fill({"host": args.host})[call.lang])
    who = args.who or _login()
    gate = Gate(token, frozenset(name.lower() for name in args.allow_host))
    rights = Rights(args.allow_actions, args.show_personal, who)
    return make_site(call.settings, rights, csrf=gate.csrf, baseline=args.baseline), gate


def _login() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return "inspector"


def _token(call: Call) -> str:
    """The token from environment or file. Raises ConfigError where it is missing or weak."""
    args = call.args
    if args.token_env:
        token, place = os.environ.get(args.token_env, ""), args.token_env
    elif args.token_file:
        try:
            token, place = args.token_file.read_text(encoding="utf-8").strip(), args.token_file
        except OSError as fault:
            raise ConfigError(f"{args.token_file}: {fault.strerror}") from fault
    else:
        return ""
    if len(token) < _SHORTEST:
        raise ConfigError(_WEAK.fill({"place": place, "least": _SHORTEST})[call.lang])
    return token


_SHORTEST = 16
_WEAK = Text(
    "{place} 中的令牌为空或过短（至少 {least} 个字符）",
    "the token in {place} is missing or too short (at least {least} characters)",
)
_NEEDS_TOKEN = Text(
    "{host} 不是本机地址，须用 --token-env 或 --token-file 设置令牌",
    "{host} is not an address of this machine only; set a token with --token-env or --token-file",
)
