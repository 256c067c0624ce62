"""No attested fact is left unexplained: each has a rule in use, a tested behaviour, or a reason."""

from __future__ import annotations

import ast
from collections import Counter
from pathlib import Path

import pytest

from spgl.coverage import Covered, How, coverage, coverage_page, uses_by_fact
from spgl.evidence import shipped
from validator.rules import rules

ROOT = Path(__file__).parents[1]
FACTS = [f for pack in shipped() for f in coverage(pack.name)]
USES = uses_by_fact(shipped())


#: What is said of a fact over all packs: layers of one dossier are packs of their own.
TARGETS = {f.fact: {t for o in FACTS if o.fact == f.fact for t in o.targets} for f in FACTS}


def test_every_fact_of_both_dossiers_stands_once_in_a_pack() -> None:
    sizes = {p.name: len(coverage(p.name)) for p in shipped()}
    assert (sizes["data-sharing-3.0"], sizes["fire-inspection-1.0"]) == (102, 83)
    for pack in shipped():
        assert max(Counter(f.fact for f in coverage(pack.name)).values()) == 1
    assert Counter(f.how for f in FACTS)[How.RULE] > 120


@pytest.mark.parametrize("fact", FACTS, ids=lambda f: f.fact)
def test_no_fact_is_unexplained(fact: Covered) -> None:
    assert fact.says.zh
    assert fact.says.en
    assert bool(fact.reason.zh) == bool(fact.reason.en)
    if fact.how is How.REASON:
        assert fact.reason.zh
        assert not fact.targets
        if not TARGETS[fact.fact]:
            assert fact.fact not in USES, "a rule use names this fact: list its rule"
        return
    assert fact.targets
    if fact.how is How.SENDER:
        for target in fact.targets:
            assert _is_test(target), f"{target} is no test"
        return
    known = rules()
    using = {u.rule for u in USES.get(fact.fact, ())}
    for target in fact.targets:
        assert target in known
        assert target in using or fact.reason.zh, f"no use of {target} names {fact.fact}: say why"
    unlisted = using - TARGETS[fact.fact]
    assert not unlisted, f"list {unlisted}"


def _is_test(target: str) -> bool:
    path, _, name = target.partition("::")
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    return any(
        isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == name
        for node in ast.walk(tree)
    )


def test_every_reference_in_the_packs_is_a_fact() -> None:
    assert set(USES) <= {f.fact for f in FACTS}


def test_the_page_names_every_fact() -> None:
    page = coverage_page()
    for fact in FACTS:
        assert f"| {fact.fact} |" in page
