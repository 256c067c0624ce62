"""--normalise: columns against a slow reading cell by cell, and the way through both passes."""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spgl.cli import main
from validator.formats import FORMATS
from validator.lexical import BLANK, matches
from validator.load import load_packs
from validator.normalise import EDGES, NULLS, normalised, repairs_of
from validator.pack import Field, Kind, Packs, Table
from validator.records import Batch

PACKS: Packs = load_packs(["data-sharing-3.0", "fire-inspection-1.0"])
PROJECTS: Table = PACKS.named("SPGL_XMJBXXB")[0]
COMPACT = {"division-code", "credit-code", "citizen-number", "project-code", "mobile-number",
           "item-code", "industry-code", "coordinates"}  # fmt: skip
CAPITALS = {"credit-code", "citizen-number", "project-code", "industry-code"}


def batch(cells: dict[str, list[str | None]], native: dict[str, list[bool]] | None = None) -> Batch:
    frame = pl.DataFrame(cells, schema=dict.fromkeys(cells, pl.String))
    marks = {n: pl.Series(n, flags) for n, flags in (native or {}).items()}
    return Batch(frame, np.arange(1, frame.height + 1), None, marks)


def one(name: str, text: str | None, **others: str) -> str | None:
    cells: dict[str, list[str | None]] = {name: [text], **{n: [v] for n, v in others.items()}}
    found = normalised(repairs_of(PACKS, PROJECTS), batch(cells)).frame[name].to_list()
    assert len(found) == 1
    return str(found[0]) if found[0] is not None else None


# The slow reading: one cell, plain Python, written without looking at the columns.


def conforms(field: Field, text: str, cells: dict[str, str]) -> bool | None:
    """None for free text."""
    tests: list[bool] = []
    if field.kind is not Kind.TEXT:
        tests.append(matches(field.kind, text))
    codes = listed(field)
    closed = field.codes is not None and PACKS.code_list(PROJECTS, field.codes.list).closed
    if codes and (closed or (field.kind is Kind.TEXT and not field.formats)):
        tests.append(text in codes)
    for of in field.formats:
        if of.when is None or cells.get(of.when.field) in of.when.values:
            tests.append(FORMATS[of.name].matches(text))
        else:
            tests.append(True)
    return all(tests) if tests else None


def listed(field: Field) -> dict[str, str]:
    if field.codes is None:
        return {}
    return {c.code: c.title.zh for c in PACKS.code_list(PROJECTS, field.codes.list).codes}


def narrow(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", c) if "！" <= c <= "～" else c for c in text)


def dates(text: str) -> list[str]:
    found = re.fullmatch(
        r"(\d{4})(?:( *年 *)(\d{1,2}) *月 *(\d{1,2}) *日 *|([/.-])(\d{1,2})\5(\d{1,2})"
        r"|(\d\d)(\d\d))"
        r"(?:[ T]*(\d{1,2}):(\d{1,2})(?::(\d{1,2}))?|(\d\d)(\d\d)(\d\d))?",
        text, re.ASCII,
    )  # fmt: skip
    if not found:
        return []
    g = found.groups()
    month, day = g[2] or g[5] or g[7], g[3] or g[6] or g[8]
    clock = [p for p in (g[9:12] if g[9] else g[12:15]) if p]
    moment = f" {':'.join(p.zfill(2) for p in [*clock, '00', '00'][:3])}" if clock else ""
    return [f"{g[0]}-{month.zfill(2)}-{day.zfill(2)}{moment}"]


def slow(field: Field, text: str, cells: dict[str, str]) -> str | None:
    good = conforms(field, text, cells)
    if not text.strip(BLANK) or good:
        return text
    bare = text.strip(EDGES)
    if bare in NULLS or not bare:
        return None
    if good is None:
        return bare
    names = {of.name for of in field.formats}
    spaces = re.sub("[\u200b\u200c\u200d\u2060\ufeff]", "", bare)
    if names & COMPACT:
        spaces = "".join(c for c in spaces if c not in EDGES)
    width = narrow(spaces).replace("\u3000", " ").strip(EDGES)
    tried = [spaces, width]
    if names & CAPITALS:
        tried.append(width.upper())
    if field.kind in (Kind.DATE, Kind.DATETIME):
        tried += dates(width)
    label = "".join(c for c in width if c not in EDGES)
    titled = [c for c, t in listed(field).items()
              if t and "".join(x for x in narrow(t) if x not in EDGES) == label]  # fmt: skip
    tried += titled if len(titled) == 1 else []
    return next((t for t in tried if conforms(field, t, cells)), text)


SINGLE = [f for f in PROJECTS.fields if f.separator is None and f.document is None]
CELLS = st.one_of(
    st.sampled_from([
        "１", " 1", "1\u3000", "\u200b1", "\\N", "NULL", "null", "Null", "\u200b", " ", "是",
        "新 建",
        "2024/1/5", "2024.1.5", "2024年1月5日", "20240105", "2024-1-5", "01/02/2024", "2024/2/30",
        "2024/1/5 9:05", "20240105103000", "2024-01-05 10:30:00", "2024-01-05T10:30:00", "1,200",
        "２０２４／０１／０５", "2024年1月5日 9:05", "91440101ma5a0001x1", "11010119900307123x",
        "3708 00", "３７０８００", "2401-441802-04-01-10012６", " a b ", "a47", "Ａ４７",
        "1 2", "1.0",
        "116.3, 39.9", "-１．５", "2024/1/5 09:05:07", "2024.1.5.6", "1/2", "20240105 1:2",
    ]),
    st.text("01234.-/年月日:ＸxＡa １２\u200b\u3000T，,", max_size=12),
)  # fmt: skip


@settings(deadline=None, max_examples=150)
@given(st.lists(CELLS, min_size=1, max_size=30), st.sampled_from(["1", "2", "3"]))
def test_columns_say_what_the_slow_reading_says(texts: list[str], builder: str) -> None:
    repairs = repairs_of(PACKS, PROJECTS)
    rows = len(texts)
    cells: dict[str, list[str | None]] = {f.name: list(texts) for f in SINGLE}
    cells["JSDWLX"] = [builder] * rows
    before = batch(cells)
    after = normalised(repairs, before)
    for field in SINGLE:
        if field.name == "JSDWLX":
            continue
        expected = [slow(field, t, {"JSDWLX": builder}) for t in texts]
        assert after.frame[field.name].to_list() == expected, field.name
        told = after.changed.get(field.name)
        changed = [i for i, (a, b) in enumerate(zip(texts, expected, strict=True)) if a != b]
        assert (told.rows.tolist() if told else []) == changed
        assert (told.before.to_list() if told else []) == [texts[i] for i in changed]
    again = normalised(repairs, Batch(after.frame, after.ordinals, None))
    assert not again.changed, "normalising twice changes nothing"
    assert again.frame.equals(after.frame)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("XZQHDM", "３７０８００", "370800"),
        ("NKGSJ", "2024年1月5日", "2024-01-05"),
        ("NKGSJ", "01/02/2024", "01/02/2024"),
        ("NKGSJ", "2024/2/30", "2024/2/30"),
        ("NKGSJ", "2024/1/5 10:30", "2024/1/5 10:30"),
        ("SBSJ", "2024/1/5 10:30", "2024-01-05 10:30:00"),
        ("SBSJ", "2024-02-29 10时5分", "2024-02-29 10:05:00"),
        ("TDSFDSJFA", "是", "1"),
        ("XMMC", " 甲 乙 ", "甲 乙"),
        ("XMMC", "ＡＢ", "ＡＢ"),
        ("GCDM", "NULL", None),
        ("QJDGCDM", " G1,G2 ", "G1,G2"),
        ("ZTZE", "1,200", "1,200"),
        ("ZTZE", "1 200", "1 200"),
    ],
)
def test_what_is_safe_is_put_right_and_nothing_else(
    name: str, text: str, expected: str | None
) -> None:
    assert one(name, text) == expected


def test_a_condition_reads_the_value_put_right() -> None:
    lower = "91440101ma5a0001x1"
    assert one("JSDWDM", lower, JSDWLX="自然人") == lower
    lower = "11010119900307123x"
    assert one("JSDWDM", lower, JSDWLX="自然人") == lower.upper()
    assert one("JSDWDM", lower, JSDWLX="9") == lower


def test_every_part_of_a_list_is_put_right_or_none() -> None:
    for table in PACKS.tables():
        for field in table.fields:
            codes = [] if field.codes is None else PACKS.code_list(table, field.codes.list).codes
            closed = field.codes and PACKS.code_list(table, field.codes.list).closed
            if not (field.separator and closed and len(codes) > 1):
                continue
            first, second = codes[0].code, codes[1].code
            wide = f" {first}{chr(ord(field.separator) + 0xFEE0)}{second} "
            cells: dict[str, list[str | None]] = {field.name: [wide, f"{first},?{wide}"]}
            found = normalised(repairs_of(PACKS, table), batch(cells)).frame[field.name]
            if field.kind is Kind.TEXT:
                assert found.to_list() == [
                    f"{first}{field.separator}{second}",
                    cells[field.name][1],
                ]
                return
    pytest.fail("no pack has a list with a separator")


def test_a_title_of_two_codes_is_left() -> None:
    for table in PACKS.tables():
        for field in table.fields:
            if field.codes is None or field.separator:
                continue
            titles = [c.title.zh for c in PACKS.code_list(table, field.codes.list).codes]
            twice = next((t for t in titles if t and titles.count(t) > 1), None)
            if twice is not None:
                found = normalised(repairs_of(PACKS, table), batch({field.name: [twice]}))
                assert found.frame[field.name].item() == twice
                return
    pytest.skip("every title of the packs stands for one code")


def test_native_numbers_are_left_but_for_days() -> None:
    cells: dict[str, list[str | None]] = {
        "NKGSJ": ["20240105", "45000"], "XMDM": ["12345", None], "ZTZE": ["1e3", "12"]
    }  # fmt: skip
    native = {"NKGSJ": [True, True], "XMDM": [True, False], "ZTZE": [True, True]}
    found = normalised(repairs_of(PACKS, PROJECTS), batch(cells, native))
    assert found.frame["NKGSJ"].to_list() == ["2024-01-05", "45000"]
    assert found.native["NKGSJ"].to_list() == [False, True]
    assert found.frame["ZTZE"].to_list() == ["1e3", "12"]
    assert set(found.changed) == {"NKGSJ"}


def test_a_clean_batch_is_handed_on_as_it_is() -> None:
    clean = batch({"XZQHDM": ["370800"], "NKGSJ": ["2024-01-05"], "XMMC": ["甲"], "ZTZE": [None]})
    assert normalised(repairs_of(PACKS, PROJECTS), clean) is clean


ROW = {
    "XZQHDM": "３７０８００", "XMDM": "2401-441802-04-01-100126", "GCDM": "G1 ",
    "NKGSJ": "2024/1/5",
    "JSDW": "某公司", "JSDWDM": "11010119900307123x", "JSDWLX": "2",
}  # fmt: skip


def written(folder: Path, form: str) -> Path:
    path = folder / f"SPGL_XMJBXXB.{form}"
    if form == "csv":
        path.write_text(",".join(ROW) + "\n" + ",".join(ROW.values()) + "\n", "utf-8")
    elif form == "xml":
        cells = "".join(f"<{n}>{v}</{n}>" for n, v in ROW.items())
        path.write_text(f"<SPGL_XMJBXXB><r>{cells}</r></SPGL_XMJBXXB>", "utf-8")
    elif form == "parquet":
        pl.DataFrame([ROW]).write_parquet(path)
    elif form == "xlsx":
        pl.DataFrame([ROW]).write_excel(path, worksheet="SPGL_XMJBXXB")
    else:
        row: dict[str, object] = {**ROW, "NKGSJ": 20240105}
        path.write_text(json.dumps(row, ensure_ascii=False) + "\n", "utf-8")
    return path


@pytest.mark.parametrize("form", ["csv", "jsonl", "json", "xml", "xlsx", "parquet"])
def test_both_passes_make_the_same_changes(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = written(tmp_path, form), tmp_path / "out"
    options = ["--partial", "--no-store", "--format", "jsonl", "--fail-on", "never"]
    state = ["--state-dir", str(tmp_path / "state")]
    assert main(["validate", str(path), "--normalise", *options, *state]) == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    changes = {v["fields"][0]: v for v in told if v["rule"] == "value-normalised"}
    for change in changes.values():
        del change["fingerprint"]  # may hold any digits
    assert set(changes) == {"XZQHDM", "NKGSJ", "JSDWDM", "GCDM"}
    assert {v["severity"] for v in changes.values()} == {"info"}
    assert "3070" not in str(changes["JSDWDM"]), "a personal number is masked"
    assert "“2024-01-05”" in changes["NKGSJ"]["message"]["zh"]
    assert "1990" not in json.dumps(changes, ensure_ascii=False)
    # Whatever holds the record is let pass, so that the second pass writes it.
    held = {v["rule"] for v in told if v["severity"] == "error"}
    config = tmp_path / "spgl.toml"
    config.write_text(f"[gate]\npass = {sorted(held)}\n", "utf-8")
    main(
        ["validate", str(path), "--normalise", *options, *state, "--config", str(config),
         "--conforming", str(out)]
    )  # fmt: skip
    content = json.loads((out / "SPGL_XMJBXXB.jsonl").read_text("utf-8"))
    assert content["XZQHDM"] == "370800"
    assert content["NKGSJ"] == "2024-01-05"
    assert content["GCDM"] == "G1"
    assert content["JSDWDM"] == "11010119900307123X"


def test_without_the_option_the_help_names_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = written(tmp_path, "csv")
    main(["validate", str(path), "--partial", "--no-store", "--format", "jsonl"])
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    rules = {v["rule"]: v for v in told}
    assert "value-normalised" not in rules
    for name in ("wrong-type", "wrong-format"):
        assert "--normalise" in rules[name]["help"]["zh"]
        assert "--normalise" in rules[name]["help"]["en"]
