"""The sample city: the same bytes from the same seed, and exactly the violations it documents."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
COMMITTED = EXAMPLES / "sample-city"


def _generate(out: Path, *options: str) -> Path:
    command = [sys.executable, str(EXAMPLES / "generate_city.py"), "--out", str(out), *options]
    subprocess.run(command, check=True, capture_output=True)
    return out


def _files(folder: Path) -> dict[str, bytes]:
    """Every file of an export; the READMEs are written by hand."""
    return {
        p.relative_to(folder).as_posix(): p.read_bytes()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and not p.name.startswith("README")
    }


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _generate(tmp_path_factory.mktemp("planted") / "city")


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _generate(tmp_path_factory.mktemp("clean") / "city", "--clean")


@pytest.fixture(scope="module")
def second(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _generate(tmp_path_factory.mktemp("second") / "city", "--night", "2")


def test_committed_files_are_what_the_generator_writes(planted: Path) -> None:
    made, kept = _files(planted), _files(COMMITTED)
    differing = sorted(name for name in made | kept if made.get(name) != kept.get(name))
    assert not differing, (
        f"run `python examples/generate_city.py --out examples/sample-city`: {differing}"
    )
    for name in ("defects", "sandbox"):
        manifest = planted.with_name(f"city.{name}.json").read_bytes()
        assert manifest == (EXAMPLES / f"sample-city.{name}.json").read_bytes()


def test_another_seed_makes_another_city(clean: Path, tmp_path: Path) -> None:
    other = _generate(tmp_path / "city", "--clean", "--seed", "7")
    assert _files(other).keys() == _files(clean).keys()
    assert _files(other) != _files(clean)


@pytest.mark.parametrize("name", ["README.md", "README.zh-CN.md"])
def test_readme_lists_every_file(name: str) -> None:
    listed = re.findall(r"^\| `([^`]+)` \|", (COMMITTED / name).read_text("utf-8"), re.MULTILINE)
    assert sorted(listed) == sorted(_files(COMMITTED))


def test_places_and_numbers_are_unassigned(clean: Path) -> None:
    """Every division and every citizen number starts with 99, which GB/T 2260 does not assign."""
    for name, data in _files(clean).items():
        text = data.decode(
            "gb18030" if b"\xef\xbb\xbf" != data[:3] and not _utf8(data) else "utf-8"
        )
        for number in re.findall(r"(?<![0-9A-Za-z.-])[0-9]{17}[0-9X](?![0-9A-Za-z])", text):
            assert number.startswith(("99", "9199", "1199")), f"{name}: {number}"


def _utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _manifest(folder: Path, name: str) -> list[dict[str, object]]:
    document = json.loads(folder.with_name(f"city.{name}.json").read_text("utf-8"))
    return list(document["defects" if name == "defects" else "refusals"])
