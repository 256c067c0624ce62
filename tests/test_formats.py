"""Identifiers: published samples, every check character, and the columnar twins."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pack_values import CITIZEN_NUMBER, CREDIT_CODE

from validator.formats import FORMATS, citizen_number_check, credit_code_check
from validator.kernels import check_fails, citizen_numbers_hold, credit_codes_hold, doubtful

PROFILE = settings(derandomize=True, deadline=None, max_examples=50, database=None)
ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"


def shaped(name: str) -> st.SearchStrategy[str]:
    return st.from_regex(FORMATS[name].pattern, fullmatch=True)


def test_known_good_identifiers() -> None:
    assert credit_code_check(CREDIT_CODE)
    assert citizen_number_check(CITIZEN_NUMBER)


@pytest.mark.parametrize("wrong", sorted(set(ALPHABET) - {CREDIT_CODE[-1]}))
def test_every_other_check_character_fails(wrong: str) -> None:
    assert not credit_code_check(CREDIT_CODE[:-1] + wrong)


def test_one_changed_digit_is_found() -> None:
    for place in range(17):
        digit = str((int(CITIZEN_NUMBER[place]) + 1) % 10)
        changed = CITIZEN_NUMBER[:place] + digit + CITIZEN_NUMBER[place + 1 :]
        assert not citizen_number_check(changed)


def test_a_right_digit_over_a_day_that_never_was_fails() -> None:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    for birth, good in (("19000228", True), ("19000229", False), ("20000229", True)):
        body = f"110105{birth}002"
        check = "10X98765432"[sum(int(c) * w for c, w in zip(body, weights, strict=True)) % 11]
        assert citizen_number_check(body + check) == good


@PROFILE
@given(st.lists(shaped("credit-code"), min_size=1, max_size=50))
def test_credit_codes_in_columns(codes: list[str]) -> None:
    assert credit_codes_hold(pl.Series(codes)).tolist() == [credit_code_check(c) for c in codes]


@PROFILE
@given(st.lists(shaped("citizen-number"), min_size=1, max_size=50))
def test_citizen_numbers_in_columns(numbers: list[str]) -> None:
    expected = [citizen_number_check(n) for n in numbers]
    assert citizen_numbers_hold(pl.Series(numbers)).tolist() == expected


@pytest.mark.parametrize(
    ("name", "good"), [("credit-code", CREDIT_CODE), ("citizen-number", CITIZEN_NUMBER)]
)
def test_only_shaped_values_fail_their_check(name: str, good: str) -> None:
    wrong = good[:-1] + ("1" if good[-1] != "1" else "2")
    frame = pl.DataFrame({"x": [good, None, "", "另", wrong, good, wrong]})
    fails = frame.select(check_fails(name, pl.col("x"))).to_series().to_list()
    assert fails == [False, False, False, False, True, False, True]
    assert frame.select(doubtful(name, pl.col("x")).any()).item()
    assert not frame.head(2).select(doubtful(name, pl.col("x")).any()).item()
    assert frame.slice(3, 1).select(doubtful(name, pl.col("x")).any()).item()


@pytest.mark.parametrize(
    ("name", "text", "good"),
    [
        ("division-code", "370800", True), ("division-code", "37080", False),
        ("division-code", "３７０８００", False), ("division-code", "370800\n", False),
        ("project-code", "2401-441802-04-01-100126", True),
        ("project-code", "2401-441802-04-01-10012X", True),
        ("project-code", "2024-441802-04-01-100126", True),
        ("project-code", "240144180204011001260000", False),
        ("mobile-number", "13800138000", True), ("mobile-number", "23800138000", False),
        ("item-code", "0120001", True), ("item-code", "120001", False),
        ("industry-code", "A01", True), ("industry-code", "U01", False),
        ("coordinates", "116.58,35.41;116.59,35.42", True), ("coordinates", "116.58", False),
    ],
)  # fmt: skip
def test_shapes(name: str, text: str, good: bool) -> None:
    assert FORMATS[name].matches(text) == good
    column = pl.DataFrame({"x": [text]}).select(
        pl.col("x").str.contains(f"^(?:{FORMATS[name].pattern})$")
    )
    assert column.item() == good
