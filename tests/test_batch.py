"""Canonical bytes, digests, groups, idempotency keys."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pusher.batch import Outgoing, canonical, digest, grouped, idempotency_key, made
from validator.records import Operation

CONTENT = canonical({"GCDM": "2401-441802", "XMMC": "示例项目"})
ROW = Outgoing(
    1, 1, Operation.UPSERT, 1, 0, digest(CONTENT), "441802", "", canonical({"GCDM": "1"}), CONTENT
)


def row(version: int, *, division: str = "441802", size: int = 10) -> Outgoing:
    key = canonical({"GCDM": f"{version:04d}"})
    content = canonical({"X": "x" * size})
    return replace(
        ROW, version=version, division=division, key=key, fields=content, digest=digest(content)
    )


def test_content_does_not_depend_on_the_order_of_fields() -> None:
    assert (
        canonical({"B": "2", "A": "1"}) == canonical({"A": "1", "B": "2"}) == b'{"A":"1","B":"2"}'
    )
    assert digest(b"{}").hex().startswith("44136fa355b3678a"), "SHA-256"


@given(st.lists(st.tuples(st.sampled_from(["441802", "441803"]), st.integers(0, 300)), max_size=40))
def test_groups_keep_order_limits_and_division(shape: list[tuple[str, int]]) -> None:
    rows = [row(i, division=d, size=s) for i, (d, s) in enumerate(shape)]
    groups = list(grouped(rows, 7, 600))
    assert [r for group in groups for r in group] == rows
    for group in groups:
        assert 1 <= len(group) <= 7
        assert len({r.division for r in group}) == 1
        assert len(group) == 1 or sum(r.size for r in group) <= 600


def test_a_record_larger_than_the_limit_goes_alone() -> None:
    sizes = [len(g) for g in grouped([row(1), row(2, size=5000), row(3)], 10, 1000)]
    assert sizes == [1, 1, 1]


@pytest.mark.parametrize(
    "other",
    [
        replace(ROW, sequence=2),
        replace(ROW, round=1),
        replace(ROW, operation=Operation.INVALIDATE),
        replace(ROW, digest=digest(b"{}")),
        replace(ROW, held_digest=digest(b"{}")),
        replace(ROW, reason="x"),
        replace(ROW, key=canonical({"GCDM": "2"})),
    ],
)
def test_the_key_stands_for_exactly_these_versions(other: Outgoing) -> None:
    assert idempotency_key("t", "s/T", [ROW]) != idempotency_key("t", "s/T", [other])


def test_the_key_stands_for_target_table_and_order_too() -> None:
    one, two = row(1), row(2)
    keys = {
        idempotency_key("t", "s/T", [one, two]),
        idempotency_key("t", "s/T", [two, one]),
        idempotency_key("t", "s/U", [one, two]),
        idempotency_key("u", "s/T", [one, two]),
    }
    assert len(keys) == 4
    assert idempotency_key("t", "s/T", [one, two]) in keys
    assert all(len(key) == 64 for key in keys)


def test_parcels_carry_what_the_target_holds() -> None:
    held = canonical({"GCDM": "1", "XMMC": "旧"})
    change = made("s/T", "k" * 64, (replace(ROW, held=held),), fresh=True)
    assert (change.standard, change.table, change.division) == ("s", "T", "441802")
    assert change.id == "k" * 32
    assert change.parcels[0].previous == {"GCDM": "1", "XMMC": "旧"}
    assert change.parcels[0].fields["XMMC"] == "示例项目"
    gone = replace(ROW, held=held, operation=Operation.INVALIDATE)
    parcel = made("s/T", "k" * 64, (gone,), fresh=True).parcels[0]
    assert parcel.fields == {"GCDM": "1", "XMMC": "旧"}, "an invalidation names what is held"
    assert parcel.previous is None
