"""Columnar check digits: numpy look-up tables over the distinct values of a column.

Twins of the checks in `validator.formats`, which stay the reference. They judge values that have
the shape of their format; any other value, and null, passes (its shape is another rule's matter).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt
import polars as pl

from validator.formats import FORMATS
from validator.lexical import PATTERNS
from validator.pack import Kind

Bytes = npt.NDArray[np.uint8]

_USCC = b"0123456789ABCDEFGHJKLMNPQRTUWXY"
_USCC_WEIGHTS = np.array([pow(3, i, 31) for i in range(17)], dtype=np.int64)
_CITIZEN = b"0123456789X"
_CITIZEN_WEIGHTS = np.array([pow(2, 17 - i, 11) for i in range(17)], dtype=np.int64)


def _values(alphabet: bytes) -> npt.NDArray[np.int64]:
    table = np.zeros(256, dtype=np.int64)
    table[np.frombuffer(alphabet, dtype=np.uint8)] = np.arange(len(alphabet))
    return table


_USCC_VALUES = _values(_USCC)
_CITIZEN_VALUES = _values(_CITIZEN)


def check_fails(name: str, column: pl.Expr) -> pl.Expr:
    """True where a value of the shape of format `name` fails its check; null stays null."""
    return column.map_batches(lambda s: _fails(name, s), return_dtype=pl.Boolean)


def doubtful(name: str, column: pl.Expr) -> pl.Expr:
    """True where a value lacks the shape of format `name` or fails its check; null is neither."""
    return column.map_batches(lambda s: _fails(name, s, shapeless=True), return_dtype=pl.Boolean)


def _fails(name: str, series: pl.Series, *, shapeless: bool = False) -> pl.Series:
    """Where a shaped value fails; with `shapeless`, also where a value has no shape."""
    distinct = series.unique().drop_nulls()
    shaped = distinct.str.contains(f"^(?:{FORMATS[name].pattern})$")
    fit = distinct if shaped.all() else distinct.filter(shaped)
    holds = _HOLDS[name](fit)
    wrong = fit.clear() if holds.all() else fit.filter(pl.Series(~holds))
    if shapeless and len(fit) < len(distinct):
        wrong = wrong.append(distinct.filter(~shaped))
    if wrong.is_empty():
        return pl.repeat(False, series.len(), dtype=pl.Boolean, eager=True)
    return series.is_in(wrong.implode()).fill_null(False)


def _matrix(series: pl.Series, width: int) -> Bytes:
    """The bytes of ASCII texts of one width, a row each."""
    joined = "".join(series.to_list()).encode("ascii")
    return np.frombuffer(joined, dtype=np.uint8).reshape(len(series), width)


def credit_codes_hold(series: pl.Series) -> npt.NDArray[np.bool_]:
    """Per code of 18 characters: does its GB 32100 check character hold?"""
    values = _USCC_VALUES[_matrix(series, 18)]
    expected = (31 - (values[:, :17] @ _USCC_WEIGHTS) % 31) % 31
    return np.asarray(values[:, 17] == expected)


def citizen_numbers_hold(series: pl.Series) -> npt.NDArray[np.bool_]:
    """Per number of 18 characters: do GB 11643 check digit and birth date hold?"""
    values = _CITIZEN_VALUES[_matrix(series, 18)]
    # ISO 7064 MOD 11-2: weighted digits and check together are 1 modulo 11.
    digits = ((values[:, :17] @ _CITIZEN_WEIGHTS) + values[:, 17]) % 11 == 1
    birth = series.str.slice(6, 8).str.replace(r"^(.{4})(.{2})", "${1}-${2}-")
    dates = birth.str.contains(f"^(?:{PATTERNS[Kind.DATE]})$")
    return np.asarray(digits & dates.to_numpy())


_HOLDS: dict[str, Callable[[pl.Series], npt.NDArray[np.bool_]]] = {
    "credit-code": credit_codes_hold,
    "citizen-number": citizen_numbers_hold,
}
