"""Any text file as a stream of UTF-8 bytes.

BOM, else UTF-8 if the first non-ASCII megabyte is UTF-8 (single damaged bytes aside), else GB18030;
an override wins. Bytes that cannot be decoded travel on unchanged: in UTF-8 they are invalid too,
so each reader finds them in the record where they stand. Records are not known here.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Generator, Iterator
from typing import BinaryIO

from validator.sources.source import MIB, Place

_WIDE_BOMS = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE, codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_UTF8 = "utf-8"
#: A line end is looked for in so many bytes at the end of a chunk.
_LINE = 1 << 16
#: How a byte that cannot be decoded stands in a text.
_ESCAPED = re.compile("[\udc80-\udcff]")


def utf8_chunks(
    place: Place, encoding: str | None, size: int, *, skip: int = 0
) -> Generator[bytes, None, None]:
    """The file as UTF-8 in chunks of about `size` bytes, without BOM, from UTF-8 byte `skip` on.

    Raises SourceError when the file cannot be opened, is UTF-16 or UTF-32 without being declared
    so, or when the override is no known encoding.
    """
    try:
        with place.path.open("rb") as handle:
            head = handle.read(4)
            handle.seek(0)
            total = place.size()
            for chunk in _skipped(_decoded(place, handle, head, encoding, size), skip):
                place.meter.at(handle.tell(), total)
                yield chunk
    except OSError as failure:
        reason = failure.strerror or str(failure)
        raise place.refuse(
            f"无法读取文件（{reason}）；请检查路径和权限",
            f"the file cannot be read ({reason}); check path and permissions",
        ) from failure


def joined(rest: bytes, chunk: bytes, cut: int) -> bytes:
    """What was left of chunks before, and the first `cut` bytes of this one. Mostly that is a chunk
    as it is: to copy it costs a tenth of parsing it."""
    whole = not rest and cut == len(chunk)
    return chunk if whole else b"".join((rest, memoryview(chunk)[:cut]))


def raw_start(place: Place, encoding: str | None) -> int | None:
    """Where in the file the first byte of `utf8_chunks` stands if all its bytes are those of the
    file; None where they are not. Raises OSError."""
    with place.path.open("rb") as handle:
        head = handle.read(4)
        start = 3 if head.startswith(codecs.BOM_UTF8) else 0
        if encoding is not None:
            return start if _known(encoding, place) == _UTF8 else None
        if head.startswith(_WIDE_BOMS) or b"\0" in head:
            return None
        handle.seek(0)
        return start if start or _decides(handle, MIB)[1] else None


def _skipped(chunks: Iterator[bytes], skip: int) -> Iterator[bytes]:
    for chunk in chunks:
        if skip < len(chunk):
            yield chunk[skip:] if skip else chunk
        skip = max(0, skip - len(chunk))


def _decoded(
    place: Place, handle: BinaryIO, head: bytes, encoding: str | None, size: int
) -> Iterator[bytes]:
    if encoding is not None:
        yield from _transcoded(handle, _known(encoding, place), size)
    elif head.startswith(codecs.BOM_UTF8):
        handle.seek(3)
        yield from _plain(handle, size)
    elif head.startswith(_WIDE_BOMS) or b"\0" in head:
        raise place.refuse(
            "文件编码是 UTF-16 或 UTF-32；请另存为 UTF-8，或用 --encoding utf-16 指定",
            "the file is UTF-16 or UTF-32; save it as UTF-8, or name it with --encoding utf-16",
        )
    else:
        yield from _detected(handle, size)


def _known(encoding: str, place: Place) -> str:
    try:
        return codecs.lookup(encoding).name
    except LookupError as failure:
        raise place.refuse(
            f"未知的编码 {encoding}；可用的例如 utf-8、gb18030",
            f"unknown encoding {encoding}; use for example utf-8 or gb18030",
        ) from failure


def _plain(handle: BinaryIO, size: int) -> Iterator[bytes]:
    """Chunks end with a line where lines are short: nobody has to copy them to join their ends."""
    while True:
        start = handle.tell()
        handle.seek(max(0, size - _LINE), 1)
        lines = handle.read(min(size, _LINE)).rfind(b"\n") + 1
        handle.seek(start)
        if not (chunk := handle.read(max(0, size - _LINE) + lines if lines else size)):
            return
        yield chunk


def _detected(handle: BinaryIO, size: int) -> Iterator[bytes]:
    """ASCII passes as it is; the first other byte decides how the rest is read."""
    while chunk := handle.read(size):
        if chunk.isascii():
            yield chunk
            continue
        handle.seek(-len(chunk), 1)
        start, utf8 = _decides(handle, size)
        if start:
            yield chunk[:start]
        if utf8:
            yield from _plain(handle, size)
        else:
            yield from _transcoded(handle, "gb18030", size)
        return


def _decides(handle: BinaryIO, size: int) -> tuple[int, bool]:
    """ASCII bytes from here to the first other one, where the handle is left; and whether the
    rest is UTF-8."""
    passed = 0
    while chunk := handle.read(size):
        if chunk.isascii():
            passed += len(chunk)
            continue
        start = _first_high(chunk)
        window = chunk[start:] + handle.read(max(0, MIB - (len(chunk) - start)))
        handle.seek(-len(window), 1)
        return passed + start, _is_utf8(window[:MIB])
    return passed, True


def _first_high(chunk: bytes) -> int:
    try:
        chunk.decode("ascii")
    except UnicodeDecodeError as first:
        return first.start
    return len(chunk)


def _is_utf8(window: bytes) -> bool:
    """A GB18030 text read as UTF-8 is mostly damage; a UTF-8 text with a damaged byte is not."""
    try:
        codecs.getincrementaldecoder(_UTF8)().decode(window)
    except UnicodeDecodeError:
        damaged, whole = _quality(window, _UTF8)
        return damaged <= whole or _quality(window, "gb18030")[0] >= damaged
    return True


def _quality(window: bytes, encoding: str) -> tuple[int, int]:
    """(undecodable places, decoded non-ASCII characters) of the window; a cut tail counts not."""
    decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
    text = decoder.decode(window)
    damaged = len(_ESCAPED.findall(text))
    return damaged, len(text) - len(text.encode("ascii", "ignore")) - damaged


def _transcoded(handle: BinaryIO, encoding: str, size: int) -> Iterator[bytes]:
    if encoding == _UTF8:
        chunk = handle.read(size)
        yield chunk.removeprefix(codecs.BOM_UTF8)
        yield from _plain(handle, size)
        return
    decoder = codecs.getincrementaldecoder(encoding)("surrogateescape")
    started = False
    while chunk := handle.read(size):
        text = decoder.decode(chunk)
        if not started and text:
            text, started = text.removeprefix("\ufeff"), True
        yield text.encode(_UTF8, "surrogateescape")
    yield decoder.decode(b"", True).encode(_UTF8, "surrogateescape")
