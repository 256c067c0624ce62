"""Write the sample city: `python examples/generate_city.py --out DIR [--clean] [--night 2]`.

The same seed gives the same bytes. Without options it writes the export with planted defects to DIR
and, beside it, `DIR.defects.json` (what is planted where) and `DIR.sandbox.json` (what a sandbox
refuses). `--clean` writes the repaired export, `--night 2` the repaired export some days on.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE), str(_HERE.parent)]

from city.export import Shape, Shapes, write_city  # noqa: E402
from city.manifest import write_planted  # noqa: E402
from city.nights import night_one, night_two  # noqa: E402

from validator.load import load_packs  # noqa: E402
from validator.pack import Kind  # noqa: E402

SEED = 20250926


def generate(seed: int, out: Path, *, clean: bool, night: int) -> None:
    """Write one export to `out`; the planted one comes with its manifests beside it."""
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clean", action="store_true")
    parser.add_argument("--night", type=int, choices=(1, 2), default=1)
    options = parser.parse_args()
    generate(options.seed, options.out, clean=options.clean, night=options.night)


if __name__ == "__main__":
    main()
