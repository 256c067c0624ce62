"""ZIP of any other format, also a ZIP in a ZIP: members are unpacked into a private folder.

Limits on size, ratio and number are checked before anything is unpacked (`archive`); a name never
decides where a file is written. Members of unknown kinds are read past, as in a folder.
"""

from __future__ import annotations

import re
import shutil
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from validator.records import SourceError, TableSource
from validator.run import FileProblem
from validator.sources.archive import DAMAGE, UNPACKED, damaged, opened
from validator.sources.naming import Naming
from validator.sources.source import MIB, Format, Opened, Place, SourceOptions, UnknownTable
from validator.sources.spool import private_folder
from validator.text import Text

#: A ZIP inside a ZIP is read, one inside that is not.
DEPTH = 2
_UTF8_NAME = 0x800
_UNSAFE = re.compile(r"[\x00-\x1f\x7f]|^[A-Za-z]:")
#: Left beside the unpacked members on the disk.
_SPARE = 64 * MIB


@dataclass(slots=True)
class _Found:
    """What the members hold so far, and the bytes they were unpacked to."""

    sources: list[TableSource] = field(default_factory=list)
    unknown: list[UnknownTable] = field(default_factory=list)
    problems: list[FileProblem] = field(default_factory=list)
    notes: list[Text] = field(default_factory=list)
    unpacked: int = 0

    def add(self, more: Opened) -> None:
        self.sources += more.sources
        self.unknown += more.unknown
        self.problems += more.problems
        self.notes += more.notes


def open_zip(place: Place, naming: Naming, options: SourceOptions) -> Opened:
    """The tables of all members. Raises SourceError where the container itself is refused; a bad
    member is a problem of its own."""
    found = _Found()
    _walk(place, naming, options, found, 1)
    return Opened(
        tuple(found.sources), tuple(found.unknown), tuple(found.problems), tuple(found.notes)
    )


def _walk(place: Place, naming: Naming, options: SourceOptions, found: _Found, depth: int) -> None:
    from validator.sources import formats

    if depth > DEPTH:
        raise place.refuse(
            f"压缩包嵌套超过 {DEPTH} 层，未解压；请先解开外层",
            f"more than {DEPTH} containers inside each other; unpack the outer one first",
        )
    with opened(place) as box:
        for name, member in _members(box, place):
            known = formats().get(PurePosixPath(name).suffix.lower())
            if known is None:
                continue
            inner = Place(Path(), f"{place.file}/{name}")
            try:
                inner = Place(_unpacked(box, member, name, place, options, found), inner.file)
                if known.open is open_zip:
                    _walk(inner, naming, options, found, depth + 1)
                else:
                    found.add(known.open(inner, naming, options))
            except SourceError as failure:
                found.problems.append(FileProblem(failure.file, failure.text))


def _members(box: zipfile.ZipFile, place: Place) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """Files by name, in order. Raises SourceError for a name that leads outside or stands twice,
    and for a link."""
    names: dict[str, zipfile.ZipInfo] = {}
    for member in box.infolist():
        name = _name(member)
        parts = PurePosixPath(name).parts
        if ".." in parts or name.startswith("/") or _UNSAFE.search(name):
            raise place.refuse(
                f"成员名 {name!r} 指向压缩包之外，已拒绝整个压缩包；请重新打包",
                f"the member name {name!r} leads outside the container, which is refused as a"
                " whole; pack it again",
            )
        if stat.S_ISLNK(member.external_attr >> 16):
            raise place.refuse(
                f"成员 {name} 是符号链接，已拒绝整个压缩包；请打包文件本身",
                f"the member {name} is a symbolic link, the container is refused; pack the file",
            )
        if name in names:
            raise place.refuse(
                f"成员 {name} 出现两次；请只保留一个", f"the member {name} stands twice; keep one"
            )
        names[name] = member
    for name, member in sorted(names.items()):
        parts = PurePosixPath(name).parts
        hidden = any(p.startswith((".", "~$", "__MACOSX")) for p in parts)
        if not member.is_dir() and not hidden:
            yield name, member


def _name(member: zipfile.ZipInfo) -> str:
    """The name as packed. Chinese Windows writes names in GBK without saying so."""
    name = member.orig_filename
    if not member.flag_bits & _UTF8_NAME:
        try:
            name = name.encode("cp437").decode("gb18030")
        except UnicodeError:
            name = member.orig_filename
    return name.replace("\\", "/")


def _unpacked(
    box: zipfile.ZipFile,
    member: zipfile.ZipInfo,
    name: str,
    place: Place,
    options: SourceOptions,
    found: _Found,
) -> Path:
    """The member as a file of the same last name in a folder of its own."""
    folder = private_folder(options)
    found.unpacked += member.file_size
    room = shutil.disk_usage(folder).free - _SPARE
    if found.unpacked > UNPACKED or member.file_size > room:
        raise place.refuse(
            f"解压后过大或临时目录（{folder.parent}）空间不足；请清理空间或分开打包",
            f"too large unpacked, or no room in the temporary folder {folder.parent}; free space"
            " or split the container",
        )
    path = folder / PurePosixPath(name).name
    try:
        with box.open(member) as source, path.open("xb") as target:
            shutil.copyfileobj(source, target, MIB)
    except DAMAGE as fault:
        raise damaged(place, name) from fault
    return path


FORMAT = Format((".zip",), open_zip)
