"""What the sandbox refuses and how it misbehaves, as values, and their JSON file form.

A script is plain data: the same script and seed misbehave in the same way. It knows no protocol.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from random import Random
from typing import Literal, TypeVar, cast

from validator.text import Text

_Shape = TypeVar("_Shape")
_NUMBERS = {
    *("verdict_delay", "verdict_spread", "max_records", "page"),
    *("share", "seed", "slow_seconds", "retry_after"),
}


class ScriptError(Exception):
    """A script file that cannot be used: one line saying what to change."""

    def __init__(self, text: Text) -> None:
        super().__init__(text.en)
        self.text = text


class Fault(StrEnum):
    """A way to misbehave on one request. A step may also be a bare status such as `413`."""

    #: Effect and answer only after `slow_seconds`.
    SLOW = "slow"
    #: Effect at once, the answer after `slow_seconds`.
    SLOW_AFTER = "slow-after"
    #: 429 with `Retry-After`, no effect.
    THROTTLE = "throttle"
    #: 503 with `Retry-After`, no effect.
    UNAVAILABLE = "unavailable"
    #: 502 after the effect: a gateway lost the answer.
    GATEWAY_AFTER = "gateway-after"
    #: Connection reset before the effect.
    RESET_BEFORE = "reset-before"
    #: Connection reset after the effect: the acknowledgement is lost.
    RESET_AFTER = "reset-after"
    #: Effect, then half of the answer.
    TRUNCATE = "truncate"
    #: Effect, then a login page with status 200.
    HTML = "html"
    #: Every receipt or verdict twice.
    DUPLICATE = "duplicate"
    #: Effect, one receipt missing.
    MISSING = "missing"
    #: Effect, one receipt too many, for an index that was not sent.
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Refuse records of `table` (`*`: any) whose key or fields match every pattern of `where`.

    Patterns are those of a shell (`*`, `?`, `[…]`). `share` refuses only that part of the matches,
    chosen by the hash of the key, so always the same ones. A `late` refusal accepts first and
    takes it back with a later verdict.
    """

    reason: str
    table: str = "*"
    where: Mapping[str, str] = field(default_factory=dict)
    share: float = 1.0
    late: bool = False

    def matches(self, table: str, key: Mapping[str, str], values: Mapping[str, str]) -> bool:
        if self.table not in ("*", table):
            return False
        for name, pattern in self.where.items():
            value = values.get(name, key.get(name))
            if value is None or not fnmatchcase(value, pattern):
                return False
        return self.share >= 1.0 or fraction(table, key) < self.share


@dataclass(frozen=True, slots=True)
class Faults:
    """Misbehaviour by route (`send`, `settle`, `verdicts`, `notify`).

    `steps` are used up in order (`ok` behaves), then `chance` (fault → probability) draws on the
    `routes` named, with `seed`. Times in seconds.
    """

    seed: int = 0
    steps: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    chance: Mapping[str, float] = field(default_factory=dict)
    routes: tuple[str, ...] = ("send",)
    slow_seconds: float = 1.0
    retry_after: float = 1.0
    retry_after_date: bool = False


@dataclass(frozen=True, slots=True)
class Script:
    """Strictness and misbehaviour of a sandbox.

    `verdict_delay`: None answers at once, else records are `received` and judged that many seconds
    later, plus up to `verdict_spread` seconds each (so out of order). `parents`: `reject` refuses a
    record whose parent is not held, `wait` refuses its whole batch with `parent-missing`.
    `max_records`: larger batches get 413. `page`: verdicts per page. `feedback`: the states (SPJG)
    that a fire case goes through once its application was taken over (`pusher.sandbox.province`).
    """

    refusals: tuple[Refusal, ...] = ()
    faults: Faults = field(default_factory=Faults)
    verdict_delay: float | None = None
    verdict_spread: float = 0.0
    parents: Literal["off", "reject", "wait"] = "off"
    max_records: int = 10_000
    page: int = 500
    feedback: tuple[str, ...] = ("3", "101", "11")

    def refusal(
        self, table: str, key: Mapping[str, str], values: Mapping[str, str]
    ) -> Refusal | None:
        """The first refusal that matches, or None."""
        for refusal in self.refusals:
            if refusal.matches(table, key, values):
                return refusal
        return None


class Dice:
    """Draws the fault of each request: scripted steps first, then chance with a seed."""

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._rng = Random(faults.seed)  # noqa: S311 -- reproducible, not secret
        self._taken: dict[str, int] = {}

    def draw(self, route: str) -> str:
        """A `Fault`, a bare status, or `ok`."""
        steps = self._faults.steps.get(route, ())
        taken = self._taken.get(route, 0)
        if taken < len(steps):
            self._taken[route] = taken + 1
            return steps[taken]
        if route not in self._faults.routes or not self._faults.chance:
            return "ok"
        roll = self._rng.random()
        for fault, chance in self._faults.chance.items():
            if roll < chance:
                return fault
            roll -= chance
        return "ok"


def fraction(table: str, key: Mapping[str, str]) -> float:
    """A number in [0, 1) that depends on the identity alone."""
    text = "\x1f".join((table, *(f"{name}={key[name]}" for name in sorted(key))))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:6], "big") / 2**48


def load_script(path: Path) -> Script:
    """The script of a JSON file, members named as the fields of `Script`. Raises ScriptError."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as fault:
        raise ScriptError(
            Text(
                f"无法读取沙箱脚本 {path}：请给出一个 UTF-8 编码的 JSON 文件",
                f"cannot read the sandbox script {path}: give a JSON file in UTF-8",
            )
        ) from fault
    return script_of(document, str(path))


def script_of(document: object, origin: str = "script") -> Script:
    """The script of a JSON document. Raises ScriptError naming the member that is wrong."""
    values = _members(document, Script, origin)
    if "refusals" in values:
        refusals = values["refusals"]
        if not isinstance(refusals, list):
            raise _wrong(f"{origin}.refusals")
        values["refusals"] = tuple(
            _built(Refusal, _members(entry, Refusal, f"{origin}.refusals[{i}]"), origin)
            for i, entry in enumerate(refusals)
        )
    if "faults" in values:
        values["faults"] = _faults(values["faults"], f"{origin}.faults")
    if "feedback" in values:
        states = values["feedback"]
        if not isinstance(states, list) or not all(isinstance(state, str) for state in states):
            raise _wrong(f"{origin}.feedback")
        values["feedback"] = tuple(states)
    if values.get("parents", "off") not in ("off", "reject", "wait"):
        raise _wrong(f"{origin}.parents")
    return _built(Script, values, origin)


def _faults(document: object, origin: str) -> Faults:
    values = _members(document, Faults, origin)
    steps = cast("Mapping[str, list[str]]", values.get("steps", {}))
    chance = cast("Mapping[str, float]", values.get("chance", {}))
    if not isinstance(steps, dict) or not isinstance(chance, dict):
        raise _wrong(origin)
    known = {str(fault) for fault in Fault} | {"ok"}
    for name in (*chance, *(step for route in steps.values() for step in route)):
        if name not in known and not (name.isdigit() and 200 <= int(name) <= 599):
            raise _wrong(f"{origin}: {name}")
    values["steps"] = {route: tuple(names) for route, names in steps.items()}
    if "routes" in values:
        values["routes"] = tuple(cast("list[str]", values["routes"]))
    return _built(Faults, values, origin)


def _members(document: object, shape: type, origin: str) -> dict[str, object]:
    if not isinstance(document, dict):
        raise _wrong(origin)
    known = {member.name for member in fields(shape)}
    for name, value in document.items():
        number = isinstance(value, int | float) and not isinstance(value, bool)
        if name not in known or (name in _NUMBERS and not number):
            raise _wrong(f"{origin}.{name}")
        if name in ("reason", "table") and not isinstance(value, str):
            raise _wrong(f"{origin}.{name}")
        if name == "where" and not (
            isinstance(value, dict) and all(isinstance(v, str) for v in value.values())
        ):
            raise _wrong(f"{origin}.{name}")
    return dict(document)


def _built(shape: type[_Shape], values: Mapping[str, object], origin: str) -> _Shape:
    try:
        return shape(**values)
    except TypeError as fault:
        raise _wrong(origin) from fault


def _wrong(place: str) -> ScriptError:
    return ScriptError(
        Text(
            f"沙箱脚本中 {place} 无法识别：请对照 docs/sandbox.md 修改",
            f"the sandbox script has something unknown at {place}: see docs/sandbox.md",
        )
    )
