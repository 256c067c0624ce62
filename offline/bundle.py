"""Fills a folder with every wheel that spgl needs on some platforms, and says how to install them.

    python -m offline.bundle --out dist/spgl-offline --python 3.11 --python 3.12

Wheels come by `pip download` for each platform and Python version, held to requirements.lock. What
only another platform needs (pip judges markers by the machine it runs on) is found by reading the
wheels' own metadata, and a dependency without a wheel for a platform is a clear failure.
"""

from __future__ import annotations

import argparse
import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from pathlib import Path

from packaging.requirements import Requirement
from packaging.tags import Tag, compatible_tags, cpython_tags
from packaging.utils import canonicalize_name, parse_wheel_filename

ROOT = Path(__file__).parent.parent
#: Databases whose drivers have wheels everywhere; Oracle and Dameng are asked for by --extras.
EXTRAS = "mysql,postgresql"
_GLIBC = (28, 27, 26, 24, 17)


class BundleError(Exception):
    """One line that says what is missing."""


@dataclass(frozen=True, slots=True)
class Platform:
    """A platform: how wheels name it, and what markers see there."""

    name: str
    tags: tuple[str, ...]
    markers: Mapping[str, str]


def _linux(machine: str) -> Platform:
    tags = (*(f"manylinux_2_{minor}_{machine}" for minor in _GLIBC), f"manylinux2014_{machine}")
    markers = {"sys_platform": "linux", "platform_system": "Linux", "os_name": "posix"}
    return Platform(f"linux-{machine}", tags, {**markers, "platform_machine": machine})


PLATFORMS = (
    _linux("x86_64"),
    _linux("aarch64"),
    Platform(
        "windows-amd64",
        ("win_amd64",),
        {
            "sys_platform": "win32",
            "platform_system": "Windows",
            "os_name": "nt",
            "platform_machine": "AMD64",
        },
    ),
)


@dataclass(frozen=True, slots=True)
class Place:
    """A platform with a Python version (`3.11`)."""

    platform: Platform
    python: str

    @property
    def tags(self) -> frozenset[Tag]:
        version = tuple(int(part) for part in self.python.split("."))
        interpreter = f"cp{self.python.replace('.', '')}"
        return frozenset(
            (
                *cpython_tags(version, platforms=self.platform.tags),
                *compatible_tags(version, interpreter, self.platform.tags),
            )
        )

    @property
    def markers(self) -> dict[str, str]:
        return {
            **self.platform.markers,
            "python_version": self.python,
            "python_full_version": f"{self.python}.0",
            "implementation_name": "cpython",
            "platform_python_implementation": "CPython",
        }


def main(words: Sequence[str] | None = None) -> int:
    args = _arguments(words)
    try:
        make(args.out, args.python or [_running()], args.platform or [], args.extras)
    except BundleError as fault:
        print(f"bundle: {fault}", file=sys.stderr)
        return 2
    return 0


def make(out: Path, pythons: Sequence[str], platforms: Sequence[str], extras: str) -> None:
    """Fill `out` anew: wheels/, SHA256SUMS, INSTALL.zh.md, INSTALL.en.md. Raises BundleError."""
    chosen = [p for p in PLATFORMS if not platforms or p.name in platforms]
    shutil.rmtree(out, ignore_errors=True)
    wheels = out / "wheels"
    wheels.mkdir(parents=True)
    own = _own_wheel(wheels)
    for platform in chosen:
        for python in pythons:
            _fill(wheels, own, extras, Place(platform, python))
    named = ", ".join(p.name for p in chosen)
    for lang in ("zh", "en"):
        text = (ROOT / "offline" / f"INSTALL.{lang}.md").read_text("utf-8")
        text = text.replace("{platforms}", named).replace("{pythons}", ", ".join(pythons))
        text = text.replace("{extras}", extras)
        (out / f"INSTALL.{lang}.md").write_text(text, encoding="utf-8", newline="\n")
    lines = [f"{_sum(p)}  {p.relative_to(out).as_posix()}\n" for p in sorted(out.rglob("*.*"))]
    (out / "SHA256SUMS").write_text("".join(lines), encoding="utf-8", newline="\n")
    size = sum(p.stat().st_size for p in wheels.iterdir()) / 1e6
    print(f"{out}: {len(list(wheels.iterdir()))} wheels, {size:,.0f} MB ({named})")


def _own_wheel(folder: Path) -> Path:
    """Our wheel, built from a copy of what it holds, so that nothing is left in the checkout."""
    with tempfile.TemporaryDirectory() as name:
        source = Path(name)
        for part in ("standards", "validator", "pusher", "spgl"):
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, source / part, ignore=ignore)
        for part in ("pyproject.toml", "README.md", "LICENSE"):
            shutil.copy(ROOT / part, source / part)
        _run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder),
             str(source))  # fmt: skip
    (made,) = folder.glob("spgl-*.whl")
    return made


def _fill(wheels: Path, own: Path, extras: str, place: Place) -> None:
    """Download for one place until nothing that its wheels require is missing."""
    wanted: list[str] = [f"{own}[{extras}]" if extras else str(own)]
    asked: set[str] = set()
    while True:
        _download(wheels, wanted, place)
        missing = [str(r) for r in _missing(wheels, own, extras, place)]
        wanted = [m for m in missing if m not in asked]
        if missing and not wanted:
            words = ", ".join(missing)
            raise BundleError(f"no wheel for {place.platform.name}, Python {place.python}: {words}")
        if not wanted:
            return
        asked.update(wanted)


def _download(wheels: Path, wanted: Sequence[str], place: Place) -> None:
    abi = f"cp{place.python.replace('.', '')}"
    words = ["--only-binary=:all:", "--implementation=cp", f"--python-version={place.python}"]
    words += [f"--abi={one}" for one in (abi, "abi3", "none")]
    words += [f"--platform={tag}" for tag in (*place.platform.tags, "any")]
    lock = ["--constraint", str(ROOT / "requirements.lock")]
    print(f"{place.platform.name}, Python {place.python}", flush=True)
    _run(sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
         "--dest", str(wheels), "--find-links", str(wheels), *lock, *words, *wanted)  # fmt: skip


def _missing(wheels: Path, own: Path, extras: str, place: Place) -> list[Requirement]:
    """What the wheels for a place require there and do not find in the folder."""
    usable = {n: path for path in wheels.glob("*.whl") for n in _fits(path, place.tags)}
    missing: dict[str, Requirement] = {}
    met: set[tuple[str, str]] = set()
    open_ = [(own, extra) for extra in ("", *filter(None, extras.split(",")))]
    while open_:
        path, extra = open_.pop()
        if (path.name, extra) in met:
            continue
        met.add((path.name, extra))
        for needed in _required(path):
            env = {**place.markers, "extra": extra}
            if needed.marker is not None and not needed.marker.evaluate(env):
                continue
            found = usable.get(canonicalize_name(needed.name))
            if found is None:
                needed.marker = None
                missing[needed.name] = needed
                continue
            open_ += [(found, one) for one in ("", *needed.extras)]
    return list(missing.values())


def _fits(path: Path, tags: frozenset[Tag]) -> Iterator[str]:
    """The name of a wheel that can be installed there."""
    name, _, _, own = parse_wheel_filename(path.name)
    if own & tags:
        yield name


def _required(path: Path) -> Iterable[Requirement]:
    with zipfile.ZipFile(path) as archive:
        (name,) = (n for n in archive.namelist() if n.endswith(".dist-info/METADATA")
                   and n.count("/") == 1)  # fmt: skip
        head = HeaderParser().parsestr(archive.read(name).decode("utf-8"))
    return [Requirement(line) for line in head.get_all("Requires-Dist", [])]


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _run(*words: str) -> None:
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise BundleError("\n".join([f"{' '.join(words[2:4])} failed", *said[-5:]]))


def _running() -> str:
    return f"{sys.version_info[0]}.{sys.version_info[1]}"


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m offline.bundle", description=__doc__)
    parser.add_argument("--out", type=Path, default=ROOT / "dist" / "spgl-offline")
    parser.add_argument("--python", action="append", metavar="3.N", help="repeatable; default ours")
    names = [p.name for p in PLATFORMS]
    parser.add_argument("--platform", action="append", choices=names, help="default all three")
    parser.add_argument("--extras", default=EXTRAS)
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
