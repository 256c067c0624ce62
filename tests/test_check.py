"""Whole runs: standing of every record, books, later nights, parents, bad files, batch sizes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl
import pytest
from engine_values import Cells, Given, brief, checked, given, packs, table, unreadable
from pack_values import good_record

from validator import plan as plans
from validator.check import Checked, Options, known_columns
from validator.finding import Veil
from validator.pack import Table
from validator.plan import RuleError
from validator.reading import Progress
from validator.records import Batch, Column, Operation, SourceError, Standing
from validator.rules import rules
from validator.run import FileProblem
from validator.text import Text
from validator.violation import Severity

CODE = "2401-370800-04-01-1001{:02d}"
PROJECTS, CASES = "SPGL_XMJBXXB", "SPGL_XMSPSXBLXXB"
EVENTS, LINES = "SPGL_XMSPSXBLXXXXB", "SPGL_XMYDHXJZXXB"
Q_PROJECTS, Q_CASES = f"data-sharing-3.0/{PROJECTS}", f"data-sharing-3.0/{CASES}"


def row(name: str, **values: object) -> Cells:
    """A good record that points nowhere unless told to."""
    of = table(name)
    base: dict[str, object] = dict(good_record(packs(), of))
    for reference in of.references:
        base.update(dict.fromkeys(reference.fields))
    base.update({"SJYXBS": "1", "SJSCZT": "0", "SJWXYY": None})
    return {n: v for n, v in {**base, **values}.items() if n in of.by_name}


def project(number: int, **values: object) -> Cells:
    code = CODE.format(number)
    return row(PROJECTS, **{
        "GCDM": code, "XMDM": code, "NKGSJ": "2024-03-01", "NJCSJ": "2025-03-01",
        "SPLCBM": "P", "SPLCBBH": "1.0", "SFWCQYPG": "0", **values,
    })  # fmt: skip


def line(number: int, project_number: int, **values: object) -> Cells:
    return row(LINES, **{"XMDM": CODE.format(project_number), "JZWJXH": str(number), **values})


def case(code: str, project_number: int) -> Cells:
    return row(CASES, SPSXSLBM=code, GCDM=CODE.format(project_number), SPSXBM="I", SPSXBBH="1.00")


def event(code: str, state: str, time: str) -> Cells:
    return row(EVENTS, SPSXSLBM=code, GCDM=CODE.format(1), BLZT=state, BLSJ=time)


PROCESS = row("SPGL_SPLCXXB", SPLCBM="P", SPLCBBH="1")
ITEM = row("SPGL_SPSXJBXXB", SPSXBM="I", SPSXBBH="1", DYBZSPSXBM="9990000")


def run(
    folder: Path, records: Mapping[str, Sequence[Cells]], options: Options | None = None
) -> Checked:
    everything = {"SPGL_SPLCXXB": [PROCESS], "SPGL_SPSXJBXXB": [ITEM], **records}
    return checked(given(everything), folder, options)


def standings(done: Checked, name: str) -> list[str]:
    return [str(r.standing) for r in done.records() if r.table.endswith(name)]


def balanced(done: Checked) -> bool:
    every = list(done.records())
    for name, counts in done.run.tables.items():
        mine = [r.standing for r in every if r.table == name]
        assert counts.read == counts.unreadable + len(mine)
        assert counts.skipped == mine.count(Standing.SKIPPED)
        assert counts.duplicate == mine.count(Standing.DUPLICATE)
        assert counts.blocked == mine.count(Standing.BLOCKED)
        assert counts.conforming == mine.count(Standing.CONFORMING)
    spoken: dict[tuple[str, str], int] = {}
    for v in done.violations():
        key = (v.rule, str(v.severity))
        spoken[key] = spoken.get(key, 0) + 1
    counted: dict[tuple[str, str], int] = {}
    for c in done.run.counts:
        key = (c.rule, c.severity)
        counted[key] = counted.get(key, 0) + c.count
    assert spoken == counted
    return True


def test_a_good_export_conforms_and_balances(tmp_path: Path) -> None:
    done = run(tmp_path, {PROJECTS: [project(1), project(2)], LINES: [line(1, 1)]})
    assert [v for v in done.violations() if v.severity is Severity.ERROR] == []
    assert [str(r.standing) for r in done.records()] == ["conforming"] * 5
    assert balanced(done)


def test_a_record_as_the_pusher_takes_it(tmp_path: Path) -> None:
    done = run(tmp_path, {PROJECTS: [
        project(1, ZTZE="0120.50", NKGSJ="2024-03-01 00:00:00", GCFW="\u3000",
                QJDGCDM=f"{CODE.format(2)},{CODE.format(3)}", LSH="7", SBYY="x"),
        project(2), project(3),
    ]})  # fmt: skip
    first = next(r for r in done.records() if r.table == Q_PROJECTS)
    assert first.key == {"GCDM": CODE.format(1)}
    assert first.content["ZTZE"] == "120.5"
    assert first.content["NKGSJ"] == "2024-03-01"
    assert not {"GCFW", "LSH", "SJYXBS", "SJSCZT", "SBYY"} & set(first.content)
    assert list(first.content) == [
        f.name for f in table(PROJECTS).fields if f.name in first.content
    ]
    assert first.operation is Operation.UPSERT
    assert first.division == "370800"
    process, *others = first.parents
    assert (process.fields, process.values) == (("SPLCBM", "SPLCBBH"), ("P", "1"))
    assert [o.values for o in others] == [(CODE.format(2),), (CODE.format(3),)]
    handles = {h.fields: h.values for h in first.handles}
    assert handles["GCDM",] == (CODE.format(1),)
    assert set(first.known) <= set(known_columns(packs())[Q_PROJECTS])
    assert first.known["GCDM"] == CODE.format(1)
    assert (first.file, first.record, first.line) == (f"{PROJECTS}.csv", 1, 2)
    assert first.uploaded == "0"


def test_duplicates(tmp_path: Path) -> None:
    done = run(tmp_path, {PROJECTS: [
        project(1, ZTZE="1.50"), project(1, ZTZE="1.5", SJSCZT="3"), project(1, ZTZE="2"),
        project(2),
    ]})  # fmt: skip
    assert standings(done, PROJECTS) == ["conforming", "duplicate", "blocked", "conforming"]
    assert brief(done.violations(), "repeated-record", "duplicate-key") == [
        ("repeated-record", PROJECTS, 2, ("GCDM",)), ("duplicate-key", PROJECTS, 3, ("GCDM",)),
    ]  # fmt: skip
    rival = next(v for v in done.violations() if v.rule == "duplicate-key")
    assert f"{PROJECTS}.csv 第 1 条" in rival.message.zh
    assert balanced(done)


def test_the_later_of_two_rivals_is_held_whatever_the_severity(tmp_path: Path) -> None:
    options = Options(overrides={"duplicate-key": Severity.INFO}, gate=frozenset({"duplicate-key"}))
    done = run(tmp_path, {PROJECTS: [project(1), project(1, XMMC="乙")]}, options)
    assert standings(done, PROJECTS) == ["conforming", "blocked"]
    assert done.run.held == {"duplicate-key": 1}


def test_equal_hashes_are_confirmed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even if every key had one hash, different keys would be no duplicates."""
    from validator import dataset

    real = dataset.hashed

    def colliding(texts: pl.DataFrame, fields: Sequence[str], *, partial: bool = False) -> object:
        found = real(texts, fields, partial=partial)
        found[found != 0] = 1
        return found

    monkeypatch.setattr(dataset, "hashed", colliding)
    done = run(tmp_path, {PROJECTS: [project(1), project(2), project(2), project(3)]})
    assert standings(done, PROJECTS) == ["conforming", "conforming", "duplicate", "conforming"]


INVALID = {"SJYXBS": "0", "SJWXYY": "重复报送"}


@pytest.mark.parametrize(
    ("rows", "at_target", "expected"),
    [
        ([project(1, SJSCZT="-1")], False, ["skipped"]),
        ([project(1, **INVALID), project(1)], True, ["skipped", "conforming"]),
        ([project(1, **INVALID)], False, ["skipped"]),
        ([project(1, **INVALID)], True, ["conforming"]),
        (
            [project(1, **INVALID), project(1, **INVALID)],
            True,
            ["skipped", "conforming"],
        ),
        ([project(1, SJSCZT="2"), project(1)], False, ["skipped", "conforming"]),
        ([project(1, SJSCZT="2")], False, ["conforming"]),
        ([project(1, SJYXBS="0", SJWXYY=None)], True, ["blocked"]),
        ([project(1, **INVALID, NKGSJ="昨天")], True, ["conforming"]),
        ([project(1, SJSCZT="-1", NKGSJ="昨天"), project(1)], True, ["skipped", "conforming"]),
    ],
)
def test_what_a_source_holds(
    rows: list[Cells], at_target: bool, expected: list[str], tmp_path: Path
) -> None:
    held = {Q_PROJECTS: pl.DataFrame({"GCDM": [CODE.format(1)]})} if at_target else {}
    done = run(tmp_path, {PROJECTS: rows}, Options(known=held))
    assert standings(done, PROJECTS) == expected
    assert balanced(done)


def test_a_deletion_withdraws_with_its_reason(tmp_path: Path) -> None:
    held = {Q_PROJECTS: pl.DataFrame({"GCDM": [CODE.format(1)]})}
    done = run(tmp_path, {PROJECTS: [project(1, **INVALID)]}, Options(known=held))
    record = next(r for r in done.records() if r.table == Q_PROJECTS)
    assert (record.operation, record.reason) == (Operation.INVALIDATE, "重复报送")


def test_references_see_valid_rows_and_what_the_target_holds(tmp_path: Path) -> None:
    lines = [line(i, i) for i in (1, 2, 3, 4, 5)]
    projects = [project(1), project(2, **INVALID), project(3, SJSCZT="2"), project(4, SJSCZT="-1")]
    held = {Q_PROJECTS: pl.DataFrame({"GCDM": [CODE.format(5)], "XMDM": [CODE.format(5)]})}
    done = run(tmp_path / "1", {PROJECTS: projects, LINES: lines}, Options(known=held))
    assert [b[2] for b in brief(done.violations(), "dangling-reference")] == [2, 3, 4]
    done = run(tmp_path / "2", {PROJECTS: projects, LINES: lines})
    assert [b[2] for b in brief(done.violations(), "dangling-reference")] == [2, 3, 4, 5]


def test_a_deleted_parent_is_no_parent(tmp_path: Path) -> None:
    held = {Q_PROJECTS: pl.DataFrame({"GCDM": [CODE.format(1)], "XMDM": [CODE.format(1)]})}
    rows = {PROJECTS: [project(1, **INVALID)], LINES: [line(1, 1)]}
    done = run(tmp_path, rows, Options(known=held))
    assert [b[2] for b in brief(done.violations(), "dangling-reference")] == [1]


def test_partial_exports_only_inform(tmp_path: Path) -> None:
    event = row(EVENTS, SPSXSLBM="1", GCDM=CODE.format(1), BLZT="1")
    whole = checked(given({EVENTS: [event]}), tmp_path / "1")
    assert {v.severity for v in whole.violations()} == {Severity.ERROR}
    part = checked(given({EVENTS: [event]}), tmp_path / "2", Options(partial=True))
    assert {v.severity for v in part.violations()} == {Severity.INFO}
    assert standings(part, EVENTS) == ["conforming"]


def test_children_of_a_bad_parent_wait_transitively(tmp_path: Path) -> None:
    rows = {
        PROJECTS: [project(1, NKGSJ="昨天"), project(2)],
        CASES: [case("S", 1), case("T", 2)],
        EVENTS: [event("S", "1", "2024-03-01"), event("S", "3", "2024-03-02")],
    }
    done = run(tmp_path, rows)
    assert standings(done, CASES) == ["blocked", "conforming"]
    assert standings(done, EVENTS) == ["blocked", "blocked"]
    assert {r.blocked_by for r in done.records() if r.table.endswith(EVENTS)} == {("parent",)}
    told = [v for v in done.violations() if v.rule == "parent-not-conforming"]
    assert [(v.table, v.record) for v in told] == [(PROJECTS, 1)]
    assert "3 条" in told[0].message.zh
    assert brief(done.violations(), "dangling-reference") == []
    counts = done.run.tables[Q_CASES]
    assert (counts.blocked, counts.blocked_parent, counts.errors) == (1, 1, 0)
    assert done.run.held == {"wrong-type": 1, "parent": 3}
    assert balanced(done)


def test_projects_wait_for_projects(tmp_path: Path) -> None:
    """A chain inside one table, in any order, and a ring."""
    chain = [project(i, QJDGCDM=CODE.format(i + 1)) for i in range(1, 5)]
    done = run(tmp_path / "1", {PROJECTS: [*chain, project(5, JSDW=None)]})
    assert standings(done, PROJECTS) == ["blocked"] * 5
    assert done.run.tables[Q_PROJECTS].blocked_parent == 4
    ring = [project(1, QJDGCDM=CODE.format(2)), project(2, QJDGCDM=CODE.format(1))]
    assert standings(run(tmp_path / "2", {PROJECTS: ring}), PROJECTS) == ["conforming"] * 2


def test_a_known_parent_stands_for_its_bad_new_version(tmp_path: Path) -> None:
    held = {Q_PROJECTS: pl.DataFrame({"GCDM": [CODE.format(1)], "XMDM": [CODE.format(1)]})}
    rows = {PROJECTS: [project(1, NKGSJ="昨天")], LINES: [line(1, 1)]}
    done = run(tmp_path, rows, Options(known=held))
    assert standings(done, PROJECTS) == ["blocked"]
    assert standings(done, LINES) == ["conforming"]


def test_the_gate_lets_named_rules_pass(tmp_path: Path) -> None:
    rows = {PROJECTS: [project(1, NKGSJ="昨天"), project(2, JSDW=None)]}
    done = run(tmp_path / "1", rows, Options(gate=frozenset({f"{PROJECTS}.NKGSJ.wrong-type"})))
    assert standings(done, PROJECTS) == ["conforming", "blocked"]
    assert done.run.tables[Q_PROJECTS].errors == 2
    assert done.run.held == {"missing-value": 1}
    done = run(tmp_path / "2", rows, Options(overrides={"missing-value": Severity.WARNING}))
    assert standings(done, PROJECTS) == ["blocked", "conforming"]


def test_first_fault_of_a_cell_only(tmp_path: Path) -> None:
    done = run(tmp_path, {PROJECTS: [project(1, TDSFDSJFA="x" * 20, XZQHDM=" ")]})
    found = brief(done.violations())
    assert ("wrong-type", PROJECTS, 1, ("TDSFDSJFA",)) in found
    assert [f for f in found if f[3] == ("TDSFDSJFA",)] == [
        ("wrong-type", PROJECTS, 1, ("TDSFDSJFA",))
    ]
    assert [f[0] for f in found if f[3] == ("XZQHDM",)] == ["missing-value"]


def test_a_missing_key_is_said_once(tmp_path: Path) -> None:
    done = run(tmp_path, {PROJECTS: [project(1, GCDM=None)]})
    assert [f[0] for f in brief(done.violations()) if "GCDM" in f[3]] == ["blank-key"]
    assert standings(done, PROJECTS) == ["blocked"]


def test_a_record_without_any_part_of_an_inferred_key_is_held(tmp_path: Path) -> None:
    done = run(tmp_path, {PROJECTS: [project(1)], LINES: [row(LINES, XMDM=None, JZWJXH=None)]})
    said = next(v for v in done.violations() if v.rule == "blank-key")
    assert said.severity is Severity.INFO
    assert standings(done, LINES) == ["blocked"]


def mixed() -> dict[str, list[Cells]]:
    """Good and bad records of several tables, more than one batch of 7."""
    before = {i: CODE.format(i - 1) if i % 3 == 0 else None for i in range(1, 16)}
    projects = [project(i, QJDGCDM=code) for i, code in before.items()]
    projects[3] = {**projects[3], "NKGSJ": "2024-02-30"}
    projects[7] = {**projects[7], "JSDW": "\u00a0"}
    projects.append({**projects[2], "XMMC": "乙"})
    projects.append(projects[5])
    lines = [line(i, 1 + i % 20) for i in range(30)]
    states = enumerate(("1", "3", "6", "6", "11", "8", "1"))
    events = [event("S", s, f"2024-03-{i + 1:02d}") for i, s in states]
    return {PROJECTS: projects, LINES: lines, CASES: [case("S", 1)], EVENTS: events}


def told(done: Checked) -> list[object]:
    return [*(v.to_json() for v in done.violations()), *done.records(), done.run.tables]


def test_batch_sizes_make_no_difference(tmp_path: Path) -> None:
    whole = told(run(tmp_path / "0", mixed()))
    assert len([v for v in whole if isinstance(v, dict)]) > 10
    for size in (1, 7):
        assert told(run(tmp_path / str(size), mixed(), Options(batch_rows=size))) == whole, size


def test_engines_make_no_difference(tmp_path: Path) -> None:
    bulk = told(run(tmp_path / "b", mixed()))
    assert told(run(tmp_path / "r", mixed(), Options(engine="reference"))) == bulk


def test_files_of_one_table_are_one_table(tmp_path: Path) -> None:
    one = Given(table(PROJECTS), "a.csv", (project(1, SPLCBM=None), project(2, SPLCBM=None)))
    two = Given(table(PROJECTS), "b.csv", (project(2, SPLCBM=None, XMMC="乙"),))
    done = checked([one, two], tmp_path)
    rival = next(v for v in done.violations() if v.rule == "duplicate-key")
    assert (rival.file, rival.record) == ("b.csv", 1)
    assert rival.key == {"GCDM": CODE.format(2)}
    assert done.run.files == {"a.csv": 2, "b.csv": 1}


@dataclass(frozen=True, slots=True)
class Broken:
    """A file that turns out to be unreadable after some records."""

    good: Given

    @property
    def table(self) -> Table:
        return self.good.table

    @property
    def file(self) -> str:
        return self.good.file

    @property
    def size(self) -> int:
        return 1

    @property
    def share(self) -> float:
        return 0.0

    def stamp(self) -> str:
        return "1"

    def columns(self) -> tuple[Column, ...]:
        return self.good.columns()

    def batches(self, rows: int) -> Iterator[Batch]:
        yield from self.good.batches(rows)
        raise SourceError(self.file, Text("文件被截断", "truncated"))


def test_a_broken_file_stops_only_itself(tmp_path: Path) -> None:
    broken = Broken(Given(table(PROJECTS), "p.csv", (project(1, JSDW=None),)))
    lines = Given(table(LINES), "l.csv", (line(1, 1), line(2, 1, JZWJXH="x")))
    done = checked([broken, lines], tmp_path)  # type: ignore[list-item]
    assert [(p.file, p.text.en) for p in done.run.problems] == [("p.csv", "truncated")]
    assert brief(done.violations()) == [("wrong-type", LINES, 2, ("JZWJXH",))]
    # Whether the parent is there cannot be said: the child waits, without a violation.
    assert [r.blocked_by for r in done.records()] == [("parent",), ("wrong-type",)]
    assert done.run.tables[Q_PROJECTS].read == 0


def test_a_file_that_could_not_be_opened_tells_by_its_name(tmp_path: Path) -> None:
    problem = FileProblem("x/370800_SPGL_XMJBXXB.csv", Text("空文件", "empty"))
    lines = Given(table(LINES), "l.csv", (line(1, 1),))
    done = checked([lines], tmp_path, problems=[problem])
    assert list(done.violations()) == []
    assert [r.blocked_by for r in done.records()] == [("parent",)]


def test_a_changed_file_is_noticed_in_the_second_pass(tmp_path: Path) -> None:
    done = run(tmp_path, {PROJECTS: [project(1)]})
    segment = done.outcomes[0].run.segments[0]
    changed = replace(segment, source=replace(segment.source, mark="2"))  # type: ignore[type-var]
    first = replace(done.outcomes[0], run=replace(done.outcomes[0].run, segments=(changed,)))
    with pytest.raises(SourceError, match="changed while it was checked"):
        list(replace(done, outcomes=(first,)).records())


def test_unreadable_records_unknown_columns_and_tables(tmp_path: Path) -> None:
    source = Given(
        table(LINES), "p.csv", (row(LINES, JZWJXH="1"),), unreadable=(unreadable(2, 3),),
        extra=("BCZDL", "rowguid"),
    )  # fmt: skip
    done = checked([source], tmp_path, unknown=[("x/SPGL_BCZDB.csv", "SPGL_BCZDB")])
    found = {v.rule: v for v in done.violations()}
    assert set(found) == {"unreadable-record", "unknown-field", "unknown-table"}
    assert (found["unreadable-record"].record, found["unreadable-record"].line) == (2, 3)
    assert "列数不齐" in found["unreadable-record"].message.zh
    assert found["unreadable-record"].value == "a,b"
    assert (found["unknown-field"].column, found["unknown-field"].record) == ("BCZDL", None)
    assert (found["unknown-table"].table, found["unknown-table"].value) == (None, "SPGL_BCZDB")
    counts = done.run.tables[f"data-sharing-3.0/{LINES}"]
    assert (counts.read, counts.unreadable, counts.conforming) == (2, 1, 1)
    assert balanced(done)


def test_an_excerpt_that_may_hold_personal_values_is_not_kept(tmp_path: Path) -> None:
    source = Given(table(CASES), "c.csv", (), unreadable=(unreadable(1),))
    done = checked([source], tmp_path)
    assert [(v.rule, v.value) for v in done.violations()] == [("unreadable-record", None)]


def test_personal_values_never_reach_the_disk(tmp_path: Path) -> None:
    name, phone = "张三丰", "13800138000x"
    records = {CASES: [row(CASES, SPSXSLBM="1", LXR=name, LXRSJH=phone)]}
    options = Options(fingerprint_key=b"k")
    done = checked(given(records), tmp_path / "masked", options)
    spoken = [v for v in done.violations() if v.fields == ("LXRSJH",)]
    assert [v.value for v in spoken] == ["138*****000x"]
    for v in spoken:
        assert phone not in v.message.zh + v.message.en
    for path in (tmp_path / "masked").iterdir():
        assert phone.encode() not in path.read_bytes()
    shown = checked(given(records), tmp_path / "shown", replace(options, show_personal=True))
    open_value = [v for v in shown.violations() if v.fields == ("LXRSJH",)]
    assert [v.value for v in open_value] == [phone]
    assert [v.fingerprint for v in open_value] == [v.fingerprint for v in spoken]


def test_fingerprints_outlive_order_and_file_but_not_the_key(tmp_path: Path) -> None:
    bad = project(1, NKGSJ="昨天", JSDWDM="9135010*")

    def prints(folder: str, rows: list[Cells], key: bytes) -> dict[tuple[str, ...], str]:
        done = run(tmp_path / folder, {PROJECTS: rows}, Options(fingerprint_key=key))
        return {v.fields: v.fingerprint for v in done.violations()}

    first = prints("1", [bad], b"a")
    later = prints("2", [project(9), bad], b"a")
    other = prints("3", [bad], b"b")
    assert first == later
    assert first["NKGSJ",] == other["NKGSJ",]
    assert first["JSDWDM",] != other["JSDWDM",]


def test_a_veil_masks_each_kind() -> None:
    projects = table(CASES)
    veil = Veil(False, b"k")
    assert veil.value(projects, ("LXR", "LXRSJH"), ("张三", "13800138000")) == "张* / 138****8000"
    assert veil.value(projects, ("GCDM",), ("",)) is None


def test_a_crashing_rule_names_itself_and_the_record(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = plans._compiled

    def sabotaged(*args: object) -> plans.Check:
        check = real(*args)  # type: ignore[arg-type]
        if check.rule.name != "start-not-before-end":
            return check
        crash = pl.col("NKGSJ").str.to_integer(strict=True) > 0
        return replace(check, bad=crash, may=crash.any())

    monkeypatch.setattr(plans, "_compiled", sabotaged)
    rows = [project(1, NKGSJ="1"), project(2, NKGSJ="x")]
    with pytest.raises(RuleError, match=r"start-not-before-end.*record 2") as crash:
        run(tmp_path, {PROJECTS: rows})
    assert crash.value.rule in rules()


def test_progress_is_told_in_order(tmp_path: Path) -> None:
    seen: list[Progress] = []
    options = Options(batch_rows=2, on_progress=seen.append)
    run(tmp_path, {PROJECTS: [project(i) for i in range(1, 6)]}, options)
    mine = [p for p in seen if p.file.startswith(PROJECTS)]
    assert [p.rows for p in mine] == [2, 4, 5]
    assert {p.total_bytes for p in seen} == {7}
    assert mine[0].done_bytes == 2


def test_known_events_join_tonights(tmp_path: Path) -> None:
    name = f"data-sharing-3.0/{EVENTS}"
    held = {
        name: pl.DataFrame({"SPSXSLBM": ["S", "S"], "BLZT": ["1", "11"],
                            "BLSJ": ["2024-03-01 00:00:00", "2024-03-05 00:00:00"]}),
        Q_CASES: pl.DataFrame({"SPSXSLBM": ["S"]}),
        Q_PROJECTS: pl.DataFrame({"GCDM": [CODE.format(1)]}),
    }  # fmt: skip
    again = row(EVENTS, SPSXSLBM="S", GCDM=CODE.format(1), BLZT="11", BLSJ="2024-03-05")
    late = row(EVENTS, SPSXSLBM="S", GCDM=CODE.format(1), BLZT="8", BLSJ="2024-03-06")
    done = checked(given({EVENTS: [again, late]}), tmp_path, Options(known=held))
    # The known completion is replaced by tonight's row of the same key, not repeated by it.
    told = brief(done.violations(), "repeated-completion", "event-after-end", "duplicate-key")
    assert told == [("event-after-end", EVENTS, 2, ("BLZT", "BLSJ"))]


def test_known_columns_are_what_later_nights_need() -> None:
    columns = known_columns(packs())
    assert columns[f"data-sharing-3.0/{EVENTS}"] == ("SPSXSLBM", "BLZT", "BLSJ")
    assert set(columns[Q_CASES]) >= {"GCDM", "SPSXBM", "SPSXBBH", "SPSXSLBM"}
    assert {"XMDM", "GCDM"} <= set(columns[Q_PROJECTS])
