"""An official source beside the packs → an overlay per pack, provenance official.

The overlay raises what the source attests, changes what it says otherwise, adds what it has more,
and drops a field it lacks unless the pack needs it. What is not taken over stands as a comment with
the reason. Nothing is written that the loader would not take.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from os.path import relpath
from pathlib import Path

from validator.exports.ddl import refuses_blank
from validator.imports.differences import Compared, Difference, Matched, Topic
from validator.imports.official import Basis, Official, OfficialField, OfficialTable
from validator.load_files import CODE_COLUMNS
from validator.pack import CodeList, Field, Kind, Pack, Packs, Role

Files = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class _Codes:
    """A code list as the source has it: replaces `below`, or is new."""

    id: str
    below: CodeList | None
    title: str
    codes: tuple[tuple[str, str], ...]


def write_overlays(packs: Packs, compared: Compared, folder: Path) -> tuple[Path, ...]:
    """Write `folder/STANDARD/` for each pack that the source has tables of; returns the folders."""
    written = []
    for pack in packs:
        files = overlay_files(packs, pack, compared, folder / pack.name)
        for name, text in files.items():
            path = folder / pack.name / name
            path.parent.mkdir(parents=True, exist_ok=True)
            encoding = "utf-8-sig" if name.endswith(".csv") else "utf-8"
            path.write_text(text, encoding=encoding, newline="\n")
        if files:
            written.append(folder / pack.name)
    return tuple(written)


def overlay_files(packs: Packs, pack: Pack, compared: Compared, folder: Path) -> Files:
    """The files of the overlay of one pack, by path; none when the source has no table of it."""
    mine = [m for m in compared.tables if m.table.standard == pack.name and m.official]
    if not mine:
        return {}
    lists = _lists(packs, mine, compared.differences)
    added = compared.surplus if pack is packs.packs[0] else ()
    order = max(t.order for t in packs.tables())
    files = {"pack.toml": _head(pack, compared, lists, added, folder)}
    for matched in mine:
        files[f"tables/{matched.table.name}.toml"] = _table(matched, compared, lists)
    for i, table in enumerate(t for t in added if _complete(t)):
        files[f"tables/{table.name.upper()}.toml"] = _new_table(table, order + 1 + i)
    files |= {f"codes/{codes.id}.csv": _rows(codes) for codes in lists.values()}
    return files


def _head(
    pack: Pack,
    compared: Compared,
    lists: Mapping[tuple[str, str], _Codes],
    added: Sequence[OfficialTable],
    folder: Path,
) -> str:
    official = compared.official
    word = "dictionary" if official.basis is Basis.DICTIONARY else "database"
    below = relpath(pack.overlays[-1].place, folder) if pack.overlays else pack.name
    lines = [
        f"# Read from {_comment(official.label)}; review it before use. 请核对后使用。",
        f"name = {_quoted(f'official-{word}')}",
        'version = "1"',
        f"title = {_quoted('官方数据字典' if word == 'dictionary' else '前置库')}",
        f"title_en = {_quoted(f'Official {word}')}",
        f"extends = {_quoted(Path(below).as_posix())}",
        'provenance = "official"',
    ]
    for table in added:
        if not _complete(table):
            name = _comment(f"{table.name} {table.title}")
            lines.append(f"# {name}: no key is known; add the table by hand 无唯一标识，请手工添加")
    entries = {c.id: c for c in lists.values()}
    if entries:
        lines += ["", "[codes]"]
    for codes in entries.values():
        words = (
            'closed = true, replace = true, provenance = "official"'
            if codes.below is not None
            else f"title = {_quoted(codes.title)}, title_en = {_quoted(codes.title)}, closed = true"
        )
        lines.append(f"{codes.id} = {{ {words} }}")
    return "\n".join(lines) + "\n"


def _table(matched: Matched, compared: Compared, lists: Mapping[tuple[str, str], _Codes]) -> str:
    table, official = matched.table, matched.official
    assert official is not None
    mine = [d for d in compared.differences if d.table == table.name]
    said = {(d.topic, d.field): d for d in mine}
    lines: list[str] = []
    key = said.get((Topic.KEY, ""))
    keys = [set(k) for k in official.keys]
    if key is not None and key.kept is None:
        lines.append(f"key = {{ fields = {_list(official.keys[0])} }}")
    elif set(table.key.fields) in keys:
        lines.append(f"key = {{ fields = {_list(table.key.fields)} }}")
    lines += [_kept(d) for d in mine if d.kept is not None and not d.field]
    there = {f.name: f for f in official.fields}
    lines += ["", "[fields]"]
    after = ""
    for own in table.fields:
        changes = [d for d in mine if d.field == own.name]
        lines += [_kept(d) for d in changes if d.kept is not None]
        if own.name in there:
            codes = lists.get((table.name, own.name))
            words = list(_changed(official, own, there[own.name], said, codes, compared.official))
            lines.append(f"{own.name} = {{ {', '.join(words)} }}")
        elif any(d.topic is Topic.MISSING_FIELD and d.kept is None for d in changes):
            lines.append(f"{own.name} = {{ drop = true }}")
    for field in official.fields:
        surplus = said.get((Topic.SURPLUS_FIELD, field.name))
        if surplus is not None and surplus.kept is None:
            codes = lists.get((table.name, field.name))
            place = f", after = {_quoted(after)}" if after else ""
            attributes = ", ".join(_new(field, codes))
            lines.append(f"{field.name} = {{ new = true{place}, {attributes} }}")
        elif surplus is not None:
            lines.append(_kept(surplus))
        listed = table.by_name.get(field.name)
        taken = surplus is not None and surplus.kept is None
        if taken or (listed is not None and listed.role is Role.BUSINESS):
            after = field.name
    return "\n".join(lines).lstrip("\n") + "\n"


def _changed(
    table: OfficialTable,
    own: Field,
    theirs: OfficialField,
    said: Mapping[tuple[Topic, str], Difference],
    codes: _Codes | None,
    official: Official,
) -> Iterator[str]:
    """What the overlay says of a field that both have."""
    yield 'provenance = "official"'
    kind = own.kind
    typed = said.get((Topic.TYPE, own.name))
    if typed is not None and typed.kept is None:
        kind = theirs.kinds[0]
        yield f'kind = "{kind}"'
        if own.precision is not None and kind is not Kind.DECIMAL:
            yield "precision = false"
    if (Topic.TITLE, own.name) in said:
        yield f"title = {_quoted(theirs.title)}"
    if kind in theirs.kinds:
        yield from _size(kind, theirs)
    if theirs.required and own.role is Role.BUSINESS:
        refused = refuses_blank(own) or (Topic.NULL, own.name) in said
        yield from ['required = { attests = "refusal" }'] if refused else []
    if codes is not None and codes.below is None:
        yield f'codes = "{codes.id}"'
    elif theirs.codes is not None and own.codes is not None and official.basis is Basis.DICTIONARY:
        yield f'codes = "{own.codes.list}"'


def _size(kind: Kind, theirs: OfficialField) -> Iterator[str]:
    if kind is Kind.DECIMAL:
        if theirs.precision is not None:
            digits, scale = theirs.precision
            yield f"precision = {{ digits = {digits}, scale = {scale} }}"
    elif theirs.length is not None and theirs.length > 0:
        yield f"length = {{ max = {theirs.length} }}"


def _new(field: OfficialField, codes: _Codes | None) -> Iterator[str]:
    """A field that only the source has; nobody gave it an English title."""
    yield f"title = {_quoted(field.title or field.name)}, title_en = {_quoted(field.name)}"
    kind = field.kinds[0]
    if kind is not Kind.TEXT:
        yield f'kind = "{kind}"'
    yield from _size(kind, field)
    if field.required:
        yield 'required = { attests = "refusal" }'
    if codes is not None:
        yield f'codes = "{codes.id}"'


def _complete(table: OfficialTable) -> bool:
    """Enough is known to add the table: a key, and a kind for some field."""
    known = {f.name for f in table.fields if f.kinds}
    return any(set(key) <= known for key in table.keys)


def _new_table(table: OfficialTable, order: int) -> str:
    known = {f.name for f in table.fields if f.kinds}
    key = next(key for key in table.keys if set(key) <= known)
    name = table.name.upper()
    lines = [
        "new = true",
        f"title = {_quoted(table.title or name)}",
        f"title_en = {_quoted(name)}",
        f"order = {order}",
        f"key = {{ fields = {_list(key)} }}",
        "",
        "[fields]",
    ]
    exchange = ("LSH", "SJYXBS", "SJWXYY", "SJSCZT", "SBYY")
    for field in table.fields:
        if field.kinds:
            role = ', role = "exchange"' if field.name in exchange else ""
            words = [w for w in _new(field, None) if not (role and w.startswith("required"))]
            lines.append(f"{field.name} = {{ {', '.join(words)}{role} }}")
        else:
            lines.append(f"# {field.name} {_comment(field.written)}: type not known")
    return "\n".join(lines) + "\n"


def _lists(
    packs: Packs, mine: Sequence[Matched], differences: Iterable[Difference]
) -> dict[tuple[str, str], _Codes]:
    """The lists to write, by (table, field). A list that other fields draw from too is left to
    them: the field gets one of its own, unless the source names the list."""
    uses: dict[str, int] = {}
    for table in packs.tables():
        for field in table.fields:
            if field.codes:
                uses[field.codes.list] = uses.get(field.codes.list, 0) + 1
    there = {(m.table.name, f.name): (m, f) for m in mine for f in (m.official or _NONE).fields}
    differing = {
        (d.table, d.field): d
        for d in differences
        if d.kept is None and d.topic in (Topic.CODES, Topic.SURPLUS_FIELD)
    }
    found: dict[tuple[str, str], _Codes] = {}
    for place in differing:
        if place not in there or there[place][1].codes is None:
            continue
        matched, theirs = there[place]
        own = matched.table.by_name.get(theirs.name)
        below = packs.code_list(matched.table, own.codes.list) if own and own.codes else None
        title = theirs.title or (own.title.zh if own else theirs.name)
        if below is not None and (uses[below.id] == 1 or theirs.code_list):
            found[place] = _Codes(below.id, below, title, theirs.codes or ())
        else:
            name = f"{matched.table.name}-{theirs.name}".lower().replace("_", "-")
            found[place] = _Codes(name, None, title, theirs.codes or ())
    return found


_NONE = OfficialTable("", "", ())


def _rows(codes: _Codes) -> str:
    out = io.StringIO()
    rows = csv.writer(out, lineterminator="\n")
    rows.writerow(CODE_COLUMNS)
    for code, label in codes.codes:
        old = codes.below.by_code.get(code) if codes.below else None
        zh = label or (old.title.zh if old else "")
        en = old.title.en if old else ""
        parent = old.parent if old and old.parent in dict(codes.codes) else ""
        rows.writerow([code, zh, en, parent, "", "", ""])
    return out.getvalue()


def _kept(difference: Difference) -> str:
    """A difference that is not taken over, as a comment."""
    assert difference.kept is not None
    words = f"{difference.field} {difference.topic}: {difference.ours} → {difference.theirs}"
    return f"# {_comment(words)} ({difference.kept.zh} · {difference.kept.en})"


def _comment(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text).strip()


def _quoted(text: str) -> str:
    """A basic string of TOML; JSON escapes the same characters."""
    return json.dumps(_comment(text), ensure_ascii=False).replace("\x7f", " ")


def _list(names: Iterable[str]) -> str:
    return "[" + ", ".join(_quoted(n) for n in names) + "]"
