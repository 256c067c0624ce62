"""The house rules of docs/architecture.md: import arrows, documentation, READMEs alike."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from validator.load import load_packs
from validator.rule import Scope
from validator.rules import rules

ROOT = Path(__file__).parent.parent
PACKAGES = ("validator", "pusher", "spgl")
FORBIDDEN = {
    "validator": ("pusher", "spgl", "aiohttp"),
    "pusher": ("spgl", "validator.check", "validator.rules", "validator.reports", "validator.load"),
    "spgl": (),
}
BANNED_NAMES = re.compile(r"(^|_)(helper|helpers|util|utils|common|manager|job|misc)(_|$)")


def modules() -> list[Path]:
    return [p for name in PACKAGES for p in sorted((ROOT / name).rglob("*.py"))]


def imported(path: Path) -> set[str]:
    """Every module a file imports, at the top or lazily; `from a import b` counts as a and a.b."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_import_arrows_point_left(path: Path) -> None:
    package = path.relative_to(ROOT).parts[0]
    for bad in FORBIDDEN[package]:
        hits = {n for n in imported(path) if n == bad or n.startswith(bad + ".")}
        assert not hits, (
            f"{path} imports {hits}: arrows are standards <- validator <- pusher <- spgl"
        )


@pytest.mark.parametrize("path", modules(), ids=lambda p: str(p.relative_to(ROOT)))
def test_modules_say_what_they_are_and_stay_small(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert ast.get_docstring(ast.parse(text)), f"{path}: begin with a docstring saying what it is"
    assert len(text.splitlines()) <= 400, f"{path}: over 400 lines; split it by noun"
    assert not BANNED_NAMES.search(path.stem), f"{path}: name it after what it holds"


def test_every_rule_is_documented_and_exemplified() -> None:
    for name, rule in rules().items():
        for text in (rule.title, rule.message, rule.help):
            assert text.zh, f"{name}: every text needs zh"
            assert text.en, f"{name}: every text needs en"
        if rule.scope not in (Scope.SOURCE, Scope.TARGET):
            assert rule.bad_example.violations, f"{name}: the bad example must name its violation"
        reference = (ROOT / "docs" / "rules.md").read_text(encoding="utf-8")
        assert f"## {name}" in reference, f"{name} is missing in docs/rules.md: run `make docs`"


def test_every_table_is_documented() -> None:
    evidence = (ROOT / "docs" / "evidence.md").read_text(encoding="utf-8")
    for table in load_packs().tables():
        assert table.title.zh, f"{table.name}: give it its Chinese title"
        assert table.title.en, f"{table.name}: give it an English title"
        assert table.name in evidence, f"{table.name} is missing in docs/evidence.md: `make docs`"


def commands(readme: Path) -> list[str]:
    """The commands of a README's fenced shell blocks, comments dropped."""
    blocks = re.findall(
        r"```(?:sh|shell|bat|powershell)\n(.*?)```", readme.read_text(encoding="utf-8"), re.S
    )
    lines = [line.split("  #")[0].strip() for block in blocks for line in block.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def test_both_readmes_show_the_same_commands() -> None:
    english, chinese = commands(ROOT / "README.md"), commands(ROOT / "README.zh-CN.md")
    assert english, "README.md shows no command"
    assert english == chinese, "README.md and README.zh-CN.md must show the same commands in order"


def test_nothing_names_a_home_folder() -> None:
    """Paths of somebody's machine do not belong into the project."""
    texts = list(ROOT.glob("*.md")) + list((ROOT / "docs").glob("*.md")) + modules()
    for path in texts:
        assert not re.search(r"/(home|root|Users)/\w+/", path.read_text(encoding="utf-8")), path
