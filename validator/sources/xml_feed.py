"""Feeding lxml in pieces that begin where elements begin, so that their byte position is known.

lxml's own `sourceline` stops at 65,535. A piece may begin at a `<` that opens no element (inside a
comment, say): then no element starts with it, and nothing is wrong. Entities, external DTDs and
network access are refused or switched off here; what elements mean is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from lxml import etree

from validator.sources.source import Place

#: Every `<`.
ANYWHERE = re.compile(rb"<")
#: A document type without an external part.
_INLINE = re.compile(r"<!DOCTYPE [^\s>]+>")
#: A tag that is not complete at the end of a chunk is kept back up to this size.
_HELD = 1 << 12
#: After so many bytes nobody asks any more whether a place lies between two records.
_DEEP = 1 << 16
#: What hides tags; in well-formed content these begin nowhere else.
_HIDING = re.compile(rb"<!--.*?-->|<!\[CDATA\[.*?\]\]>|<\?.*?\?>", re.DOTALL)
#: Behind an ampersand without end the parser waits for more.
_BARE = re.compile(rb"&(?![^<&;\s]{1,64};)")
#: Longer than any mark that `skip_past` looks for and that does not begin with `<`.
_OVERLAP = 8


def parser(*tags: str) -> etree.XMLPullParser:
    """A pull parser for start and end of elements (of these tags, default all). It reads UTF-8
    whatever the declaration says, expands no entity and loads nothing."""
    return etree.XMLPullParser(
        events=("start", "end"),
        tag=tags or None,
        encoding="utf-8",
        resolve_entities=False,
        load_dtd=False,
        no_network=True,
        huge_tree=False,
        remove_comments=True,
        remove_pis=True,
    )


def fed(
    reader: etree.XMLPullParser, piece: bytes, place: Place, before: int
) -> Iterator[tuple[str, etree._Element]]:
    """Feed a piece; (`start` or `end`, element) of what it brought, `end` of the input for an empty
    one. Raises SourceError when it is not well-formed; `before` lines were not fed."""
    try:
        if piece:
            reader.feed(piece)
        else:
            reader.close()
    except etree.XMLSyntaxError as failure:
        raise _not_well_formed(reader, failure, place, before) from failure
    if _fault(reader):  # lxml would begin a new document, or tell only at the end
        raise _not_well_formed(reader, None, place, before)
    for action, element in reader.read_events():
        if isinstance(element, etree._Element):
            yield action, element


@dataclass(slots=True)
class Cursor:
    """Bytes of a file, handed out in pieces. `offset` and `line` are those of the next byte."""

    chunks: Iterator[bytes]
    offset: int = 0
    line: int = 1
    _data: bytes = b""
    _at: int = 0
    _final: bool = False

    def piece(self, cut: re.Pattern[bytes]) -> bytes:
        """The bytes up to the next place where `cut` matches, not counting the very next byte; an
        end tag is a piece of its own. Without a match it gives what it holds, empty at the end."""
        while True:
            pattern = ANYWHERE if self._data.startswith(b"</", self._at) else cut
            found = pattern.search(self._data, self._at + 1)
            stop = found.start() if found else self._safe_end()
            if stop > self._at:
                return self._take(stop)
            if self._final:
                return b""
            self._read()

    def skip_past(self, stop: re.Pattern[bytes], stay: bytes = b"") -> bytes | None:
        """Move behind the next match, to its start where it is `stay`, and return it; None at the
        end of the file."""
        while True:
            found = stop.search(self._data, self._at)
            if found is not None:
                self._take(found.start() if found.group() == stay else found.end())
                return found.group()
            if self._final:
                return None
            self._take(max(self._at, min(self._safe_end(), len(self._data) - _OVERLAP)))
            self._read()

    def window(self, mark: bytes, size: int) -> bytes:
        """The bytes up to the last `mark` among the next `size`, not taken yet; empty unless they
        begin with a `mark` and another one follows."""
        while len(self._data) - self._at < size and not self._final:
            self._read()
        if not self._data.startswith(mark, self._at):
            return b""
        last = self._data.rfind(mark, self._at + 1, self._at + size)
        return self._data[self._at : last] if last > 0 else b""

    def take(self, data: bytes) -> None:
        """Move behind what `window` gave."""
        self._take(self._at + len(data))

    def _take(self, stop: int) -> bytes:
        taken = self._data[self._at : stop]
        self._at = stop
        self.offset += len(taken)
        self.line += taken.count(b"\n")
        return taken

    def _safe_end(self) -> int:
        """Where the bytes end that surely hold no half tag."""
        if self._final:
            return len(self._data)
        last = self._data.rfind(b"<", self._at)
        return last if last >= 0 and len(self._data) - last < _HELD else len(self._data)

    def _read(self) -> None:
        chunk = next(self.chunks, None)
        self._final = chunk is None
        self._data, self._at = self._data[self._at :] + (chunk or b""), 0


@dataclass(slots=True)
class Level:
    """Whether what was fed ends between two records, as it once did (`sure`), from counting tags;
    the parser itself tells whether they match."""

    sure: bool = False
    _since: bytes = b""
    _lost: bool = False

    def fed(self, piece: bytes) -> None:
        """Take in the next bytes."""
        if self._lost:
            return
        self._since += piece
        self.sure = _even(self._since)
        self._lost = not self.sure and len(self._since) > _DEEP
        if self.sure or self._lost:
            self._since = b""


def _even(data: bytes) -> bool:
    """Whether all elements that begin here end here. A `>` inside a text or an attribute leaves
    that open, since as many are asked for as there are tags."""
    tags = _HIDING.sub(b"", data) if b"<!" in data or b"<?" in data else data
    begins, closing = tags.count(b"<"), tags.count(b"</")
    if b"<!" in tags or b"<?" in tags or begins != tags.count(b">"):
        return False
    if b"&" in tags and _BARE.search(tags):
        return False
    return begins - closing - tags.count(b"/>") == closing


def refuse_dtd(element: etree._Element, place: Place) -> None:
    """Raise SourceError when the document declares entities or names an external DTD. A bare
    inline declaration of elements is let pass and never used."""
    document = element.getroottree().docinfo
    dtd = document.internalDTD
    doctype: str = document.doctype  # type: ignore[attr-defined]  # unknown to lxml-stubs
    entities = None if dtd is None else dtd.entities()  # type: ignore[attr-defined]
    if entities or (doctype and not _INLINE.fullmatch(doctype)):
        raise place.refuse(
            "XML 声明了实体或外部 DTD，出于安全不予读取；请导出不含 DOCTYPE 的 XML",
            "the XML declares entities or an external DTD and is refused for safety;"
            " export it without a DOCTYPE",
        )


def local_name(element: etree._Element) -> str:
    """The name of an element without its namespace; a prefix that is declared nowhere stays."""
    return str(element.tag).rpartition("}")[2]


def written_name(element: etree._Element) -> bytes:
    """The name of an element as its tag is written, with prefix."""
    name = local_name(element)
    return (f"{element.prefix}:{name}" if element.prefix else name).encode()


def _fault(reader: etree.XMLPullParser) -> etree._LogEntry | None:
    """The first thing for which lxml refuses a document; a prefix without meaning is one."""
    return next(
        (
            entry
            for entry in reader.feed_error_log.filter_from_errors()
            if entry.level == etree.ErrorLevels.FATAL
            or entry.domain == etree.ErrorDomains.NAMESPACE
        ),
        None,
    )


def _not_well_formed(
    reader: etree.XMLPullParser, failure: etree.XMLSyntaxError | None, place: Place, before: int
) -> Exception:
    first = _fault(reader)
    if first is not None:
        line, message = first.line + before, first.message
    else:
        line, message = (failure.lineno or 0 if failure else 0) + before, str(failure)
    zh, en = _cause(message)
    return place.refuse(
        f"XML 第 {line} 行附近格式不正确（{zh}）；请重新导出",
        f"the XML is not well-formed near line {line} ({en}); export it again",
    )


def _cause(message: str) -> tuple[str, str]:
    """Our own words for what the parser met; its message never reaches people."""
    for part, zh, en in _CAUSES:
        if part in message:
            return zh, en
    return "标签或字符有误", "a tag or character is wrong"


_CAUSES = (
    ("amplification", "实体展开过多", "entities expand without end"),
    ("ntity", "引用了未定义的实体", "an undefined entity is used"),
    ("depth", "嵌套过深", "elements are nested too deeply"),
    ("imit exceeded", "单个文本过大", "one text is too large"),
    ("huge text", "单个文本过大", "one text is too large"),
    ("mismatch", "开始与结束标签不匹配", "a start and an end tag do not match"),
    ("Premature end", "文件不完整", "the file is cut short"),
    ("no element found", "文件不完整", "the file is cut short"),
    ("Extra content", "根元素之后还有内容", "text follows the root element"),
    ("encoding", "含有无法解码的字节", "bytes that cannot be decoded"),
    ("UTF-8", "含有无法解码的字节", "bytes that cannot be decoded"),
)
