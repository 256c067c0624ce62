"""The demo: two nights of a made-up city, told with the commands a person would type.

Everything runs through the command line in processes of their own, so that killing one is a real
kill. It shows; it asserts only what would make the story untrue.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from spgl.config import ConfigError
from validator.text import Lang, Text

MARK = ".spgl-demo"
SEED = 20250926
#: Attempts that must stand in the log before the first push is killed.
KILL_AFTER = 12
_PATIENCE = 60.0

_SETTINGS = """\
state_dir = "state"

[target.national]            # HTTP, as some provinces take it
transport = "http"
url = "{url}"
batch_records = 40
retry_schedule = [0.2, 0.5, 1, 2]
retry_budget = 1.0  # this sandbox misbehaves far more than a target ever should

[target.exchange]            # the exchange database, the channel used in the field
transport = "exchange_db"
url = "sqlite:///exchange.db"
"""


@dataclass(frozen=True, slots=True)
class Stage:
    """Where the demo plays: its folder and the language it speaks."""

    out: Path
    lang: Lang

    def say(self, zh: str, en: str) -> None:
        print(f"\n— {Text(zh, en)[self.lang]}", flush=True)

    def head(self, zh: str, en: str) -> None:
        title = Text(zh, en)[self.lang]
        print(f"\n{'=' * 78}\n{title}\n{'=' * 78}", flush=True)


def play(out: Path, lang: Lang) -> int:
    """Play both nights in `out` (made, or left by an earlier demo). Exit code 0 when all went well.

    Raises ConfigError when `out` holds something else.
    """
    _prepare(out)
    stage = Stage(out, lang)
    _write_city(stage)
    with _sandbox(stage) as url:
        (out / "spgl.toml").write_text(_SETTINGS.format(url=url), encoding="utf-8")
        _night_one(stage)
        _night_two(stage)
    _farewell(stage)
    return 0


def _night_one(stage: Stage) -> None:
    stage.head("第一夜：导出数据里有预埋的缺陷", "Night 1: the export carries planted defects")
    stage.say("检查，并写出网页报告", "Validate, and write the HTML report")
    _spgl(
        stage, "validate", "night-1", "--report", "html=report.html",
        "--report", "jsonl=violations.jsonl", show=_last(3), expect=(1,),
    )  # fmt: skip
    _tell_stages(stage)
    stage.say(
        f"投送合格记录；沙箱会变慢、断开、丢失应答。第 {KILL_AFTER} 次投送后强行终止（kill -9）",
        f"Push the conforming records into a sandbox that is slow, breaks off and loses answers; "
        f"kill -9 after {KILL_AFTER} attempts",
    )
    _push_and_kill(stage)
    stage.say("再次运行同一命令：续传", "The same command again: it resumes")
    _spgl(stage, *_PUSH, show=_last(4), expect=(0, 3))
    time.sleep(3)
    stage.say("取回部分结论，有几条被退回", "Some verdicts come back; a few records are refused")
    _spgl(stage, "feedback", "--target", "national", "-q", show=_last(1), expect=(0, 3))
    _spgl(stage, "ledger", "list", "--state", "rejected", "--target", "national", show=_last(8))
    stage.say("同一批数据写入前置库", "The same records into the exchange database")
    _spgl(
        stage, "push", "night-1", "--target", "exchange", "--fail-on", "never", "-q",
        show=_last(3), expect=(0, 3),
    )  # fmt: skip


_PUSH = (
    "push", "night-1", "--target", "national", "--fail-on", "never", "--log", "push.log",
)  # fmt: skip


def _night_two(stage: Stage) -> None:
    stage.head(
        "第二夜：缺陷已修复，城市又有新的业务", "Night 2: defects repaired, the city has moved on"
    )
    stage.say("检查", "Validate")
    _spgl(stage, "validate", "night-2", show=_last(2), expect=(0,))
    stage.say("投送：只发送有变化的记录", "Push: only what changed goes out")
    push = ("push", "night-2", "--target", "national", "--fail-on", "never", "--log", "push.log")
    _spgl(stage, *push, show=_last(3), expect=(0, 3))
    _late_verdicts(stage)
    stage.say(
        "再投送一次：没有变化，什么也不发送", "Push once more: nothing changed, nothing is sent"
    )
    _spgl(stage, *push, show=_last(3), expect=(0, 3))
    stage.say("前置库", "The exchange database")
    _spgl(
        stage, "push", "night-2", "--target", "exchange", "--fail-on", "never", "-q",
        show=_last(3), expect=(0, 3),
    )  # fmt: skip
    stage.say(
        "一条记录的全过程：退回、修改、再次投送",
        "One record's whole life: refused, repaired, sent again",
    )
    table, words = _repaired_record(stage)
    _spgl(stage, "ledger", "show", *words, "--table", table, "--target", "national")
    stage.say("台账", "The ledger")
    _spgl(stage, "status", show=_totals)


def _late_verdicts(stage: Stage) -> None:
    """Fetch verdicts until none is pending; the sandbox spreads them over half a minute."""
    stage.say("迟到的结论陆续取回", "Late verdicts come in")
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        _spgl(stage, "feedback", "--target", "national", "-q", show=_last(1), expect=(0, 3))
        status = json.loads(_spgl(stage, "status", "--format", "json", echo=False, show=_nothing))
        pending = sum(
            c["versions"] for c in status["counts"]
            if c["state"] == "delivered" and c["target"] == "national"
        )  # fmt: skip
        if not pending:
            return
        time.sleep(5)


def _farewell(stage: Stage) -> None:
    out = stage.out
    look = f"{_program()} inspect --config {out / 'spgl.toml'}"
    stage.head("完成", "Done")
    print(
        Text(
            f"网页报告  {out / 'report.html'}\n投送日志  {out / 'push.log'}\n"
            f"设置      {out / 'spgl.toml'}\n台账      {out / 'state' / 'ledger.db'}\n\n"
            f"在浏览器中查看结果：\n  {look}\n\n"
            "以上“接收”均指沙箱接收，不代表国家系统。",
            f"HTML report  {out / 'report.html'}\nattempt log  {out / 'push.log'}\n"
            f"settings     {out / 'spgl.toml'}\nledger       {out / 'state' / 'ledger.db'}\n\n"
            f"look at the results in a browser:\n  {look}\n\n"
            "“Accepted” above means accepted by the sandbox, nothing more.",
        )[stage.lang]
    )


def _program() -> str:
    """What a person can type now: `make demo` installs where PATH does not look."""
    if shutil.which("spgl"):
        return "spgl"
    beside = shutil.which("spgl", path=str(Path(sys.executable).parent))
    return beside or f"{sys.executable} -m spgl"


# -- the stage itself ------------------------------------------------------------------------------


def _prepare(out: Path) -> None:
    if out.exists() and any(out.iterdir()) and not (out / MARK).exists():
        raise ConfigError(
            f"{out}: not empty and not left by a demo; name another folder with --out"
        )
    if out.exists():
        shutil.rmtree(out)
    out.mkdir(parents=True)
    (out / MARK).touch()


def _write_city(stage: Stage) -> None:
    from spgl.city.write import write_export

    stage.say("生成虚构城市的两次导出（约一万条记录）", "Make two exports of a made-up city")
    write_export(SEED, stage.out / "night-1", clean=False, night=1)
    write_export(SEED, stage.out / "night-2", clean=True, night=2)
    script = json.loads((stage.out / "night-1.sandbox.json").read_text(encoding="utf-8"))
    script |= {
        "verdict_delay": 2.0,
        "verdict_spread": 25.0,
        "faults": {
            "seed": 7,
            "slow_seconds": 0.3,
            "retry_after": 0.5,
            "chance": {
                "slow": 0.15, "throttle": 0.04, "unavailable": 0.04, "reset-before": 0.04,
                "reset-after": 0.05, "truncate": 0.03, "gateway-after": 0.03,
            },
        },
    }  # fmt: skip
    (stage.out / "sandbox.json").write_text(
        json.dumps(script, ensure_ascii=False, indent=1), "utf-8"
    )


@contextmanager
def _sandbox(stage: Stage) -> Iterator[str]:
    """The stand-in national system and the collector, as a process; yields its address."""
    words = (
        "sandbox", "--port", "0", "--script", "sandbox.json", "--store", "sandbox.db",
        "--collect", "sqlite:///exchange.db", "--lang", "en",
    )  # fmt: skip
    running = subprocess.Popen(
        [sys.executable, "-m", "spgl", *words],
        cwd=stage.out, env=_environment(stage), stdout=subprocess.PIPE, text=True, encoding="utf-8",
    )  # fmt: skip
    try:
        assert running.stdout is not None
        line = running.stdout.readline()
        if "http" not in line:
            raise ConfigError("the sandbox did not start")
        url = next(word.rstrip(";") for word in line.split() if word.startswith("http"))
        yield url
    finally:
        running.terminate()
        running.wait(10)


def _push_and_kill(stage: Stage) -> None:
    _echo(_PUSH)
    log = stage.out / "push.log"
    with (stage.out / "killed.txt").open("wb") as sink:
        running = subprocess.Popen(
            [sys.executable, "-m", "spgl", *_PUSH],
            cwd=stage.out, env=_environment(stage), stdout=sink, stderr=sink,
        )  # fmt: skip
        until = time.monotonic() + _PATIENCE
        while running.poll() is None and time.monotonic() < until:
            if log.exists() and log.read_text(encoding="utf-8").count('"outcome"') >= KILL_AFTER:
                break
            time.sleep(0.02)
        running.kill()
        code = running.wait()
    attempts = log.read_text(encoding="utf-8").count('"outcome"') if log.exists() else 0
    dead = code == -signal.SIGKILL if os.name == "posix" else code != 0
    if not dead:
        raise ConfigError("the push ended before it could be killed; run the demo again")
    stage.say(f"已被终止，日志中有 {attempts} 次投送", f"Killed; the log holds {attempts} attempts")


def _spgl(
    stage: Stage,
    *words: str,
    show: Callable[[str], str] = str,
    expect: Sequence[int] = (0,),
    echo: bool = True,
) -> str:
    """Run a command, print what `show` picks of its output. Raises ConfigError on another code."""
    if echo:
        _echo(words)
    ran = subprocess.run(
        [sys.executable, "-m", "spgl", *words],
        cwd=stage.out, env=_environment(stage), capture_output=True, text=True, encoding="utf-8",
        check=False,
    )  # fmt: skip
    shown = show(ran.stdout)
    if shown:
        print("\n".join(f"  {line}" for line in shown.rstrip().splitlines()), flush=True)
    if ran.returncode not in expect:
        raise ConfigError(
            f"spgl {words[0]} ended with {ran.returncode}: {ran.stderr.strip()[-2000:]}"
        )
    return ran.stdout


def _echo(words: Sequence[str]) -> None:
    print(f"  $ spgl {' '.join(words)}", flush=True)


def _environment(stage: Stage) -> dict[str, str]:
    root = str(Path(__file__).parents[1])
    path = os.pathsep.join([root, *filter(None, [os.environ.get("PYTHONPATH")])])
    return {**os.environ, "SPGL_LANG": stage.lang, "PYTHONPATH": path, "PYTHONUTF8": "1"}


# -- what is shown of a command's output -----------------------------------------------------------


def _nothing(_: str) -> str:
    return ""


def _last(lines: int) -> Callable[[str], str]:
    return lambda text: "\n".join(text.rstrip().splitlines()[-lines:])


def _tell_stages(stage: Stage) -> None:
    """Violations by stage and rule, from the report for programs."""
    from validator.load import load_packs
    from validator.reports.plain import left, right
    from validator.rules import rules

    titles = {s.id: s.title[stage.lang] for p in load_packs() for s in p.stages}
    counts: Counter[tuple[str | None, str, str]] = Counter()
    with (stage.out / "violations.jsonl").open(encoding="utf-8") as lines:
        for line in lines:
            found = json.loads(line)
            counts[found["stage"], found["severity"], found["rule"]] += 1
    for name in [*titles, None]:
        title = titles.get(name or "", Text("其他表", "other tables")[stage.lang])
        print(f"  {title}")
        for (of, severity, rule), n in sorted(counts.items(), key=str):
            if of == name and severity == "error":
                print(f"    {left(rules()[rule].title[stage.lang], 44)}{right(str(n), 6)}  {rule}")


def _totals(text: str) -> str:
    """The line of sums of each target, and what follows the tables."""
    return "\n".join(line for line in text.splitlines() if "/SPGL_" not in line)


def _repaired_record(stage: Stage) -> tuple[str, list[str]]:
    """A record that was refused on night one and accepted on night two: table and natural key."""
    from pusher.ledger import Selector, life, list_rows, open_ledger
    from pusher.states import State

    ledger = open_ledger(stage.out / "state" / "ledger.db")
    try:
        selector = Selector(target="national", states=(State.REJECTED,))
        for entry in list_rows(ledger, selector):
            told = life(ledger, entry.target, entry.table, entry.key)
            if told is not None and told.versions[-1].entry.state is State.ACCEPTED:
                return entry.table, [f"{k}={v}" for k, v in entry.key.items()]
    finally:
        ledger.close()
    raise ConfigError("no record was refused and repaired; the demo did not go as told")
