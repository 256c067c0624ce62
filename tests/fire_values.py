"""Applications of the fire channel for tests. Synthetic values only."""

from __future__ import annotations

from functools import cache

from pusher.transport import Awaited, Batch, Parcel
from validator.load import load_packs
from validator.pack import Packs
from validator.records import Operation

STANDARD = "fire-application"
APPLICATION = "SPGL_XMJBXXB"
DIVISION = "990100"
CITY = f"{DIVISION}_"


@cache
def packs() -> Packs:
    """The pack alone, as its target is sent it: its table names are those of 3.0 too."""
    loaded = load_packs(("data-sharing-3.0", "fire-inspection-1.0", STANDARD))
    return Packs((loaded.pack(STANDARD),))


def application(number: int, name: str = "示例工程") -> dict[str, str]:
    """The content of one application."""
    code = f"2401-990100-04-01-{number:06d}"
    return {
        "LSH": f"CASE{number}",
        "DFSJZJ": f"local-{number}",
        "XZQHDM": DIVISION,
        "XMDM": code,
        "XMMC": name,
        "GCDM": code,
        "GCMC": name,
        "SPLCLX": "1",
        "SBSJ": "2026-03-01 09:00:00",
        "FORMS_JSON": '{"ProjectDto":{"ProjectName":"示例工程"}}',
    }


def parcel(
    content: dict[str, str],
    *,
    operation: Operation = Operation.UPSERT,
    previous: dict[str, str] | None = None,
) -> Parcel:
    return Parcel(0, operation, "", {"LSH": content["LSH"]}, content, previous)


def batch(number: int, one: Parcel, *, fresh: bool = False) -> Batch:
    key = f"key-{number}"
    return Batch(f"batch-{number}", key, STANDARD, APPLICATION, DIVISION, (one,), fresh)


def awaited(content: dict[str, str]) -> Awaited:
    key = {"LSH": content["LSH"]}
    return Awaited(1, STANDARD, APPLICATION, DIVISION, key, "", fields=content)
