"""The files of a pack: bytes on disk or in the wheel → TOML and CSV data, checked for their shape.

Every complaint is a `PackError` that names file, line and remedy; the line is found again in the
source text. What the data means, and whether names point to something, is not judged here.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, lru_cache
from importlib.resources import files as package_files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, NoReturn, cast

from validator.load_parsed import PARSED, parsed, written
from validator.pack import PackError

if TYPE_CHECKING:
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import ValidationError

Data = Mapping[str, object]
Path = Sequence[str | int]
Step = tuple[str | int, ...]

#: Columns of a code list file; only the first is demanded.
CODE_COLUMNS = ("code", "title", "title_en", "parent", "since", "until", "provenance")
STAMP = "pack.sha256"


@dataclass(frozen=True, slots=True)
class PackFiles:
    """The text files of one pack by their path in it; equal when place and content are."""

    place: str
    digest: str
    content: Mapping[str, bytes] = field(compare=False, repr=False)

    @property
    def checked(self) -> bool:
        """True when the stamp says that exactly these bytes passed the full check."""
        return self.content.get(STAMP, b"").decode("ascii", "replace").strip() == self.digest

    @property
    def parsed(self) -> Mapping[str, Data]:
        """Data of the TOML files, where they were read before from exactly these bytes."""
        return parsed(self.content.get(PARSED, b""), self.digest)


@dataclass(frozen=True, slots=True)
class Document:
    """One file, as text for line numbers and as data. `rows`: line and cells of a code list.

    `layers`: where the parts stand that an overlay brought, by path; a row is `("rows", n)`.
    """

    file: str
    text: str
    data: Data = field(default_factory=dict)
    rows: tuple[tuple[int, Mapping[str, str]], ...] = ()
    layers: Mapping[Step, tuple[Document, Step]] = field(default_factory=dict)

    def fail(self, path: Path, what: str, remedy: str) -> NoReturn:
        """Raise a PackError at the line of `path` (keys and list positions from the top)."""
        document, own = self.written(path)
        fail(document.file, locate(document.text, own), what, remedy)

    def written(self, path: Path) -> tuple[Document, Path]:
        """The file in which `path` is written, and its path there."""
        for size in range(len(path), -1, -1):
            found = self.layers.get(tuple(path[:size]))
            if found is not None:
                return found[0], [*found[1], *path[size:]]
        return self, path


def fail(file: str, line: int, what: str, remedy: str) -> NoReturn:
    raise PackError(f"{file}:{line}: {what}; {remedy}")


def read_files(folder: Traversable, place: str) -> PackFiles:
    """The pack's own files with their digest (together with the schema), stamp and `pack.json`."""
    content: dict[str, bytes] = {}
    for name in ("pack.toml", STAMP, PARSED):
        if folder.joinpath(name).is_file():
            content[name] = folder.joinpath(name).read_bytes()
    if "pack.toml" not in content:
        raise PackError(f"{place}: no pack.toml here; give the folder of a pack")
    for part, suffix in (("tables", ".toml"), ("codes", ".csv"), ("forms", ".toml")):
        sub = folder.joinpath(part)
        for entry in sorted(sub.iterdir(), key=lambda e: e.name) if sub.is_dir() else ():
            if entry.name.endswith(suffix):
                content[f"{part}/{entry.name}"] = entry.read_bytes()
    return PackFiles(place, _digest(content), content)


def _digest(content: Mapping[str, bytes]) -> str:
    """SHA-256 over schema and files; line ends do not count, so a checkout may convert them."""
    total = hashlib.sha256(schema_bytes())
    for name in sorted(content.keys() - {STAMP, PARSED}):
        data = content[name].replace(b"\r\n", b"\n")
        total.update(f"\n{name}\n{len(data)}\n".encode() + data)
    return total.hexdigest()


@cache
def schema_bytes() -> bytes:
    """`standards/pack.schema.json`, line ends normalised."""
    path = package_files("standards").joinpath("pack.schema.json")
    return path.read_bytes().replace(b"\r\n", b"\n")


def parse(files: PackFiles, *, check: bool) -> dict[str, Document]:
    """Every file of the pack by its path, with `check` also against the JSON Schema."""
    documents = {"pack.toml": parse_head(files, check=check)}
    overlay = "extends" in documents["pack.toml"].data
    for name, raw in files.content.items():
        file = f"{files.place}/{name}"
        if name.startswith("tables/"):
            document = _toml(files, name, check)
            if check:
                check_shape(document, document.data, "overlay/table" if overlay else "table")
        elif name.startswith("forms/"):
            document = _toml(files, name, check)
            if check:
                check_shape(document, document.data, "form")
        elif name.endswith(".csv"):
            document = _parse_csv(file, raw)
            for line, row in document.rows if check else ():
                filled = {k: v for k, v in row.items() if v or k == "code"}
                check_shape(document, filled, "code", line)
        else:
            continue
        documents[name] = document
    return documents


def parse_head(files: PackFiles, *, check: bool) -> Document:
    """`pack.toml` alone, of a pack or of an overlay."""
    document = _toml(files, "pack.toml", check)
    if check:
        overlay = "extends" in document.data
        check_shape(document, document.data, "overlay/overlay" if overlay else "pack")
    return document


def parsed_form(files: PackFiles) -> str:
    """The content of `pack.json`, from the TOML as it stands."""
    names = sorted(n for n in files.content if n.endswith(".toml"))
    return written(files.digest, {n: _toml(files, n, check=True).data for n in names})


def _toml(files: PackFiles, name: str, check: bool) -> Document:
    """One TOML file; with `check` always the file itself."""
    file, raw = f"{files.place}/{name}", files.content[name]
    ready = {} if check else files.parsed
    if name in ready:
        return Document(file, _text(file, raw), ready[name])
    return _parse_toml(file, raw)


@lru_cache(maxsize=64)
def _parse_toml(file: str, raw: bytes) -> Document:
    """Heads are asked for again and again while the order of packs is found."""
    import tomllib  # packs are mostly read as parsed before

    text = _text(file, raw)
    try:
        return Document(file, text, tomllib.loads(text))
    except tomllib.TOMLDecodeError as error:
        message = str(error)
        at = re.search(r"\(at line (\d+)", message)
        line = int(at[1]) if at else len(text.splitlines())
        if "overwrite" in message or "Duplicate" in message or "twice" in message:
            name = text.splitlines()[line - 1].partition("=")[0].strip()
            fail(file, line, f"{name or 'a key'} stands twice", "keep one of the two")
        fail(file, line, f"no valid TOML ({message.partition(' (')[0]})", "correct this line")


def _parse_csv(file: str, raw: bytes) -> Document:
    text = _text(file, raw)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    begun = 1
    try:
        header = next(reader, [])
        if (
            "code" not in header
            or set(header) - set(CODE_COLUMNS)
            or len(set(header)) < len(header)
        ):
            columns = ",".join(CODE_COLUMNS)
            fail(
                file, 1, f"header {','.join(header)!r} is not that of a code list", f"use {columns}"
            )
        begun, rows = reader.line_num + 1, []
        for cells in reader:
            if len(cells) != len(header):
                what = f"{len(cells)} cells under {len(header)} columns"
                fail(file, reader.line_num, what, "quote cells that hold a comma")
            begun = reader.line_num + 1
            rows.append((reader.line_num, dict(zip(header, cells, strict=True))))
    except csv.Error as error:
        fail(file, begun, f"no valid CSV ({error})", "correct the quotes of this line")
    return Document(file, text, {}, tuple(rows))


def _text(file: str, raw: bytes) -> str:
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        fail(file, line, "bytes that are not UTF-8", "save the file as UTF-8 (CSV: UTF-8 with BOM)")


def check_shape(document: Document, data: Data, part: str, line: int | None = None) -> None:
    """Check data against `$defs/part` of the pack schema (`overlay/part`: of the overlay schema).

    Raises PackError for the worst fault, at `line` or where its path is written.
    """
    error = worst(_shape(part).iter_errors(data))
    if error is not None:
        path, what, remedy = explain(error)
        if line is not None:
            fail(document.file, line, what, remedy)
        document.fail(path, what, remedy)


def worst(errors: Iterator[ValidationError]) -> ValidationError | None:
    """The most telling error: an unknown key says more than the key that it leaves missing."""
    from jsonschema.exceptions import best_match, by_relevance

    key = by_relevance(strong=frozenset({"additionalProperties"}))
    return cast("ValidationError | None", best_match(errors, key=key))


@cache
def _shape(part: str) -> Draft202012Validator:
    from jsonschema import Draft202012Validator
    from referencing import Registry, Resource

    schema = json.loads(schema_bytes())
    known: Registry[bool | Mapping[str, object]] = Registry()
    known = known.with_resource(schema["$id"], Resource.from_contents(schema))
    if part.startswith("overlay/"):
        part = part.removeprefix("overlay/")
        schema = json.loads(package_files("standards").joinpath("overlay.schema.json").read_bytes())
    return Draft202012Validator({**schema, "$ref": f"#/$defs/{part}"}, registry=known)


def explain(error: ValidationError, whole: str = "the file") -> tuple[Path, str, str]:
    """(path, what, remedy) of a JSON Schema error in our own words; `whole` names the instance."""
    path = list(error.absolute_path)
    where = ".".join(str(p) for p in path) or whole
    rule, value = str(error.validator), error.validator_value
    if rule == "additionalProperties":
        schema = cast("Mapping[str, Mapping[str, object]]", error.schema)
        known = list(schema.get("properties", {}))
        key = next(k for k in cast(Data, error.instance) if k not in known)
        return [*path, key], f"unknown key {key!r}", f"use {did_you_mean(key, known)}"
    if rule == "required":
        key = next(k for k in cast("list[str]", value) if k not in cast(Data, error.instance))
        return path, f"{where} has no {key!r}", f"add {key}"
    if rule == "dependentRequired":
        return path, f"{where} has a note in one language only", "write note (zh) and note_en"
    if rule == "enum":
        allowed = [str(v) for v in cast("list[object]", value)]
        what = f"{where} is {error.instance!r}"
        return path, what, f"use {did_you_mean(str(error.instance), allowed)}"
    if "propertyNames" in error.absolute_schema_path:
        what = f"the name {error.instance!r} has a wrong form"
        return [*path, str(error.instance)], what, f"it must match {value}"
    return path, f"{where} is {error.instance!r}", f"it must satisfy {rule} {json.dumps(value)}"


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """The nearest known word, or all of them: the object of a remedy."""
    known = sorted(known)
    import difflib

    near = difflib.get_close_matches(word, known, n=1, cutoff=0.5)
    return near[0] if near else "one of " + ", ".join(known)


def locate(text: str, path: Path) -> int:
    """Line (from 1) where `path` stands in a TOML text; the deepest part found counts."""
    position, previous = 0, ""
    for step in path:
        if isinstance(step, int):
            opening = rf"^\[\[{re.escape(previous)}\]\]|\{{"
            found = list(re.finditer(opening, text[position:], re.M))
            double = [m for m in found if m[0] != "{"]
            # `position` stands on the first [[name]] itself, which the slice still contains
            chosen = double or found
            position += chosen[step].start() if step < len(chosen) else 0
            continue
        name = re.escape(step)
        key = rf"""^\[+[^\]\n]*\b{name}\]|(?:^|[{{,])\s*["']?{name}["']?\s*="""
        match = re.compile(key, re.M).search(text, position)
        if match is not None:
            lead = len(match[0]) - len(match[0].lstrip("{, \t\n"))
            position = match.start() + lead
        previous = step
    return text.count("\n", 0, position) + 1
