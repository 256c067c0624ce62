"""The TOML of a pack as it was read once before, so that a start need not read it again.

`make docs` writes `pack.json` beside the `pack.toml` of a shipped pack. It counts only while it
names the digest of the pack's very bytes: an edited pack has none that fits, an overlay and a pack
of one's own have none, and their TOML is read. It checks nothing.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import cast

PARSED = "pack.json"


@lru_cache(maxsize=16)
def parsed(raw: bytes, digest: str) -> Mapping[str, Mapping[str, object]]:
    """Data of the TOML files by path; empty unless `raw` was written from the files of `digest`."""
    try:
        found = json.loads(raw)
    except ValueError:
        return {}
    if not isinstance(found, dict) or found.get("digest") != digest:
        return {}
    return cast("Mapping[str, Mapping[str, object]]", found["files"])


def written(digest: str, files: Mapping[str, Mapping[str, object]]) -> str:
    """What `parsed` reads, one file a line."""
    said = ",\n".join(f"{json.dumps(n)}: {_compact(data)}" for n, data in sorted(files.items()))
    return f'{{"digest": "{digest}", "files": {{\n{said}\n}}}}\n'


def _compact(data: Mapping[str, object]) -> str:
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
