"""--since and --where-division: all is judged, a part is told, counted and written."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given as given_by
from hypothesis import settings
from hypothesis import strategies as st

from spgl.cli import main
from validator.narrow import reach

HEAD = "XZQHDM,GCDM,XMDM,SBSJ,NKGSJ,SFXXGC"
RULES = ("code-not-in-list", "wrong-type")


def project(number: int, division: str, when: str, flag: str = "7") -> str:
    return f"{division},G{number},P{number},{when},2024-01-01,{flag}"


ROWS = [
    project(1, "441800", "2024-01-01 10:00:00"),
    project(2, "441802", "2024-02-01"),
    project(3, "441900", "2024-02-01 00:00:00"),
    project(4, "", "2024-03-01"),
    project(5, "441802", ""),
    project(6, "441802", "2023/1/1"),
]


def export(folder: Path, rows: list[str], broken: bool = False) -> Path:
    out = folder / "export"
    out.mkdir()
    text = "\n".join([HEAD, *rows]) + "\n" + ("ragged\n" if broken else "")
    (out / "SPGL_XMJBXXB.csv").write_text(text, "utf-8")
    return out


def told(capsys: pytest.CaptureFixture[str], *words: str) -> dict[str, object]:
    main(["validate", *words, "--partial", "--no-store", "--format", "json"])
    found = json.loads(capsys.readouterr().out)
    assert isinstance(found, dict)
    return found


def records(run: dict[str, object], rule: str = "code-not-in-list") -> list[int | None]:
    violations = run["violations"]
    assert isinstance(violations, list)
    return sorted(
        v["record"] for v in violations if v["rule"] == rule and v["fields"] == ["SFXXGC"]
    )


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ((), [1, 2, 3, 4, 5, 6]),
        (("--since", "SBSJ=2024-02-01"), [2, 3, 4, 5, 6]),
        (("--since", "sbsj=2024-02-01 00:00:01"), [4, 5, 6]),
        (("--since", "XMWQBJSJ=2024-02-01"), [1, 2, 3, 4, 5, 6]),
        (("--where-division", "441800"), [1, 2, 4, 5, 6]),
        (("--where-division", "441802"), [2, 4, 5, 6]),
        (("--where-division", "441900", "--where-division", "441801"), [3, 4]),
        (("--where-division", "440000", "--since", "SBSJ=2024-02-01"), [2, 3, 4, 5, 6]),
        (("--where-division", "110000"), [4]),
    ],
)
def test_what_is_told(
    words: tuple[str, ...],
    expected: list[int],
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A record that does not tell its division or time stays in view, and so does a table that has
    no such column."""
    run = told(capsys, str(export(tmp_path, ROWS)), *words)
    assert records(run) == expected
    tables = run["tables"]
    assert isinstance(tables, dict)
    assert tables["data-sharing-3.0/SPGL_XMJBXXB"]["records"] == len(expected)
    by_severity = tables["data-sharing-3.0/SPGL_XMJBXXB"]["violations"]
    violations = run["violations"]
    assert isinstance(violations, list)
    assert sum(by_severity.values()) == len(violations)


@settings(deadline=None, max_examples=25)
@given_by(
    st.lists(
        st.tuples(
            st.sampled_from(["441800", "441802", "440000", "110101", ""]),
            st.sampled_from(["2024-01-01", "2024-02-01 10:00:00", "", "x"]),
            st.sampled_from(["1", "7"]),
        ),
        max_size=12,
    ),
    st.sampled_from([None, "2024-01-15", "2024-03-01"]),
    st.sampled_from([None, "441800", "440000", "441802"]),
)
def test_counts_are_those_of_the_records_in_view(
    rows: list[tuple[str, str, str]], since: str | None, division: str | None
) -> None:
    from tempfile import TemporaryDirectory

    from engine_values import NOON, given, packs

    from validator.check import Options, check
    from validator.narrow import Narrowing, Since, narrowed, view

    cells = tuple(
        {"XZQHDM": d, "SBSJ": w, "SFXXGC": f, "GCDM": f"G{i}"} for i, (d, w, f) in enumerate(rows)
    )
    moment = datetime.fromisoformat(since) if since else None
    wanted = Narrowing(
        None, (Since("SBSJ", moment),) if moment else (), (division,) if division else ()
    )
    with TemporaryDirectory() as folder:
        checked = check(
            packs(), given({"data-sharing-3.0/SPGL_XMJBXXB": cells}),
            Options(partial=True, reads=wanted.reads(packs())), Path(folder),
            run_id="r", now=lambda: NOON,
        )  # fmt: skip
        seen = view(checked, wanted)
        result = narrowed(checked, seen, packs())
        kept = [
            i for i, (d, w, _) in enumerate(rows, 1)
            if (not division or not d or d.startswith(reach(division)))
            and (not moment or w in ("", "x") or datetime.fromisoformat(w) >= moment)
        ]  # fmt: skip
        found = list(result.violations())
        assert {v.record for v in found if v.record} <= set(kept)
        whole = [v for v in checked.violations() if v.record is None or v.record in kept]
        assert [v.fingerprint for v in found] == [v.fingerprint for v in whole]
        passed = list(seen.records(checked.records()))
        assert [r.record for r in passed] == kept
        (counts,) = result.run.tables.values()
        assert counts.read == len(kept)
        assert counts.conforming == sum(r.standing == "conforming" for r in passed)
        assert counts.blocked == sum(r.standing == "blocked" for r in passed)
        assert counts.duplicate == sum(r.standing == "duplicate" for r in passed)
        assert sum(c.count for c in result.run.counts) == len(found)
        held = {n for r in passed for n in r.blocked_by}
        assert set(result.run.held) == held


def test_references_look_at_what_is_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = export(tmp_path, [project(1, "441800", "2023-01-01")])
    (out / "SPGL_XMDWXXB.csv").write_text("XZQHDM,GCDM\n441802,G1\n441802,G9\n", "utf-8")
    run = told(capsys, str(out), "--where-division", "441802")
    violations = run["violations"]
    assert isinstance(violations, list)
    dangling = [v["record"] for v in violations
                if v["rule"] == "dangling-reference" and v["fields"] == ["GCDM"]]  # fmt: skip
    assert dangling in ([2], []), "the project left out still counts as existing"


def test_unreadable_records_stay_in_view(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = export(tmp_path, ROWS, broken=True)
    run = told(capsys, str(out), "--where-division", "110000")
    violations = run["violations"]
    assert isinstance(violations, list)
    assert [v["record"] for v in violations if v["rule"] == "unreadable-record"] == [7]


def test_conforming_holds_what_is_in_view(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [project(i, "441802", f"2024-01-0{i}", "1") for i in range(1, 4)]
    out, config = tmp_path / "out", tmp_path / "spgl.toml"
    source = export(tmp_path, rows)
    whole = told(capsys, str(source))
    violations = whole["violations"]
    assert isinstance(violations, list)
    config.write_text(f"[gate]\npass = {sorted({v['rule'] for v in violations})}\n", "utf-8")
    told(
        capsys, str(source), "--config", str(config), "--conforming", str(out),
        "--since", "SBSJ=2024-01-02",
    )  # fmt: skip
    written = (out / "SPGL_XMJBXXB.jsonl").read_text("utf-8").splitlines()
    assert [json.loads(line)["GCDM"] for line in written] == ["G2", "G3"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--since", "SBSJ"), "write COLUMN=TIME"),
        (("--since", "SBSJ=yesterday"), "write COLUMN=TIME"),
        (("--since", "SBSJ=2024-02-30"), "write COLUMN=TIME"),
        (("--since", "NOPE=2024-02-01"), "no table of the packs in use has this column"),
        (("--since", "XMMC=2024-02-01"), "holds no dates"),
        (("--where-division", "4418"), "6 digits"),
    ],
)
def test_what_cannot_be_meant_is_one_line(
    words: tuple[str, ...], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = export(tmp_path, ROWS)
    assert main(["validate", str(out), "--no-store", "--lang", "en", *words]) == 2
    assert said in capsys.readouterr().err
    assert main(["validate", str(out), "--no-store", "--lang", "zh", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_no_deletion_is_derived(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = export(tmp_path, ROWS)
    for words in (("--since", "SBSJ=2024-01-01"), ("--where-division", "441800")):
        assert main(["push", str(out), "--snapshot", "--lang", "en", *words]) == 2
        assert "--snapshot cannot be used" in capsys.readouterr().err


def test_reach() -> None:
    assert [reach(c) for c in ("440000", "441800", "441802")] == ["44", "4418", "441802"]
