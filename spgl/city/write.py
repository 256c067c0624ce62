"""One export of the sample city on disk: planted, repaired, or the second night.

The same seed gives the same bytes.
"""

from __future__ import annotations

from pathlib import Path

from spgl.city.applications import write_applications
from spgl.city.export import Shape, Shapes, write_city
from spgl.city.manifest import write_planted
from spgl.city.nights import night_one, night_two
from validator.load import load_packs
from validator.pack import Kind

SEED = 20250926


def write_export(
    seed: int, out: Path, *, clean: bool, night: int, applications: bool = False
) -> None:
    """Write one export to `out`. The planted one (night 1, not clean) comes with its manifests
    beside it: `OUT.defects.json` and `OUT.sandbox.json`. `applications`: also the fire applications
    of the clean city (pack fire-application)."""
    tables = load_packs().tables()
    shapes: Shapes = {
        t.name: {
            f.name: Shape(f.title.zh, f.kind in (Kind.INTEGER, Kind.DECIMAL)) for f in t.fields
        }
        for t in tables
    }
    out.mkdir(parents=True, exist_ok=True)
    if night == 2:
        write_city(night_two(seed), shapes, out)
    elif clean:
        write_city(night_one(seed), shapes, out)
    else:
        write_planted(seed, shapes, {t.name: t.key.fields for t in tables}, out)
    if applications:
        write_applications(night_two(seed) if night == 2 else night_one(seed), out)
