"""Reading exports: `discover` finds the tables behind paths, each source yields batches.

One module defines one format by its `FORMAT`; a further format is one more file, and its extensions
here, so that a module is imported only for a file of it. Files are opened one by one: a bad one
becomes a problem and never stops the others. Nothing here judges a value.
"""

from __future__ import annotations

import importlib
import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from validator.pack import Packs
from validator.records import SourceError, TableSource
from validator.run import FileProblem
from validator.sources.naming import Naming
from validator.sources.source import Address, Format, Place, SourceOptions, UnknownTable
from validator.text import Text

__all__ = ["Address", "Discovery", "SourceOptions", "UnknownTable", "discover", "formats"]


@dataclass(frozen=True, slots=True)
class Discovery:
    """What stands behind the given paths, in order of path and name."""

    sources: tuple[TableSource, ...]
    unknown: tuple[UnknownTable, ...]
    problems: tuple[FileProblem, ...]
    notes: tuple[Text, ...] = ()


#: Module by extension; a test holds it to what the modules say.
_MODULES = {
    ".csv": "csv",
    ".tsv": "csv",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
    ".xlsm": "xlsx",
    ".xlsx": "xlsx",
    ".xml": "xml",
    ".zip": "zipped",
}


class _Formats(Mapping[str, Format]):
    def __getitem__(self, extension: str) -> Format:
        module = importlib.import_module(f"{__name__}.{_MODULES[extension]}")
        known: Format = module.FORMAT
        return known

    def __iter__(self) -> Iterator[str]:
        return iter(_MODULES)

    def __len__(self) -> int:
        return len(_MODULES)

    def __contains__(self, extension: object) -> bool:
        return extension in _MODULES


def formats() -> Mapping[str, Format]:
    """Every format by file extension (lower case, with its dot), imported when it is asked for."""
    return _Formats()


def discover(paths: Sequence[Path | Address], packs: Packs, options: SourceOptions) -> Discovery:
    """The tables of files, folders (recursive, known extensions only) and databases.

    Nothing is raised for bad input: a missing path, a folder without any table and a file that
    cannot be opened each become one problem.
    """
    naming = Naming(packs, options)
    sources: list[TableSource] = []
    unknown: list[UnknownTable] = []
    problems: list[FileProblem] = []
    notes: list[Text] = []
    files = [path for path in paths if isinstance(path, Path)]
    for address in (path for path in paths if isinstance(path, Address)):
        from validator.sources.database import open_database

        try:
            read = open_database(address, naming, options)
        except SourceError as failure:
            problems.append(FileProblem(failure.file, failure.text))
            continue
        sources += read.sources
        unknown += read.unknown
    for path, places in zip(files, _places(files), strict=True):
        found = False
        for place in places:
            try:
                opened = _format(place).open(place, naming, options)
            except SourceError as failure:
                problems.append(FileProblem(failure.file, failure.text))
                found = True
                continue
            sources += opened.sources
            unknown += opened.unknown
            problems += opened.problems
            notes += opened.notes
            found |= bool(opened.sources or opened.unknown or opened.problems)
        if not found:
            problems.append(_nothing(path))
    return Discovery(tuple(sources), tuple(unknown), tuple(problems), tuple(notes))


def _format(place: Place) -> Format:
    known = formats().get(place.path.suffix.lower())
    if known is None:
        endings = " ".join(sorted(formats()))
        raise place.refuse(
            f"不支持该文件类型；可读的扩展名：{endings}",
            f"this kind of file cannot be read; known extensions: {endings}",
        )
    return known


def _places(paths: Sequence[Path]) -> list[list[Place]]:
    """Files by argument. Names are relative to the argument; where two arguments give the same
    name, the argument's own name is put in front."""
    found = [list(_files(path)) for path in paths]
    names = Counter(place.file for places in found for place in places)
    return [
        [
            Place(p.path, f"{path.name}/{p.file}") if names[p.file] > 1 and path.is_dir() else p
            for p in places
        ]
        for path, places in zip(paths, found, strict=True)
    ]


def _files(path: Path) -> Iterator[Place]:
    if path.is_file():
        yield Place(path, path.name)
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(f for f in folders if not f.startswith((".", "__MACOSX")))
        for name in sorted(names):
            file = Path(folder, name)
            if file.suffix.lower() in formats() and not name.startswith((".", "~$")):
                yield Place(file, file.relative_to(path).as_posix())


def _nothing(path: Path) -> FileProblem:
    if not path.exists():
        return FileProblem(
            str(path),
            Text("路径不存在；请检查路径", "no such file or folder; check the path"),
        )
    endings = " ".join(sorted(formats()))
    return FileProblem(
        str(path),
        Text(
            f"没有找到任何表：文件应以表名命名（如 SPGL_XMJBXXB.csv），扩展名为 {endings}",
            f"no table found: files are named by table (SPGL_XMJBXXB.csv), extensions {endings}",
        ),
    )
