"""Names or folders of packs → `Packs`: read, checked, with overlays and the packs they use.

Shipped packs are found in the `standards` package, also inside a wheel. A pack whose stamp matches
its bytes was fully checked when the stamp was written (by `make docs`, proved by the tests), so
that a load costs milliseconds; any edit makes the stamp stale and the full check runs again. A pack
with an overlay is checked in full each time. This module judges no data and knows no settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files as package_files
from os.path import normpath
from pathlib import Path
from typing import NoReturn, cast

from validator.load_build import build
from validator.load_check import checked
from validator.load_files import (
    PackFiles,
    did_you_mean,
    parse,
    parse_head,
    parsed_form,
    read_files,
)
from validator.overlay import named, overlaid
from validator.pack import Pack, PackError, Packs

DEFAULT_PACKS = ("data-sharing-3.0", "fire-inspection-1.0")

#: The files of a pack and of the overlays on it, the last on top.
Stack = tuple[PackFiles, ...]


def load_packs(names: Sequence[str | Path] = DEFAULT_PACKS, *, recheck: bool = False) -> Packs:
    """The packs of these names (shipped) or folders, each after the packs it uses.

    The folder of an overlay stands for the pack it extends, also where other packs use that.
    `recheck` ignores the stamps and checks everything. Raises PackError.
    """
    asked: dict[str, Stack] = {}
    for name in names:
        stack = _stack(name, ())
        own, _ = _head(stack[0])
        known = asked.get(own, stack)
        lower, upper = sorted((known, stack), key=len)
        if upper[: len(lower)] != lower:
            _twice(own, known[-1], stack[-1])
        asked[own] = upper
    order: dict[str, Stack] = {}
    for own in asked:
        _collect(own, asked, order, ())
    return _load(tuple(order.values()), recheck)


def _twice(name: str, one: PackFiles, other: PackFiles) -> NoReturn:
    remedy = "give one of them"
    if _extends(one) and _extends(other):
        remedy = "let one of the overlays extend the other and give that one"
    raise PackError(f"pack {name} is given twice, by {one.place} and {other.place}; {remedy}")


def _stack(name: str | Path, above: tuple[str, ...]) -> Stack:
    """A pack, or an overlay on top of what it extends."""
    files = _find(name)
    below = _extends(files)
    if below is None:
        return (files,)
    if files.place in above:
        circle = " → ".join((*above, files.place))
        raise PackError(f"overlays extend each other: {circle}; break the circle")
    folder = Path(normpath(Path(name, below)))
    shipped = below in shipped_packs()
    if not shipped and not folder.is_dir():
        what = f"{below!r} is no shipped pack and no folder beside this one"
        remedy = f"use {did_you_mean(below, shipped_packs())} or a path from this folder"
        parse_head(files, check=False).fail(["extends"], what, remedy)
    lower = _stack(below if shipped else folder, (*above, files.place))
    return (*lower, files)


@lru_cache(maxsize=16)
def _extends(files: PackFiles) -> str | None:
    """What an overlay lies on; None for a pack. The head of an overlay is checked here."""
    document = parse_head(files, check=False)
    if "extends" not in document.data:
        return None
    return str(parse_head(files, check=True).data["extends"])


def shipped_packs() -> tuple[str, ...]:
    """Names of the packs that come with spgl."""
    folders = package_files("standards").iterdir()
    return tuple(sorted(f.name for f in folders if f.joinpath("pack.toml").is_file()))


def _find(name: str | Path) -> PackFiles:
    shipped = shipped_packs()
    if isinstance(name, str) and name in shipped:
        return read_files(package_files("standards").joinpath(name), f"standards/{name}")
    folder = Path(name)
    if not folder.is_dir():
        near = did_you_mean(str(name), shipped)
        raise PackError(f"{name}: no such pack; use {near} or the folder of a pack")
    return read_files(folder, folder.as_posix())


def _collect(
    name: str, asked: Mapping[str, Stack], order: dict[str, Stack], above: tuple[str, ...]
) -> None:
    """Put a pack into `order` after the packs it uses."""
    if name in above:
        raise PackError(f"packs use each other: {' → '.join((*above, name))}; break the circle")
    stack = asked.get(name) or _stack(name, ())
    for used in _head(stack[0])[1]:
        _collect(used, asked, order, (*above, name))
    order.setdefault(name, stack)


@lru_cache(maxsize=16)
def _head(files: PackFiles) -> tuple[str, tuple[str, ...]]:
    """Name of a pack and names of the packs it uses."""
    head = parse_head(files, check=not files.checked).data
    return str(head["name"]), tuple(cast("list[str]", head.get("uses", [])))


@lru_cache(maxsize=16)
def _load(order: tuple[Stack, ...], recheck: bool) -> Packs:
    packs: dict[str, Pack] = {}
    for stack in order:
        used = [packs[name] for name in _head(stack[0])[1]]
        pack = _built(stack, used, recheck)
        packs[pack.name] = pack
    return Packs(tuple(packs.values()))


def _built(stack: Stack, used: Sequence[Pack], recheck: bool) -> Pack:
    check = recheck or not stack[0].checked
    documents = parse(stack[0], check=check)
    overlays = [parse(files, check=True) for files in stack[1:]]
    for over in overlays:
        documents = overlaid(documents, over)
    pack = checked(build(documents, used), used, documents, rules=check or bool(overlays))
    return named(pack, documents, overlays) if overlays else pack


def stamp(name: str) -> str:
    """The stamp of a shipped pack, given only after the full check. Raises PackError."""
    load_packs([name], recheck=True)
    return f"{_find(name).digest}\n"


def parsed_files(name: str) -> str:
    """The TOML of a shipped pack as data (`pack.json`). Raises PackError."""
    return parsed_form(_find(name))
