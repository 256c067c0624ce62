"""Identifiers: published samples, every check character, and the columnar twins."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pack_values import CITIZEN_NUMBER, CREDIT_CODE

from validator.formats import FORMATS, citizen_number_check, credit_code_check
from validator.kernels import check_fails, doubtful

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


def perhaps(name: str) -> st.SearchStrategy[str | None]:
    """Shaped, nearly shaped, dated, right or wrong."""
    good = {"credit-code": CREDIT_CODE, "citizen-number": CITIZEN_NUMBER}[name]
    spoiled = st.tuples(st.integers(0, 17), st.sampled_from("0IOSVZxX9é\n/:@")).map(
        lambda at: good[: at[0]] + at[1] + good[at[0] + 1 :]
    )
    born = st.tuples(st.integers(0, 9999), st.integers(0, 99), st.integers(0, 99)).map(
        lambda d: with_check(f"110105{d[0]:04}{d[1]:02}{d[2]:02}002")
    )
    one = st.just(good) | shaped(name) | spoiled | born
    return one | st.sampled_from([None, "", "另", "１１０１０５", good + "0", good[1:]])


def with_check(body: str) -> str:
    weights = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
    return body + "10X98765432"[sum(int(c) * w for c, w in zip(body, weights, strict=True)) % 11]


@pytest.mark.parametrize("name", ["credit-code", "citizen-number"])
@PROFILE
@given(data=st.data())
def test_columns_say_what_the_reference_says(name: str, data: st.DataObject) -> None:
    texts = data.draw(st.lists(perhaps(name), max_size=50))
    form = FORMATS[name]
    assert form.check is not None
    fails = [t is not None and form.matches(t) and not form.check(t) for t in texts]
    doubts = [t is not None and not (form.matches(t) and form.check(t)) for t in texts]
    frame = pl.DataFrame({"x": texts}, schema={"x": pl.String})
    column = pl.col("x")
    assert frame.select(check_fails(name, column))["x"].to_list() == fails
    assert frame.select(doubtful(name, column))["x"].to_list() == doubts


@pytest.mark.parametrize("month", range(14))
def test_every_day_of_a_leap_and_a_common_year(month: int) -> None:
    numbers = [
        with_check(f"110105{year}{month:02}{day:02}002")
        for year in ("0000", "1900", "2000", "2023", "2024")
        for day in range(33)
    ]
    frame = pl.DataFrame({"x": numbers}).select(check_fails("citizen-number", pl.col("x")))
    assert frame["x"].to_list() == [not citizen_number_check(n) for n in numbers]


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
