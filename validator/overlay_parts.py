"""One table, one list of rule uses, one code list of a pack as an overlay changes it.

Values in, values out: data of TOML and CSV files. What the changed data mean is checked when the
pack is built from them.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

from validator.load_files import Data, Document, Step, did_you_mean, fail

Plain = dict[str, object]
#: Attributes of a field that carry evidence of their own.
EVIDENCED = ("length", "precision", "required", "format", "codes")
_OWN = ("new", "drop", "after")


@dataclass(slots=True)
class Draft:
    """A document while an overlay changes it."""

    document: Document
    data: Plain
    layers: dict[Step, tuple[Document, Step]] = field(default_factory=dict)

    def put(self, path: Step, value: object, over: Document, own: Step | None = None) -> None:
        """Set what stands at `path` and remember that `over` says so, at its path `own`."""
        place = self.data
        for step in path[:-1]:
            place = cast(Plain, place.setdefault(cast(str, step), {}))
        place[cast(str, path[-1])] = value
        self.layers[path] = (over, own or path)

    def done(self) -> Document:
        return replace(self.document, data=self.data, layers=self.layers)


def draft(document: Document) -> Draft:
    return Draft(document, copy.deepcopy(dict(document.data)), dict(document.layers))


def lay_table(below: Document, over: Document, name: str, rests: str) -> Document:
    """The table with the overlay's changes; `rests` is the provenance of what does not say its own.

    Raises PackError where both do not go together.
    """
    change = over.data
    rests = str(change.get("provenance", rests))
    made = draft(below)
    _say_evidence(made.data)
    for attribute, value in change.items():
        if attribute == "key":
            made.put(("key",), {"provenance": rests, **cast(Data, value)}, over)
        elif attribute not in (*_OWN, "fields", "references", "rules", "local_columns"):
            made.put((attribute,), value, over)
    for column in cast("Sequence[str]", change.get("local_columns", ())):
        known = cast("list[object]", made.data.setdefault("local_columns", []))
        known += [] if column in known else [column]
    for field_name, own in cast("Mapping[str, Data]", change.get("fields", {})).items():
        lay_field(made, over, name, field_name, own, rests)
    lay_list(made, over, "references", rests, _pointer)
    lay_list(made, over, "rules", rests, _use)
    return made.done()


def new_table(over: Document, rests: str) -> Document:
    """A table that only the overlay has."""
    made = Draft(over, copy.deepcopy(dict(over.data)), {(): (over, ())})
    made.data.pop("new", None)
    own = str(made.data.setdefault("provenance", rests))
    if isinstance(made.data.get("key"), dict):
        cast(Plain, made.data["key"]).setdefault("provenance", own)
    for part in ("references", "rules"):
        for entry in cast("list[Plain]", made.data.get(part, [])):
            entry.setdefault("provenance", own)
    for entry in cast("Mapping[str, Plain]", made.data.get("fields", {})).values():
        for word in _OWN:
            entry.pop(word, None)
    return made.done()


def lay_field(made: Draft, over: Document, table: str, name: str, change: Data, rests: str) -> None:
    """Add, change or drop one field."""
    fields = cast("dict[str, Plain]", made.data["fields"])
    at = ["fields", name]
    if change.get("new"):
        if name in fields:
            over.fail(at, f"{table} has a field {name} already", "remove new = true to change it")
        _insert(made, over, table, name, change, rests)
        return
    if name not in fields:
        remedy = f"use {did_you_mean(name, fields)}, or add it with new = true"
        over.fail(at, f"{table} has no field {name!r}", remedy)
    if "after" in change:
        over.fail([*at, "after"], f"{name} has its place already", "remove after")
    if change.get("drop"):
        if len(change) > 1:
            over.fail(at, f"{name} is dropped and changed at once", "do one of the two")
        del fields[name]
        for path in [p for p in made.layers if p[:2] == ("fields", name)]:
            del made.layers[path]
        return
    made.layers["fields", name] = (over, ("fields", name))
    rests = str(change.get("provenance", rests))
    for attribute, value in change.items():
        path = ("fields", name, attribute)
        if value is False:
            if attribute not in fields[name]:
                over.fail(path, f"{name} has no {attribute} to take away", f"remove {attribute}")
            del fields[name][attribute]
            made.layers[path] = (over, path)
        else:
            made.put(path, _evident(attribute, value, rests), over)


def _insert(made: Draft, over: Document, table: str, name: str, change: Data, rests: str) -> None:
    """A new field after the one it names, else after the last that is not an exchange column."""
    fields = cast("dict[str, Plain]", made.data["fields"])
    own = {k: v for k, v in change.items() if k not in _OWN and v is not False}
    after = change.get("after")
    if after is None:
        after = [n for n, f in fields.items() if f.get("role") != "exchange"][-1]
    elif after not in fields:
        remedy = f"use {did_you_mean(str(after), fields)}"
        over.fail(["fields", name, "after"], f"{table} has no field {after!r}", remedy)
    made.data["fields"] = {
        k: v
        for pair in fields.items()
        for k, v in ([pair, (name, {"provenance": rests, **own})] if pair[0] == after else [pair])
    }
    made.layers["fields", name] = (over, ("fields", name))


def _evident(attribute: str, value: object, rests: str) -> object:
    """The attribute with its provenance written out."""
    if attribute not in EVIDENCED:
        return value
    if isinstance(value, list):
        return [{"provenance": rests, **cast(Data, v)} for v in value]
    value = {"list": value} if isinstance(value, str) else value
    return {"provenance": rests, **cast(Data, value)}


def _say_evidence(data: Plain) -> None:
    """Write out what attributes inherit, so that a field raised by an overlay raises only itself.

    The use of a code list goes on following its list.
    """
    for own in cast("Mapping[str, Plain]", data["fields"]).values():
        rests = str(own.setdefault("provenance", data["provenance"]))
        for attribute in set(own) & (set(EVIDENCED) - {"codes"}):
            own[attribute] = _evident(attribute, own[attribute], rests)


def lay_list(
    made: Draft,
    over: Document,
    part: str,
    rests: str,
    identity: Callable[[Data], object],
) -> None:
    """Add to and drop from a list of references or rule uses."""
    entries = [
        (dict(cast(Data, entry)), made.layers.get((part, i)))
        for i, entry in enumerate(cast("Sequence[object]", made.data.get(part, ())))
    ]
    for i, change in enumerate(cast("Sequence[Data]", over.data.get(part, ()))):
        own = {k: v for k, v in change.items() if k != "drop"}
        said = ", ".join(str(v) for k, v in own.items() if k in ("rule", "fields", "table"))
        loose = part == "rules" and change.get("drop") and "params" not in own
        same = [
            e
            for e in entries
            if (e[0]["rule"] == own["rule"] if loose else identity(e[0]) == identity(own))
        ]
        if not change.get("drop"):
            if same:
                over.fail([part, i], f"{said} stands in the pack already", "remove it here")
            entries.append(({"provenance": rests, **own}, (over, (part, i))))
        elif len(same) == 1:
            entries.remove(same[0])
        else:
            what = f"{said} stands {len(same)} times in the pack below"
            over.fail([part, i], what, "name the one to drop as it is written there")
    for path in [p for p in made.layers if p[:1] == (part,)]:
        del made.layers[path]
    made.layers.update({(part, i): e[1] for i, e in enumerate(entries) if e[1] is not None})
    if entries or part in made.data:
        made.data[part] = [e[0] for e in entries]


def _pointer(entry: Data) -> object:
    return entry["fields"], entry["table"], entry.get("target_fields", entry["fields"])


def _use(entry: Data) -> object:
    return entry["rule"], entry.get("params", {})


def lay_uses(made: Draft, over: Document, rests: str) -> None:
    """The rules that span tables, in `pack.toml`."""
    lay_list(made, over, "rules", rests, _use)


def lay_codes(
    below: Document, over: Document, before: Data, change: Data, rests: str, list_id: str
) -> Document:
    """The rows of a code list: those of the overlay added, changed, or all there are (`replace`).

    `before` is the list's entry in the pack below. A list that is closed there takes no further
    codes unless the overlay opens it or brings the whole list.
    """
    rests = str(change.get("provenance", rests))
    fixed = bool(before.get("closed")) and change.get("closed") is not False
    rows: dict[str, tuple[int, Mapping[str, str]]] = {}
    places: dict[str, tuple[Document, Step]] = {}
    if not change.get("replace"):
        for i, (line, row) in enumerate(below.rows):
            code = row["code"]
            evidence = row.get("provenance") or str(before["provenance"])
            rows[code] = (line, {**row, "provenance": evidence})
            places[code] = below.layers.get(("rows", i), (below, ()))
    seen: set[str] = set()
    for line, row in over.rows:
        code = row["code"]
        if code in seen:
            fail(over.file, line, f"code {code!r} stands twice", "keep one of the two")
        if code not in rows and fixed and not change.get("replace"):
            what = f"code {code!r} is new, but the list {list_id!r} is closed in the pack below"
            remedy = "write closed = false, or replace = true and the whole list"
            fail(over.file, line, what, remedy)
        seen.add(code)
        own = {k: v for k, v in row.items() if v}
        rows[code] = (line, {**rows.get(code, (0, {}))[1], "provenance": rests, **own})
        places[code] = (over, ())
    layers: dict[Step, tuple[Document, Step]] = {
        ("rows", i): places[code] for i, code in enumerate(rows) if places[code][0] is not below
    }
    return Document(below.file, below.text, {}, tuple(rows.values()), layers)
