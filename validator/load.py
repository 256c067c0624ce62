"""Names or folders of packs → `Packs`: read, checked, with the packs they use.

Shipped packs are found in the `standards` package, also inside a wheel. A pack whose stamp matches
its bytes was fully checked when the stamp was written (by `make docs`, proved by the tests), so
that a load costs milliseconds; any edit makes the stamp stale and the full check runs again. This
module judges no data and knows no settings.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from importlib.resources import files as package_files
from pathlib import Path
from typing import cast

from validator.load_build import build
from validator.load_check import checked
from validator.load_files import PackFiles, did_you_mean, parse, parse_head, read_files
from validator.pack import Pack, PackError, Packs

DEFAULT_PACKS = ("data-sharing-3.0", "fire-inspection-1.0")


def load_packs(names: Sequence[str | Path] = DEFAULT_PACKS, *, recheck: bool = False) -> Packs:
    """The packs of these names (shipped) or folders, each after the packs it uses.

    `recheck` ignores the stamps and checks everything. Raises PackError.
    """
    asked: dict[str, PackFiles] = {}
    for files in map(_find, names):
        name, _ = _head(files)
        if name in asked and asked[name] != files:
            places = f"{asked[name].place} and {files.place}"
            raise PackError(f"pack {name} is given twice, by {places}; give one of them")
        asked[name] = files
    order: dict[str, PackFiles] = {}
    for name in asked:
        _collect(name, asked, order, ())
    return _load(tuple(order.values()), recheck)


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
    name: str, asked: Mapping[str, PackFiles], order: dict[str, PackFiles], above: tuple[str, ...]
) -> None:
    """Put a pack into `order` after the packs it uses."""
    if name in above:
        raise PackError(f"packs use each other: {' → '.join((*above, name))}; break the circle")
    files = asked.get(name) or _find(name)
    for used in _head(files)[1]:
        _collect(used, asked, order, (*above, name))
    order.setdefault(name, files)


@lru_cache(maxsize=16)
def _head(files: PackFiles) -> tuple[str, tuple[str, ...]]:
    """Name of a pack and names of the packs it uses."""
    head = parse_head(files, check=not files.checked).data
    return str(head["name"]), tuple(cast("list[str]", head.get("uses", [])))


@lru_cache(maxsize=16)
def _load(order: tuple[PackFiles, ...], recheck: bool) -> Packs:
    packs: dict[str, Pack] = {}
    for files in order:
        check = recheck or not files.checked
        documents = parse(files, check=check)
        used = [packs[name] for name in _head(files)[1]]
        pack = checked(build(documents, used), used, documents, rules=check)
        packs[pack.name] = pack
    return Packs(tuple(packs.values()))


def stamp(name: str) -> str:
    """The stamp of a shipped pack, given only after the full check. Raises PackError."""
    load_packs([name], recheck=True)
    return f"{_find(name).digest}\n"
