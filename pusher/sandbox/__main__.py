"""`python -m pusher.sandbox`: serve the stand-in until SIGTERM. `spgl sandbox` is the same."""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from pathlib import Path

from pusher.sandbox.script import Script, ScriptError, load_script
from pusher.sandbox.server import Sandbox, SandboxSettings, serve


def main(arguments: list[str] | None = None) -> int:
    """Exit code 0 after a signal, 2 for a script or store that cannot be used."""
    parser = argparse.ArgumentParser(prog="pusher.sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", type=Path)
    parser.add_argument("--store", type=Path)
    parser.add_argument("--token-env", help="environment variable with the token to demand")
    given = parser.parse_args(arguments)
    token = os.environ.get(given.token_env, "") if given.token_env else ""
    try:
        script = load_script(given.script) if given.script else Script()
    except ScriptError as fault:
        print(fault, file=sys.stderr)
        return 2
    settings = SandboxSettings(given.host, given.port, given.store, token)
    try:
        asyncio.run(_run(settings, script))
    except (OSError, ScriptError) as fault:
        print(fault, file=sys.stderr)
        return 2
    return 0


async def _run(settings: SandboxSettings, script: Script) -> None:
    await serve(Sandbox(settings, script), announce=lambda url: print(url, flush=True))


if __name__ == "__main__":
    sys.exit(main())
