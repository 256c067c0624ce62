"""Columnar check digits: numpy look-up tables over the bytes of a column.

Twins of the checks in `validator.formats`, which stay the reference. They judge values that have
the shape of their format; any other value, and null, passes (its shape is another rule's matter).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt
import polars as pl

Bytes = npt.NDArray[np.uint8]
Mask = npt.NDArray[np.bool_]
#: Per row of bytes: has it the shape, and does the check hold?
Judge = Callable[[Bytes], tuple[Mask, Mask]]

_DIGITS = b"0123456789"
_USCC = b"0123456789ABCDEFGHJKLMNPQRTUWXY"
#: So many texts are judged at once: their bytes and sums stay in the processor's cache.
_PIECE = 16_384
#: Above any sum of remainders; eighteen of them still fit 16 bits.
_STRANGE = 1024


@dataclass(frozen=True, slots=True)
class Code:
    """Characters that each position may hold, worth their place in `alphabet`; the weighted sum of
    all of them leaves `rest` by `modulus`."""

    alphabet: bytes
    positions: tuple[bytes, ...]
    weights: tuple[int, ...]
    modulus: int
    rest: int


#: GB 32100: division digits inside, the check character has weight 1.
CREDIT_CODE = Code(
    _USCC,
    (*(_USCC,) * 2, *(_DIGITS,) * 6, *(_USCC,) * 10),
    (*(pow(3, i, 31) for i in range(17)), 1),
    31,
    0,
)
#: GB 11643: ISO 7064 MOD 11-2.
CITIZEN_NUMBER = Code(
    _DIGITS + b"X",
    (*(_DIGITS,) * 17, _DIGITS + b"X"),
    tuple(pow(2, 17 - i, 11) for i in range(18)),
    11,
    1,
)


def check_fails(name: str, column: pl.Expr) -> pl.Expr:
    """True where a value of the shape of format `name` fails its check; null stays null."""
    return column.map_batches(lambda s: _fails(name, s), return_dtype=pl.Boolean)


def doubtful(name: str, column: pl.Expr) -> pl.Expr:
    """True where a value lacks the shape of format `name` or fails its check; null is neither."""
    return column.map_batches(lambda s: _fails(name, s, shapeless=True), return_dtype=pl.Boolean)


def _fails(name: str, series: pl.Series, *, shapeless: bool = False) -> pl.Series:
    """Where a shaped value fails; with `shapeless`, also where a value has no shape."""
    code, judge = _KERNELS[name]
    width = len(code.positions)
    sizes = series.str.len_bytes()
    if not series.null_count() and sizes.min() == width == sizes.max():
        return pl.Series(_judged(series, width, judge, shapeless=shapeless))
    failed: Mask = np.full(series.len(), shapeless)
    failed[series.is_null().to_numpy()] = False
    at = np.flatnonzero((sizes == width).fill_null(False).to_numpy())
    failed[at] = _judged(series.gather(at), width, judge, shapeless=shapeless)
    return pl.Series(failed)


def _judged(series: pl.Series, width: int, judge: Judge, *, shapeless: bool) -> Mask:
    """The same for texts of `width` bytes."""
    joined = series.str.join("").cast(pl.Binary).item() or b""
    rows = np.frombuffer(joined, np.uint8).reshape(series.len(), width)
    failed: Mask = np.empty(len(rows), np.bool_)
    for start in range(0, len(rows), _PIECE):
        piece = slice(start, start + _PIECE)
        shaped, holds = judge(rows[piece])
        failed[piece] = ~holds if shapeless else shaped & ~holds
    return failed


def credit_codes_hold(codes: Bytes) -> tuple[Mask, Mask]:
    """Per row of 18 bytes: is it a code, and does its GB 32100 check character hold?"""
    return _summed(codes, CREDIT_CODE)


def citizen_numbers_hold(numbers: Bytes) -> tuple[Mask, Mask]:
    """Per row of 18 bytes: is it a number, and do GB 11643 check digit and birth date hold?"""
    shaped, holds = _summed(numbers, CITIZEN_NUMBER)
    return shaped, holds & _is_date(np.ascontiguousarray(numbers[:, 6:14].T) - np.uint8(ord("0")))


def _summed(texts: Bytes, code: Code) -> tuple[Mask, Mask]:
    """Where a text is of the code's characters, and where its weighted sum is right, too."""
    pairs = np.ascontiguousarray(texts.view("<u2").T)
    total = np.zeros(len(texts), np.uint16)
    for worth, column in zip(_worths(code), pairs, strict=True):
        total += worth.take(column)
    shaped: Mask = total < _STRANGE
    holds: Mask = shaped & (total % code.modulus == code.rest)
    return shaped, holds


@cache
def _worths(code: Code) -> Sequence[npt.NDArray[np.uint16]]:
    """Per pair of positions, what each two bytes, the first the lower, add to the sum."""
    tables = np.full((len(code.positions), 256), _STRANGE, np.uint16)
    for table, allowed, weight in zip(tables, code.positions, code.weights, strict=True):
        for character in allowed:
            table[character] = code.alphabet.index(character) * weight % code.modulus
    pairs = zip(tables[::2], tables[1::2], strict=True)
    return tuple(np.add.outer(second, first).ravel() for first, second in pairs)


def _is_date(digits: Bytes) -> Mask:
    """Per column of eight digits: is it a day of the calendar?"""
    century, year, month, day = digits[::2] * np.uint8(10) + digits[1::2]
    leap = (year % 4 == 0) & ((year > 0) | (century % 4 == 0))
    last = _LAST_DAY.take(np.minimum(month, 13)) + (leap & (month == 2))
    found: Mask = (century + year > 0) & (day > 0) & (day <= last)
    return found


#: Last day by month of a common year; months that are none have no day.
_LAST_DAY = np.array([0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 0], np.uint8)

_KERNELS: dict[str, tuple[Code, Judge]] = {
    "credit-code": (CREDIT_CODE, credit_codes_hold),
    "citizen-number": (CITIZEN_NUMBER, citizen_numbers_hold),
}
