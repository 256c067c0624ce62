"""Which file each value that an overlay brought comes from, as lines of text.

What an overlay does not name comes from the pack it extends; one line says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from validator import describe_words as w
from validator.pack import Overlay, Pack, Table
from validator.text import Lang

#: A path in the files of a pack, as in `Pack.origins`.
Path = tuple[str, ...]


def overlay_line(overlay: Overlay, lang: Lang) -> str:
    """An overlay with its title and folder."""
    values = {
        "name": overlay.name,
        "version": overlay.version,
        "title": overlay.title[lang],
        "place": overlay.place,
    }
    return w.OVERLAY.fill(values)[lang]


def table_origins(pack: Pack, table: Table, lang: Lang) -> Iterator[str]:
    """Where the values of a table come from; nothing without an overlay."""
    file = f"tables/{table.name}.toml"
    paths = [path for path in pack.origins if path[0] == file]
    found = [(_label(table, path), pack.origins[path]) for path in _deepest(paths)]
    found += [
        (w.SEVERITY_OF.fill({"name": path[2]})[lang], place)
        for path, place in pack.origins.items()
        if path[:2] == ("pack.toml", "severity") and _meant(path[2], table)
    ]
    yield from _lines(pack, found, lang)


def field_origins(pack: Pack, table: Table, field: str, lang: Lang) -> Iterator[str]:
    """Where the attributes of a field come from; nothing without an overlay."""
    here: Path = (f"tables/{table.name}.toml", "fields", field)
    paths = [path for path in pack.origins if path[:3] == here]
    found = [(_label(table, path), pack.origins[path]) for path in _deepest(paths)]
    yield from _lines(pack, found, lang)


def list_origins(pack: Pack, list_id: str, lang: Lang) -> Iterator[str]:
    """Where the values of a code list come from; nothing without an overlay."""
    heads = (("pack.toml", "codes", list_id), (f"codes/{list_id}.csv",))
    found = [
        (path[-1] if path[-1] != heads[1][0] else list_id, place)
        for path, place in pack.origins.items()
        if path[:3] == heads[0] or path[:1] == heads[1]
    ]
    yield from _lines(pack, found, lang)


def _deepest(paths: list[Path]) -> list[Path]:
    """Without those of which parts are named too: a changed field, but its changed length."""
    return [p for p in paths if not any(q != p and q[: len(p)] == p for q in paths)]


def _lines(pack: Pack, found: list[tuple[str, str]], lang: Lang) -> Iterator[str]:
    if not pack.overlays:
        return
    yield w.ORIGINS[lang]
    for label, place in found:
        yield f"  {label}  {place}"
    words = w.FROM_BELOW if found else w.ALL_FROM_BELOW
    yield f"  {words.fill({'pack': pack.name})[lang]}"


def _label(table: Table, path: Path) -> str:
    part, rest = path[1:2], path[2:]
    if part == ("fields",):
        return ".".join(rest)
    if part == ("rules",) and rest:
        return table.rules[int(rest[0])].rule
    if part == ("references",) and rest:
        reference = table.references[int(rest[0])]
        return f"{', '.join(reference.fields)} → {reference.table.rpartition('/')[2]}"
    return ".".join(path[1:]) or table.name


def _meant(name: str, table: Table) -> bool:
    """A severity of this table, or of a rule everywhere."""
    return name.partition(".")[0] == table.name or "." not in name
