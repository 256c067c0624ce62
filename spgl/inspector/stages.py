"""Which stage a case belongs to: by its national item code, else by the stage its process gives it.

The packs name stages and their item codes; what neither says is not guessed (no stage).
"""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from spgl.inspector.site import Site
from spgl.inspector.snapshot import Snapshot
from validator.pack import Stage
from validator.text import Text

_ITEMS = "SPGL_SPSXJBXXB"
_USES = "SPGL_SPLCJBLSXXXB"
_PHASES = "SPGL_SPJDXXB"
#: Standard stage code (list `stage`) → stage of the pack. The codes 1 to 4 have the titles of the
#: four stages; 5 (并行推进) runs beside them and is no column of the board.
BY_CODE = {"1": "land-planning", "2": "engineering-permit", "3": "construction-permit",
           "4": "completion"}  # fmt: skip


def board(site: Site) -> tuple[Stage, ...]:
    """The columns of a project board: the four stages, then fire where its pack is loaded."""
    wanted = [*BY_CODE.values(), "fire"]
    found = {s.id: s for pack in site.packs for s in pack.stages}
    return tuple(found[name] for name in wanted if name in found)


def item_titles(site: Site, snapshot: Snapshot) -> Mapping[str, Text]:
    """Local item code → its title, from the items of the run."""

    def make() -> dict[str, Text]:
        frame = _table(snapshot, _ITEMS)
        rows = frame.select("SPSXBM", "SPSXMC").drop_nulls().iter_rows() if frame.width else ()
        return {str(code): Text(str(name), str(name)) for code, name in rows}

    return site.snapshots.remember(snapshot.run, "items", make)


def stages(site: Site, snapshot: Snapshot) -> Mapping[str, str]:
    """Local item code → stage, from the items and processes of the run."""
    return site.snapshots.remember(snapshot.run, "stages", lambda: _stages(site, snapshot))


def _stages(site: Site, snapshot: Snapshot) -> dict[str, str]:
    by_item = {code: s.id for s in board(site) for code in s.items}
    made: dict[str, str] = {}
    phases = _table(snapshot, _PHASES)
    uses = _table(snapshot, _USES)
    if phases.width and uses.width:
        joined = uses.join(phases, on=["SPLCBM", "SPLCBBH", "SPJDXH"], how="inner")
        for item, code in joined.select("SPSXBM", "DYBZSPJDXH").drop_nulls().iter_rows():
            if code in BY_CODE:
                made.setdefault(str(item), BY_CODE[str(code)])
    items = _table(snapshot, _ITEMS)
    if items.width and "DYBZSPSXBM" in items.columns:
        for item, national in items.select("SPSXBM", "DYBZSPSXBM").drop_nulls().iter_rows():
            if national in by_item:
                made[str(item)] = by_item[str(national)]
    return made


def _table(snapshot: Snapshot, name: str) -> pl.DataFrame:
    for qualified, frame in snapshot.tables.items():
        if qualified.endswith(f"/{name}"):
            return frame
    return pl.DataFrame()
