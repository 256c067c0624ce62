"""The planted export with its manifest: every defect with the place where it must be found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from spgl.city.defects import DEFECTS
from spgl.city.export import Place, Shapes, write_city
from spgl.city.nights import Refusal, Tables, night_one, refusals
from spgl.city.planting import TOUCHED, Defect, Planted
from spgl.city.table import Record

#: A draft table that local editors keep beside the real one: no table of the standard.
_DRAFT: dict[str, object] = {
    "rule": "unknown-table",
    "severity": "warning",
    "table": None,
    "fields": [],
    "file": "SPGL_QYPGXXB_EDIT.csv",
    "record": None,
    "key": {},
    "action": "add",
    "bad": {},
    "repaired": {},
    "holds_back": 0,
    "note": {"zh": "本地编辑用的草稿表混进了导出", "en": "a local draft table got into the export"},
}
#: Tables on whose records others wait: the fields that point to them, and what they point to.
_HANDLES: dict[str, tuple[tuple[str, ...], str]] = {
    "SPGL_XMJBXXB": (("GCDM", "XMDM"), "GCDM"),
    "SPGL_XMSPSXBLXXB": (("SPSXSLBM",), "SPSXSLBM"),
    "SPGL_SGTSJWJSCXXB": (("STYWBH",), "STYWBH"),
}
#: Natural key of each table.
Keys = Mapping[str, tuple[str, ...]]


def write_planted(seed: int, shapes: Shapes, keys: Keys, out: Path) -> None:
    """Write the export with all defects to `out` and its two manifests beside it."""
    tables = night_one(seed)
    refused = [_refusal(r) for r in refusals(tables)]
    for refusal in refusals(tables):
        refusal.record[TOUCHED] = "1"
    planted = [(d, d.plant(tables)) for d in DEFECTS]
    places = write_city(tables, shapes, out)
    (out / str(_DRAFT["file"])).write_text(
        "QYPGDYBM,QYPGQYMC\nQYPG005,未完成的草稿\n", encoding="utf-8"
    )
    lines = [
        {
            **_line(n, defect, what, _place(tables, places, defect, what), keys),
            "holds_back": _held(tables, defect, what.record),
        }
        for n, (defect, what) in enumerate(planted, 1)
    ]
    draft = {"id": f"D{len(lines) + 1:02d}", **_DRAFT}
    _dump(out, "defects", {"seed": seed, "defects": [*lines, draft]})
    _dump(out, "sandbox", {"refusals": refused})


def _place(
    tables: Tables, places: Mapping[tuple[str, int], Place], defect: Defect, what: Planted
) -> Place:
    index = next(i for i, r in enumerate(tables[defect.table]) if r is what.record)
    return places[defect.table, index]


def _line(n: int, defect: Defect, what: Planted, place: Place, keys: Keys) -> dict[str, object]:
    return {
        "id": f"D{n:02d}",
        "rule": defect.rule,
        "severity": defect.severity,
        "table": defect.table,
        "fields": list(defect.fields),
        "file": place.file,
        "record": None if what.whole else place.record,
        "key": {} if what.whole else _key(what.record, keys[defect.table]),
        "action": defect.action,
        "bad": {k: v and v.lstrip("#") for k, v in what.bad.items()},
        "repaired": dict(what.repaired),
        "note": {"zh": defect.note[0], "en": defect.note[1]},
    }


def _held(tables: Tables, defect: Defect, record: Record) -> int:
    """Records that wait because their project, case or drawing review does not conform."""
    if defect.severity != "error" or defect.table not in _HANDLES:
        return 0
    points, to = _HANDLES[defect.table]
    below = [r for rows in tables.values() for r in rows if record[to] in map(r.get, points)]
    return len(below) - 1


def _key(record: Mapping[str, str], names: tuple[str, ...]) -> dict[str, str]:
    return {n: record[n].lstrip("#") for n in names if n in record}


def _refusal(refusal: Refusal) -> dict[str, object]:
    """A refusal as a sandbox script states it: by the values that night two repairs."""
    names = ("SPSXSLBM", "DTBM", *refusal.repaired)
    where = {k: refusal.record[k] for k in names if k in refusal.record}
    late = {"late": True} if refusal.late else {}
    return {"table": refusal.table, "where": where, "reason": refusal.reason, **late}


def _dump(out: Path, name: str, document: object) -> None:
    """Write `OUT.NAME.json` beside the export: inside, it would be read as one more table."""
    text = json.dumps(document, ensure_ascii=False, indent=1) + "\n"
    out.with_name(f"{out.name}.{name}.json").write_text(text, encoding="utf-8")
