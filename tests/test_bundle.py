"""The bundle for machines without a network: what is missing there is found by the wheels' own
metadata. (Downloading is `make bundle`, by hand.)"""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from offline.bundle import PLATFORMS, Place, _missing

ROOT = Path(__file__).parent.parent
LINUX, ARM, WINDOWS = (Place(platform, "3.11") for platform in PLATFORMS)


def wheel(folder: Path, name: str, tag: str, *requires: str) -> Path:
    path = folder / f"{name}-1.0-{tag}.whl"
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0"]
    lines += [f"Requires-Dist: {r}" for r in requires]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(f"{name}-1.0.dist-info/METADATA", "\n".join(lines) + "\n")
    return path


def test_what_only_another_platform_needs_is_missing_there(tmp_path: Path) -> None:
    own = wheel(tmp_path, "own", "py3-none-any", "driver>=1; extra == 'pg'", "plain", "quick")
    wheel(tmp_path, "driver", "py3-none-any", "tzdata; sys_platform == 'win32'")
    wheel(tmp_path, "plain", "py3-none-any", "old; python_version < '3.11'")
    wheel(tmp_path, "quick", "cp311-cp311-manylinux_2_17_x86_64.manylinux2014_x86_64")
    assert [str(r) for r in _missing(tmp_path, own, "pg", LINUX)] == []
    assert [str(r) for r in _missing(tmp_path, own, "pg", ARM)] == ["quick"]
    assert {str(r) for r in _missing(tmp_path, own, "pg", WINDOWS)} == {"quick", "tzdata"}
    assert {str(r) for r in _missing(tmp_path, own, "", WINDOWS)} == {"quick"}


@pytest.mark.parametrize(
    ("tag", "fits"),
    [
        ("cp311-cp311-win_amd64", (WINDOWS,)),
        ("cp39-abi3-manylinux_2_28_aarch64", (ARM,)),
        ("cp312-cp312-manylinux_2_17_x86_64", ()),
        ("cp311-cp311-musllinux_1_2_x86_64", ()),
        ("py2.py3-none-any", (LINUX, ARM, WINDOWS)),
    ],
)
def test_a_wheel_fits_where_its_tags_say(tmp_path: Path, tag: str, fits: tuple[Place, ...]) -> None:
    own = wheel(tmp_path, "own", "py3-none-any", "one")
    wheel(tmp_path, "one", tag)
    found = tuple(
        place for place in (LINUX, ARM, WINDOWS) if not _missing(tmp_path, own, "", place)
    )
    assert found == fits


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_instructions_name_no_script_and_no_network(lang: str) -> None:
    text = (ROOT / "offline" / f"INSTALL.{lang}.md").read_text("utf-8")
    assert text.count("--no-index --find-links wheels") == 2
    assert "{extras}" in text
    assert "sha256sum -c SHA256SUMS" in text
