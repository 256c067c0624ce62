"""Plain records as columns, without an object per element: `<r><A>text</A><B/></r>`, as most
programs write them.

The tags are learned from records that lxml has read; a window of bytes that holds nothing else than
these tags and their texts is cut with numpy and parsed by Polars. Everything else (attributes,
comments, CDATA, numbered characters, other names or orders) is left to the parser: `read` gives
None, so what is read here is what it would read. Where records begin in a file is not known here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import polars as pl

from validator.records import Ints
from validator.sources.parts import STEP, Part

Bytes = npt.NDArray[np.uint8]
Words = npt.NDArray[np.uint64]

#: Neither may stand in XML, so they can part the cells of the texts; `x` and 1 would be taken for
#: the mark of a compressed file.
_CELL, _RECORD = 3, 4
_START, _END, _EMPTY, _OPEN, _CLOSE = range(5)
#: What may follow a tag (at five times the tag plus what follows), besides that the end of an
#: element follows its start.
_NEXT = np.zeros(25, np.bool_)
_NEXT[[5 * _START + _END, 5 * _CLOSE + _OPEN]] = True
_NEXT[[5 * a + b for a in (_OPEN, _END, _EMPTY) for b in (_START, _EMPTY, _CLOSE)]] = True
#: The parser refuses longer texts; far shorter ones are left to it already.
_LONGEST = 1 << 20
_WORD = 8
#: Bits of the number of a slot: few of them and tags would share one.
_SLOTS = 16
#: Characters that XML forbids and UTF-8 does not.
_FORBIDDEN = ("\ufffe", "\uffff")
_ENTITIES = {b"&lt;": b"<", b"&gt;": b">", b"&quot;": b'"', b"&apos;": b"'", b"&amp;": b"&"}
_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class _Tags:
    """Every tag that may occur, by number: its bytes between `<` and `>` as words, its length,
    its bytes that are no blanks, what it is and its column. `masks[w]` gives what of word w counts,
    by length. `slots` finds the number of a tag by `_mixed(word, word, length, factor)`."""

    words: Words
    masks: Words
    lengths: Ints
    solid: Ints
    acts: npt.NDArray[np.int8]
    columns: Ints
    factor: np.uint64
    slots: npt.NDArray[np.int16]


@dataclass(slots=True)
class Plain:
    """The tags of plain records learned so far. `fields`: the column names of the frames."""

    fields: Sequence[str]
    record: bytes = b""
    _order: list[str] = field(default_factory=list)
    _names: dict[bytes, str] = field(default_factory=dict)
    _tags: _Tags | None = None

    @property
    def mark(self) -> bytes:
        """The tag that opens a record, empty when none is known yet."""
        return b"<" + self.record + b">" if self._tags is not None else b""

    def learn(self, record: str, names: Sequence[str], identity: Callable[[str], str]) -> None:
        """Take over the unprefixed names of a record and of its elements, none twice, from one
        that was read; `identity`: the field a name stands for, else the name."""
        named = record.encode()
        if named != self.record:
            self.record, self._order, self._names, self._tags = named, [], {}, None
        new, at = [n for n in names if n.encode() not in self._names], 0
        if not new and self._tags is not None:
            return
        for name in names:
            known = identity(name)
            if known not in self._order:
                self._order.insert(at, known)
            at = self._order.index(known) + 1
            self._names[name.encode()] = known
        self._tags = _tags(named, {n: self._order.index(k) for n, k in self._names.items()})

    def read(self, data: bytes, line: int, limit: int) -> Part | None:
        """The records of `data`, which begins with one and ends where the next one begins; None
        when it holds anything that is not plain, or a record of more than `limit` bytes. Where
        `data` starts in the file, the part does not say."""
        width = len(self._order)
        cut = None if self._tags is None or width < 2 else _cut(data, self._tags, width, limit)
        if cut is None:
            return None
        texts = _unquoted(cut.texts)
        frame = None if texts is None else _frame(texts, self._order)
        if frame is None or frame.height != cut.starts.size:
            return None
        nothing = pl.repeat(None, frame.height, dtype=pl.String, eager=True)
        known = {f: frame[f] if f in self._order else nothing for f in self.fields}
        breaks = np.flatnonzero(np.frombuffer(data, np.uint8) == 10)
        lines = np.searchsorted(breaks, cut.starts).astype(np.int64) + line
        return Part(
            pl.DataFrame(known), frame.height, lines, size=len(data), steps=cut.starts[::STEP]
        )


@dataclass(frozen=True, slots=True)
class _Cut:
    """Where each record begins, and the texts of all cells, each with its mark behind it."""

    starts: Ints
    texts: bytes


def _tags(record: bytes, columns: dict[bytes, int]) -> _Tags | None:
    """None when no slots can be found, which only too many tags could bring about."""
    found = [(record, _OPEN, -1), (b"/" + record, _CLOSE, -1)]
    for name, column in columns.items():
        found += [(name, _START, column), (b"/" + name, _END, column)]
        found += [(name + b"/", _EMPTY, column), (name + b" /", _EMPTY, column)]
    lengths = np.array([len(tag) for tag, _, _ in found])
    count = max(2, -(-int(lengths.max()) // _WORD))
    padded = b"".join(tag.ljust(count * _WORD, b"\0") for tag, _, _ in found)
    words = np.frombuffer(padded, "<u8").reshape(-1, count).T.astype(np.uint64)
    factor = slots = None
    for seed in range(64):
        factor = np.uint64(0x9E3779B97F4A7C15 + 2 * seed * 0x1000193)
        at = _mixed(words[0], words[1], lengths, factor)
        if np.unique(at).size == at.size:
            slots = np.zeros(1 << _SLOTS, np.int16)
            slots[at] = np.arange(at.size, dtype=np.int16)
            break
    if factor is None or slots is None:
        return None
    whole = np.arange(int(lengths.max()) + 1) - _WORD * np.arange(count)[:, None]
    return _Tags(
        words,
        _MASKS[np.clip(whole, 0, _WORD)],
        lengths,
        np.array([len(tag) - tag.count(b" ") for tag, _, _ in found]),
        np.array([act for _, act, _ in found], np.int8),
        np.array([column for _, _, column in found]),
        factor,
        slots,
    )


def _mixed(first: Words, second: Words, lengths: Ints, factor: np.uint64) -> Ints:
    mixed = (first ^ (second * np.uint64(0xC2B2AE3D27D4EB4F))) + lengths.astype(np.uint64)
    mixed ^= mixed >> np.uint64(29)
    return ((mixed * factor) >> np.uint64(64 - _SLOTS)).astype(np.int64)


def _numbers(data: bytes, begins: Ints, ends: Ints, tags: _Tags) -> Ints | None:
    """The number of each tag, None when any is not known. Every byte is compared."""
    count = len(tags.words)
    lengths = ends - begins - 1
    if int(lengths.max()) > int(tags.lengths.max()):
        return None
    padded = data + bytes(count * _WORD)
    view = np.ndarray((len(padded) - _WORD + 1,), "<u8", padded, strides=(1,))
    words = [view[begins + (1 + w * _WORD)] & mask[lengths] for w, mask in enumerate(tags.masks)]
    numbers = tags.slots[_mixed(words[0], words[1], lengths, tags.factor)].astype(np.int64)
    same = tags.lengths[numbers] == lengths
    for word, known in zip(words, tags.words, strict=True):
        same &= known[numbers] == word
    return numbers if same.all() else None


_MASKS = np.array([(1 << (8 * n)) - 1 for n in range(_WORD + 1)], np.uint64)


def _cut(data: bytes, tags: _Tags, width: int, limit: int) -> _Cut | None:
    """The cells of whole records in the order of their columns, None when not plain."""
    codes = np.frombuffer(data, np.uint8)
    begins, ends = np.flatnonzero(codes == 60), np.flatnonzero(codes == 62)
    if begins.size != ends.size or begins.size < 2 or begins[0] != 0:
        return None
    if (begins > ends).any() or (ends[:-1] > begins[1:]).any():
        return None
    if int(np.diff(begins, append=len(data)).max()) > _LONGEST:
        return None
    numbers = _numbers(data, begins, ends, tags)
    if numbers is None:
        return None
    acts, columns = tags.acts[numbers], tags.columns[numbers]
    if acts[0] != _OPEN or acts[-1] != _CLOSE or not _NEXT[5 * acts[:-1] + acts[1:]].all():
        return None
    texts = np.flatnonzero(acts == _START)
    if (numbers[texts] + 1 != numbers[texts + 1]).any():
        return None
    opens = begins[acts == _OPEN]
    if int(np.diff(opens, append=len(data)).max()) > limit:
        return None
    cells = _cells(acts, columns, width)
    if cells is None:
        return None
    kept = _kept(codes, begins, ends, acts, cells, width)
    if kept is None or not _accounted(codes, kept, int(tags.solid[numbers].sum()), begins.size):
        return None
    return _Cut(opens, kept.tobytes())


def _cells(acts: npt.NDArray[np.int8], columns: Ints, width: int) -> Ints | None:
    """The number of each tag's cell, counted through all records: a start or empty tag has its
    own, an opening tag the one before its record's first, a closing one its record's last. None
    when a column comes twice in a record or before an earlier one."""
    record = np.cumsum(acts == _OPEN) - 1
    cells: Ints = record * width + columns
    cells[acts == _CLOSE] += width
    own = cells[(acts == _START) | (acts == _EMPTY)]
    return cells if (np.diff(own) > 0).all() else None


def _kept(
    codes: Bytes, begins: Ints, ends: Ints, acts: npt.NDArray[np.int8], cells: Ints, width: int
) -> Bytes | None:
    """The texts, each cell with its mark behind it; the marks are written over the tags that stand
    between two texts. None when there are more of them than bytes."""
    texts = np.flatnonzero(acts == _START)
    if not texts.size:
        return None
    first, last = ends[texts] + 1, begins[texts + 1]
    after = np.concatenate((cells[texts[1:]], [cells[-1] + 1]))
    marks = after - cells[texts]
    lead = int(cells[texts[0]])
    room = np.concatenate((first[1:], [codes.size])) - last
    if (marks > room).any() or lead > int(first[0]):
        return None
    stop = last + marks
    if lead:  # empty cells before the first text
        first = np.concatenate(([first[0] - lead], first))
        stop, marks = np.concatenate(([first[1]], stop)), np.concatenate(([lead], marks))
    total = int(marks.sum())
    counted = np.arange(total)
    at = np.repeat(stop - np.cumsum(marks), marks) + counted
    changed = codes.copy()
    changed[at] = np.where((counted + 1) % width == 0, _RECORD, _CELL)
    edges = np.zeros(2 * first.size + 2, np.int64)
    edges[1:-1:2], edges[2:-1:2], edges[-1] = first, stop, codes.size
    inside = np.zeros(edges.size - 1, np.bool_)
    inside[1::2] = True
    return changed[np.repeat(inside, np.diff(edges))]


def _accounted(codes: Bytes, kept: Bytes, solid: int, tags: int) -> bool:
    """Whether nothing but blanks stands outside tags and texts, and no other control character."""
    controls = np.count_nonzero(codes < 32)
    blanks = sum(int(np.count_nonzero(codes == c)) for c in (9, 10, 13)) if controls else 0
    outside = np.count_nonzero(codes > 32) - np.count_nonzero(kept > 32)
    return bool(controls == blanks and outside == solid + 2 * tags)


def _unquoted(texts: bytes) -> bytes | None:
    """With entities as the characters they stand for. None: other references, line ends that the
    parser changes, characters that XML or UTF-8 forbid."""
    if b"\r" in texts or texts.startswith(_BOM):
        return None
    try:
        characters = texts.decode()
    except UnicodeDecodeError:
        return None
    if any(f in characters for f in _FORBIDDEN):
        return None
    if b"&" not in texts:
        return texts
    if texts.count(b"&") != sum(map(texts.count, _ENTITIES)):
        return None
    for written, character in _ENTITIES.items():
        texts = texts.replace(written, character)
    return texts


def _frame(texts: bytes, columns: Sequence[str]) -> pl.DataFrame | None:
    """Empty cells are null; None when Polars refuses it."""
    try:
        return pl.read_csv(
            texts,
            has_header=False,
            schema=dict.fromkeys(columns, pl.String),
            separator=chr(_CELL),
            eol_char=chr(_RECORD),
            quote_char=None,
        )
    except pl.exceptions.PolarsError:
        return None
