"""The command line: help, exit codes, one clear line for everything that cannot be used."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spgl import __version__
from spgl.cli import COMMANDS, Exit, gravest, main

GOOD = "DFSJZJ,XZQHDM,XMDM,BQMC,BQX,TJNF\na,990100,2401-990100-04-01-100126,001,00101,2024\n"
BAD_CODE = "DFSJZJ,GCDM,TDSFDSJFA\na,2401-990100-04-01-100126,9\n"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SPGL_LANG", "en")
    return tmp_path


def write(name: str, content: str | bytes) -> Path:
    path = Path(name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def call(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main(words)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_overview_names_every_command_in_both_languages(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    code, english, _ = call(capsys, "--help")
    assert code == Exit.FINE
    monkeypatch.setenv("SPGL_LANG", "zh")
    _, chinese, _ = call(capsys, "--help")
    for command in COMMANDS:
        assert command.title.en in english
        assert command.title.zh in chinese


@pytest.mark.parametrize("command", COMMANDS, ids=lambda c: c.name)
@pytest.mark.parametrize("lang", ["zh", "en"])
def test_every_command_has_help(
    capsys: pytest.CaptureFixture[str], command: object, lang: str
) -> None:
    with pytest.raises(SystemExit) as stop:
        main([command.name, "--help", "--lang", lang])  # type: ignore[attr-defined]
    assert stop.value.code == 0
    assert "--config" in capsys.readouterr().out


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert call(capsys, "--version")[1] == f"spgl {__version__}\n"


def test_unknown_command_is_one_line_with_a_guess(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = call(capsys, "valdate", "x")
    assert (code, out) == (Exit.UNUSABLE, "")
    assert err.strip() == "spgl: no command valdate; did you mean validate?"


@pytest.mark.parametrize(
    ("codes", "wins"),
    [((0, 1, 3), 3), ((1, 75, 3), 75), ((75, 2), 2), ((0, 1), 1), ((), 0)],
)
def test_the_gravest_exit_code_wins(codes: tuple[int, ...], wins: int) -> None:
    assert gravest(*codes) == wins


def test_clean_data_exits_0_and_bad_data_1(capsys: pytest.CaptureFixture[str]) -> None:
    write("clean/SPGL_XMBQXXB.csv", GOOD)
    write("bad/SPGL_XMJBXXB.csv", BAD_CODE)
    assert call(capsys, "validate", "clean", "--partial")[0] == Exit.FINE
    code, out, _ = call(capsys, "validate", "bad", "--format", "jsonl")
    assert code == Exit.VIOLATIONS
    rules = {json.loads(line)["rule"] for line in out.splitlines()}
    assert "code-not-in-list" in rules
    assert call(capsys, "validate", "bad", "--fail-on", "never")[0] == Exit.FINE


def test_fail_on_warning_counts_warnings(capsys: pytest.CaptureFixture[str]) -> None:
    write("w/SPGL_XMBQXXB.csv", GOOD.replace("TJNF", "TJNF,NOSUCH").replace("2024", "2024,x"))
    assert call(capsys, "validate", "w", "--partial")[0] == Exit.FINE
    assert call(capsys, "validate", "w", "--partial", "--fail-on", "warning")[0] == Exit.VIOLATIONS


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("SPGL_XMBQXXB.csv", "", "empty"),
        ("SPGL_XMBQXXB.csv", "BQMC,BQMC\n1,2\n", "BQMC"),
        ("SPGL_XMBQXXB.csv", "1,2,3\n4,5,6\n", "header"),
        ("SPGL_XMBQXXB.xml", "<SPGL_XMBQXXB><record>", "well-formed"),
        ("SPGL_XMBQXXB.json", "[{]", "JSON"),
    ],
)
def test_a_bad_file_is_told_once_and_the_others_are_checked(
    capsys: pytest.CaptureFixture[str], name: str, content: str, says: str
) -> None:
    write(f"in/{name}", content)
    write("in/SPGL_XMJBXXB.csv", BAD_CODE)
    code, out, _ = call(capsys, "validate", "in", "--format", "json")
    report = json.loads(out)
    assert code == Exit.UNUSABLE
    (problem,) = report["run"]["problems"]
    assert problem["file"].startswith(name)
    assert says.lower() in problem["message"]["en"].lower()
    assert report["tables"]["data-sharing-3.0/SPGL_XMJBXXB"]["records"] == 1


@pytest.mark.parametrize(
    ("name", "content", "record"),
    [
        ("SPGL_XMBQXXB.csv", GOOD + "only,two\n", 2),
        ("SPGL_XMBQXXB.csv", GOOD.encode() + b"a,b,\xff\xfe\xfd,c,d,e\n", 2),
        ("SPGL_XMBQXXB.jsonl", '{"BQMC": "001"\n{"BQMC": "001"}\n', 1),
    ],
)
def test_an_unreadable_record_is_a_violation_and_reading_goes_on(
    capsys: pytest.CaptureFixture[str], name: str, content: str | bytes, record: int
) -> None:
    write(f"in/{name}", content)
    code, out, _ = call(capsys, "validate", "in", "--format", "json", "--partial")
    report = json.loads(out)
    assert code == Exit.VIOLATIONS
    bad = [v for v in report["violations"] if v["rule"] == "unreadable-record"]
    assert [v["record"] for v in bad] == [record]
    assert report["tables"]["data-sharing-3.0/SPGL_XMBQXXB"]["records"] == 2


def test_header_only_is_no_fault(capsys: pytest.CaptureFixture[str]) -> None:
    write("in/SPGL_XMBQXXB.csv", GOOD.splitlines()[0] + "\n")
    assert call(capsys, "validate", "in")[0] == Exit.FINE


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("validate", "nowhere"), "nowhere"),
        (("validate", "void"), "no table found"),
        (("validate", "void", "--report", "pdf=x"), "--report pdf=x"),
        (("validate", "void", "--report", "html=no/such/x.html"), "does not exist"),
        (("validate", "void", "--standard", "no-such-pack"), "no-such-pack"),
        (("validate", "void", "--tables", "SPGL_NONE"), "SPGL_NONE"),
        (("validate", "void", "--stage", "none"), "land-planning"),
        (("validate", "void", "--config", "none.toml"), "none.toml"),
        (("push", "void"), "[target.NAME]"),
        (("status",), "there is no ledger"),
        (("explain", "code-not-in-lst"), "code-not-in-list"),
        (("packs", "show", "SPGL_XMJBXB"), "SPGL_XMJBXXB"),
        (("packs", "export"), "--html DIR"),
    ],
)
def test_what_cannot_be_used_exits_2_and_says_what_to_do(
    capsys: pytest.CaptureFixture[str], words: tuple[str, ...], says: str
) -> None:
    Path("void").mkdir()
    code, out, err = call(capsys, *words)
    assert code == Exit.UNUSABLE
    assert says in out + err
    assert "Traceback" not in out + err


def test_runs_are_kept_private_unless_told_not_to(capsys: pytest.CaptureFixture[str]) -> None:
    write("in/SPGL_XMJBXXB.csv", BAD_CODE)
    call(capsys, "validate", "in", "--no-store")
    assert not list(Path().glob(".spgl/runs/*"))
    call(capsys, "validate", "in")
    (run,) = Path().glob(".spgl/runs/*")
    assert (run / "run.json").stat().st_mode & 0o077 == 0
    code, out, _ = call(capsys, "report", "--format", "jsonl")
    assert code == Exit.FINE
    assert "code-not-in-list" in out


def test_tables_and_stages_narrow_what_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    write("in/SPGL_XMJBXXB.csv", BAD_CODE)
    write("in/SPGL_XMBQXXB.csv", GOOD)
    _, out, _ = call(capsys, "validate", "in", "--format", "json", "--tables", "SPGL_XMBQXXB")
    report = json.loads(out)
    assert list(report["tables"]) == ["data-sharing-3.0/SPGL_XMBQXXB"]
    assert {v["table"] for v in report["violations"]} <= {"SPGL_XMBQXXB"}


def test_conforming_records_are_written(capsys: pytest.CaptureFixture[str]) -> None:
    write("in/SPGL_XMBQXXB.csv", GOOD)
    call(capsys, "validate", "in", "--partial", "--conforming", "out")
    (line,) = Path("out/SPGL_XMBQXXB.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["BQX"] == "00101"
    assert not list(Path("out").glob("*.part"))


def test_known_keys_satisfy_references(capsys: pytest.CaptureFixture[str]) -> None:
    case = "DFSJZJ,XZQHDM,GCDM,SPSXSLBM\na,990100,P1,C1\n"
    write("in/SPGL_XMSPSXBLXXB.csv", case)
    _, without, _ = call(capsys, "validate", "in", "--format", "jsonl")
    write("known/SPGL_XMJBXXB.csv", "GCDM\nP1\n")
    _, given, _ = call(capsys, "validate", "in", "--format", "jsonl", "--known-keys", "known")

    def dangling(text: str) -> set[str]:
        found = [json.loads(line) for line in text.splitlines()]
        return {v["fields"][0] for v in found if v["rule"] == "dangling-reference"}

    assert "GCDM" in dangling(without)
    assert "GCDM" not in dangling(given)


def test_explain_and_packs_speak_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    _, english, _ = call(capsys, "explain", "SPGL_XMJBXXB.XMDM", "--lang", "en")
    _, chinese, _ = call(capsys, "explain", "SPGL_XMJBXXB.XMDM", "--lang", "zh")
    assert "项目代码" in chinese
    assert "Project code" in english
    _, listed, _ = call(capsys, "packs", "list", "--lang", "en")
    assert "Reconstructed from public source code, not the official text" in listed


def test_a_traceback_needs_v(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Traceback" in call(capsys, "validate", "x", "--standard", "none", "-v")[2]
