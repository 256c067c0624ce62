"""Which records go to which target: `[target.NAME] standards = […]` → routes, one per target.

A nightly push serves every configured target in turn; `--target` narrows it to one. A standard has
one target: what two could claim is a ConfigError, what none claims is told and stays unsent.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, cast

from spgl import targets
from spgl.cli import Call
from spgl.config import ConfigError
from validator.text import Lang, Text

if TYPE_CHECKING:
    import polars as pl

    from pusher.ledger.core import Ledger
    from pusher.target import Target
    from validator.check import Checked
    from validator.pack import Packs
    from validator.records import Record


@dataclass(frozen=True, slots=True)
class Route:
    """A target and the standards it is sent; `standards` None: whatever is loaded."""

    target: Target
    standards: frozenset[str] | None = None

    def takes(self, table: str) -> bool:
        """Whether records of a table (`standard/TABLE`) go this way."""
        return self.standards is None or table.partition("/")[0] in self.standards

    def packs(self, packs: Packs) -> Packs:
        """The packs of this target alone: what is sent to it and asked of it."""
        from validator.pack import Packs as Loaded

        if self.standards is None:
            return packs
        return Loaded(tuple(pack for pack in packs if pack.name in self.standards))

    def records(self, checked: Checked, chosen: frozenset[str] | None) -> Iterator[Record]:
        """The judged records of this target, of the `chosen` tables only (None: all). What they
        refer to at another target is not waited for: it never arrives at this one."""
        if self.standards is None and chosen is None:
            yield from checked.records()
            return
        tables = frozenset(
            name
            for name in checked.run.tables
            if self.takes(name) and (chosen is None or name in chosen)
        )
        for record in checked.records(tables):
            if all(self.takes(link.table) for link in record.parents):
                yield record
            else:
                parents = tuple(link for link in record.parents if self.takes(link.table))
                yield replace(record, parents=parents)


@dataclass(frozen=True, slots=True)
class Routes:
    """The routes of a run in the order of the settings; `notices` is what stays unsent and why."""

    routes: tuple[Route, ...]
    notices: tuple[Text, ...] = ()

    def __iter__(self) -> Iterator[Route]:
        return iter(self.routes)

    @property
    def several(self) -> bool:
        return len(self.routes) > 1

    def known(self, ledger: Ledger) -> Mapping[str, pl.DataFrame]:
        """What every target holds of its own standards (`pusher.ledger.known`)."""
        from pusher.ledger import known

        return {
            table: frame
            for route in self
            for table, frame in known(ledger, route.target.name).items()
            if route.takes(table)
        }


def routes_of(call: Call, packs: Packs, *, wait: float) -> Routes:
    """The route that --target names, else one for each configured target. Raises ConfigError."""
    loaded = [pack.name for pack in packs]
    named: str | None = call.args.target
    configured = call.settings.targets
    if named is not None or len(configured) < 2:
        name, settings = call.settings.target(named)
        route = route_of(call, name, settings, wait=wait)
        others = [] if named is not None else _unserved([route], loaded)
        return Routes((route,), tuple(others))
    claimed: dict[str, str] = {}
    for name, settings in configured.items():
        standards = cast("Sequence[str] | None", settings["standards"])
        if standards is None:
            raise ConfigError(_SILENT.fill({"name": name})[call.lang])
        for standard in standards:
            if standard in claimed:
                words = {"standard": standard, "one": claimed[standard], "two": name}
                raise ConfigError(_CLAIMED.fill(words)[call.lang])
            claimed[standard] = name
    routes = [route_of(call, name, settings, wait=wait) for name, settings in configured.items()]
    served = [r for r in routes if r.standards is None or r.standards & set(loaded)]
    idle = [_IDLE.fill({"name": r.target.name}) for r in routes if r not in served]
    return Routes(tuple(served), (*idle, *_unserved(served, loaded)))


def route_of(call: Call, name: str, settings: Mapping[str, object], *, wait: float) -> Route:
    """The route of a configured target."""
    standards = cast("Sequence[str] | None", settings["standards"])
    days = call.settings.number("ledger.keep_content_days")
    target = targets.target_of(name, settings, wait=wait, keep_days=days)
    return Route(target, None if standards is None else frozenset(standards))


def _unserved(routes: Sequence[Route], loaded: Sequence[str]) -> list[Text]:
    """A notice for each loaded standard that no target is sent."""
    return [
        _UNSERVED.fill({"standard": name})
        for name in loaded
        if not any(route.takes(f"{name}/") for route in routes)
    ]


def heading(route: Route, lang: Lang) -> str:
    """The line above what a run tells of one of several targets."""
    standards = ", ".join(sorted(route.standards or ()))
    return _HEADING.fill({"name": route.target.name, "standards": standards})[lang]


_HEADING = Text("── 目标 {name}（{standards}）", "── target {name} ({standards})")
_SILENT = Text(
    "配置了多个目标，而 [target.{name}] 没有 standards；请写明各目标接收的标准包，"
    "或用 --target 指定一个目标",
    "several targets are configured and [target.{name}] has no standards; say which packs each "
    "target is sent, or name one with --target",
)
_CLAIMED = Text(
    "[target.{one}] 与 [target.{two}] 都接收标准包 {standard}；一个标准包只能有一个目标，"
    "请从其中一处去掉，或用 --target 指定",
    "[target.{one}] and [target.{two}] both claim the pack {standard}; a pack has one target: take "
    "it out of one of them, or name a target with --target",
)
_IDLE = Text(
    "目标 {name} 的标准包都未启用（packs.use），本次不处理该目标",
    "no pack of target {name} is in use (packs.use); this run leaves the target alone",
)
_UNSERVED = Text(
    "没有目标接收标准包 {standard}，其记录只检查、不投送；请写入某个 [target.NAME] 的 standards",
    "no target is sent the pack {standard}: its records are checked but not sent; add it to the "
    "standards of a [target.NAME]",
)
