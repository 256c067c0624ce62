"""Write the sample city: `python examples/generate_city.py --out DIR [--clean] [--night 2]`.

The same seed gives the same bytes. Without options it writes the export with planted defects to DIR
and, beside it, `DIR.defects.json` (what is planted where) and `DIR.sandbox.json` (what a sandbox
refuses). `--clean` writes the repaired export, `--night 2` the repaired export some days on.
`--applications` adds the fire applications of the repaired city in the folder `fire-application`.
The generator itself is `spgl.city`, so that `spgl demo` has it wherever spgl is installed.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from spgl.city.write import SEED, write_export


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--clean", action="store_true")
    parser.add_argument("--night", type=int, choices=(1, 2), default=1)
    parser.add_argument("--applications", action="store_true")
    options = parser.parse_args()
    write_export(
        options.seed,
        options.out,
        clean=options.clean,
        night=options.night,
        applications=options.applications,
    )


if __name__ == "__main__":
    main()
