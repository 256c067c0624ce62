"""The evidence page says what the packs rest on, and it is current."""

from __future__ import annotations

from pathlib import Path

from spgl.evidence import evidence_page, generated, shipped, table_uses
from validator.violation import Severity

ROOT = Path(__file__).parents[1]


def test_the_page_on_disk_is_current() -> None:
    page = (ROOT / "docs/evidence.md").read_text("utf-8")
    assert page == evidence_page(shipped()), "run `make docs`"


def test_every_table_says_what_can_block() -> None:
    page = evidence_page(shipped())
    parts = page.split("\n### ")[1:]
    assert len(parts) == len(shipped().tables()) == 45
    for part in parts:
        assert "可阻断 · can block (error)" in part
        assert "`wrong-type`: every field" in part
    project, _ = [p for p in parts if p.startswith("SPGL_XMJBXXB\n")]
    errors, warnings = project.split("- 警告")
    assert "`missing-value`: JSDW, JSDWDM, JSDWLX" in errors
    assert "`start-not-before-end`: NKGSJ+NJCSJ" in warnings


def test_counts_of_the_overview_are_those_of_the_rules() -> None:
    packs = shipped()
    table = packs.table("data-sharing-3.0/SPGL_XMJBXXB")
    uses = list(table_uses(packs, table))
    counts = [sum(u.severity is s for u in uses) for s in Severity]
    row = f"| 43 | 43 | {' | '.join(map(str, counts))} |"
    assert row in evidence_page(packs)


def test_generated_files_are_those_of_every_table() -> None:
    paths = {p.as_posix() for p in generated()}
    assert len(paths) == 45 * 2 + 5 + 2 * 3 + 1
    assert "standards/fire-inspection-1.0/schemas/SPGL_JSGCXFYSXXB.xsd" in paths
    assert "docs/evidence.md" in paths
