"""Lexical forms and canonical forms: Python and Polars twins say the same, and the right thing."""

from __future__ import annotations

import base64
import calendar
from datetime import date
from decimal import Decimal

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from validator.cells import odd_start
from validator.lexical import (
    blank_expr,
    canonical,
    canonical_expr,
    is_blank,
    matches,
    matches_expr,
)
from validator.pack import Kind

PROFILE = settings(derandomize=True, deadline=None, max_examples=60, database=None)
NUMBERS = st.one_of(
    st.integers(-(2**64), 2**64).map(str),
    st.decimals(allow_nan=False, allow_infinity=False, places=4).map(lambda d: f"{d:f}"),
    st.from_regex(r"-?[0-9]{1,6}(\.[0-9]{1,6})?", fullmatch=True),
    st.text("-+.0159eE １", max_size=8),
)
TIMES = st.one_of(
    st.dates().map(str),
    st.datetimes().map(lambda d: d.strftime("%Y-%m-%d %H:%M:%S").zfill(19)),
    st.text("0123456789-T: .", max_size=22),
)


def polars(kind: Kind, texts: list[str]) -> tuple[list[bool], list[str]]:
    frame = pl.DataFrame({"x": texts}, schema={"x": pl.String})
    found = frame.select(
        matches_expr(kind, pl.col("x")).alias("m"), canonical_expr(kind, pl.col("x")).alias("c")
    )
    return found["m"].to_list(), found["c"].to_list()


@PROFILE
@given(st.sampled_from([Kind.INTEGER, Kind.DECIMAL]), st.lists(NUMBERS, min_size=1, max_size=30))
def test_numbers_in_both_engines(kind: Kind, texts: list[str]) -> None:
    formed, forms = polars(kind, texts)
    for text, ok, form in zip(texts, formed, forms, strict=True):
        assert matches(kind, text) == ok, text
        if ok:
            assert canonical(kind, text) == form
            assert Decimal(form) == Decimal(text)
            assert canonical(kind, form) == form


@PROFILE
@given(st.sampled_from([Kind.DATE, Kind.DATETIME]), st.lists(TIMES, min_size=1, max_size=30))
def test_times_in_both_engines(kind: Kind, texts: list[str]) -> None:
    formed, forms = polars(kind, texts)
    for text, ok, form in zip(texts, formed, forms, strict=True):
        assert matches(kind, text) == ok, text
        if ok:
            assert canonical(kind, text) == form
            assert matches(kind, form)


def test_every_day_of_leap_and_common_years() -> None:
    for year in (1, 4, 100, 400, 1900, 2000, 2023, 2024, 2100, 9999):
        for month in range(1, 13):
            for day in range(1, 32):
                text = f"{year:04d}-{month:02d}-{day:02d}"
                good = day <= calendar.monthrange(year, month)[1]
                assert matches(Kind.DATE, text) == good, text
                if good:
                    assert date.fromisoformat(text)


def test_year_zero_and_months_out_of_range_are_no_dates() -> None:
    for text in ("0000-01-01", "2024-00-01", "2024-13-01", "2024-01-00", "2024-1-1"):
        assert not matches(Kind.DATE, text)


@pytest.mark.parametrize(
    ("text", "good"),
    [("9223372036854775807", True), ("-9223372036854775807", True),
     ("9223372036854775808", False), ("0", True), ("-0", False), ("00", False), ("+1", False),
     ("1\n", False), ("１", False), ("٣", False), ("", False)],
)  # fmt: skip
def test_integers(text: str, good: bool) -> None:
    assert matches(Kind.INTEGER, text) == good
    assert polars(Kind.INTEGER, [text])[0] == [good]


@pytest.mark.parametrize(
    ("text", "form"),
    [("01.50", "1.5"), ("1.0", "1"), ("1", "1"), ("-0", "0"), ("-0.00", "0"), ("000", "0"),
     ("100", "100"), ("0.10", "0.1"), ("-007.0700", "-7.07")],
)  # fmt: skip
def test_equal_numbers_have_one_form(text: str, form: str) -> None:
    assert canonical(Kind.DECIMAL, text) == form
    assert polars(Kind.DECIMAL, [text])[1] == [form]


@pytest.mark.parametrize(
    ("text", "kind", "form"),
    [("2024-03-05T00:00:00.000", Kind.DATE, "2024-03-05"),
     ("2024-03-05", Kind.DATETIME, "2024-03-05 00:00:00"),
     ("2024-03-05T09:30:00.0", Kind.DATETIME, "2024-03-05 09:30:00")],
)  # fmt: skip
def test_equal_times_have_one_form(text: str, kind: Kind, form: str) -> None:
    assert matches(kind, text)
    assert canonical(kind, text) == form
    assert polars(kind, [text])[1] == [form]


@PROFILE
@given(st.binary(max_size=20))
def test_base64_is_binary(data: bytes) -> None:
    assert matches(Kind.BINARY, base64.b64encode(data).decode())


@PROFILE
@given(st.text(st.sampled_from(" \t\r\n\u00a0\u3000\u2003x\ufeff"), max_size=6))
def test_blank_is_one_thing_in_both_engines(text: str) -> None:
    frame = pl.DataFrame({"x": [text]}, schema={"x": pl.String})
    assert frame.select(blank_expr(pl.col("x"))).item() == is_blank(text)
    assert is_blank(text) == all(c in " \t\r\n\u00a0\u3000" for c in text)
    assert frame.select(odd_start("x")).item() >= is_blank(text)


def test_few_texts_are_taken_for_perhaps_blank() -> None:
    frame = pl.DataFrame({"x": ["样川市", "A", "0", "-1", "（一）", "é", "\u3001"]})
    assert frame.select(odd_start("x"))["x"].to_list() == [False] * 5 + [True, False]
