"""A wide table of any length: construction permits in 45 columns, one row in a hundred defective.

Rows are made in numpy, a block at a time, from the row number alone (no random state between
blocks), so a million take seconds and every run writes the same bytes. One row in `every` (100) is
defective, the first of them is row 57 of a hundred; the kinds take turns. Where every row is, none
repeats the key of another. The table is synthetic: no real person, company or project.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import polars as pl

TABLE = "SPGL_JZGCSGXKXXB"
PROJECTS = 1000
BLOCK = 100_000

Ints = npt.NDArray[np.int64]
Texts = npt.NDArray[np.str_]

_CREDIT = np.array(list("0123456789ABCDEFGHJKLMNPQRTUWXY"))
_CREDIT_WEIGHTS = np.array([pow(3, i, 31) for i in range(17)])
_SUBJECT_WEIGHTS = np.array([3, 7, 9, 10, 5, 8, 4, 2])
_CITIZEN_WEIGHTS = np.array([7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2])
_PAIRS = np.array(
    [a + b for a, b in zip("甲乙丙丁戊己庚辛壬癸" * 6, "子丑寅卯辰巳午未申酉戌亥" * 5, strict=True)]
)


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of defect: the rule that must find it, the fields it names, and the bad cell.

    `bad` is the bad value; None stands for a key taken from the row before.
    """

    rule: str
    fields: tuple[str, ...]
    column: str
    bad: str | None


#: `{}` in a bad value is the good one.
KINDS: tuple[Kind, ...] = (
    Kind("blank-key", ("XZQHDM", "GCDM", "SPSXSLBM"), "GCDM", ""),
    Kind("wrong-type", ("FZRQ",), "FZRQ", "2024-13-01"),
    Kind("wrong-type", ("HTJG",), "HTJG", "12,345.60"),
    Kind("wrong-type", ("JSXZ",), "JSXZ", "一"),
    Kind("code-not-in-list", ("JSDWLX",), "JSDWLX", "3"),
    Kind("wrong-format", ("FZJGTYSHXYDM",), "FZJGTYSHXYDM", "11990100"),
    Kind("wrong-check-digit", ("JSDWDM",), "JSDWDM", "919901000000000000"),
    Kind("wrong-check-digit", ("JSFZRZJHM",), "JSFZRZJHM", "990102198001010000"),
    Kind("wrong-format", ("XMJWDZB",), "XMJWDZB", "123.6，33.8"),
    Kind("wrong-format", ("XZQHDM",), "XZQHDM", "9901"),
    Kind("dangling-reference", ("GCDM",), "GCDM", "X{}"),
    Kind("dangling-reference", ("SPSXSLBM",), "SPSXSLBM", "X{}"),
    Kind("duplicate-key", ("XZQHDM", "GCDM", "SPSXSLBM"), "", None),
)


def kinds(every: int) -> tuple[Kind, ...]:
    """The kinds of defects that take turns."""
    return KINDS if every > 1 else tuple(kind for kind in KINDS if kind.bad is not None)


def truth(rows: int, every: int = 100) -> Iterator[tuple[int, str, tuple[str, ...]]]:
    """Every defect of a table of this length, in order: 1-based record, rule, fields."""
    of = kinds(every)
    for i in range(57 % every, rows, every):
        kind = of[i // every % len(of)]
        yield i + 1, kind.rule, kind.fields


def write_table(rows: int, out: Path, form: str = "csv", every: int = 100) -> Path:
    """Write `out/TABLE.csv`, `.jsonl`, `.parquet`, `.xml` or `.xlsx` of this length; returns its
    path. XML has an element a line, empty ones for nulls; a workbook holds texts."""
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{TABLE}.{form}"
    if form == "parquet":
        texts = write_table(rows, out, "csv", every)
        pl.scan_csv(texts, infer_schema=False).sink_parquet(path)
        texts.unlink()
        return path
    if form == "xlsx":
        _write_workbook(path, rows, every)
        return path
    with path.open("wb") as file:
        for first, frame in enumerate(blocks(rows, every)):
            if form == "csv":
                frame.write_csv(file, include_header=not first)
            elif form == "xml":
                file.write(b"" if first else f"<{TABLE}>\n".encode())
                file.write("".join(_elements(frame)).encode())
            else:
                frame.write_ndjson(file)
        if form == "xml":
            file.write(f"</{TABLE}>\n".encode())
    return path


def _elements(frame: pl.DataFrame) -> pl.Series:
    """The XML of each record."""
    fields = [
        pl.format(
            f"<{name}>{{}}</{name}>\n",
            pl.col(name).str.replace_many({"&": "&amp;", "<": "&lt;", ">": "&gt;"}),
        ).fill_null(f"<{name}/>\n")
        for name in frame.columns
    ]
    record = pl.concat_str([pl.lit("<record>\n"), *fields, pl.lit("</record>\n")])
    return frame.select(record.alias("record"))["record"]


def _write_workbook(path: Path, rows: int, every: int) -> None:
    import xlsxwriter

    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet, at = book.add_worksheet(TABLE), 1
        for frame in blocks(rows, every):
            sheet.write_row(0, 0, frame.columns) if at == 1 else None
            for row in frame.iter_rows():
                for column, text in enumerate(row):
                    if text is not None:
                        sheet.write_string(at, column, text)
                at += 1


def columns() -> list[str]:
    """The names of the columns."""
    return list(_healthy(np.arange(1)))


def blocks(rows: int, every: int = 100) -> Iterator[pl.DataFrame]:
    """The table in blocks of text columns."""
    for start in range(0, rows, BLOCK):
        yield _planted(np.arange(start, min(rows, start + BLOCK)), every)


def _planted(i: Ints, every: int) -> pl.DataFrame:
    columns = _healthy(i)
    of = kinds(every)
    turn = np.where(i % every == 57 % every, i // every % len(of), -1)
    for n, kind in enumerate(of):
        at = np.flatnonzero(turn == n)
        if kind.bad is None:
            for name in ("GCDM", "SPSXSLBM"):
                columns[name][at] = columns[name][at - 1]
        else:
            columns[kind.column] = columns[kind.column].astype(object)
            good = columns[kind.column][at]
            columns[kind.column][at] = [kind.bad.replace("{}", str(v)) or None for v in good]
    return pl.DataFrame(
        {name: pl.Series(values.tolist(), dtype=pl.String) for name, values in columns.items()}
    )


def project_code(p: Ints) -> Texts:
    return _join("2401-990102-04-02-", _digits(p, 6))


def case_code(c: Ints) -> Texts:
    return _join("YC2024", _digits(c, 9))


def _healthy(i: Ints) -> dict[str, npt.NDArray[np.object_]]:
    """Good values of the rows, in the column order of the export."""
    builder, lead, office = i % 20_011, i % 40_009, i % 50
    area = i % 90_000 + 500
    name, day = _PAIRS[builder % 60], _dates(i % 700)
    texts = {
        "DFSJZJ": _join("0190-", _digits(i, 16)),
        "XZQHDM": _same("990100", i),
        "GCDM": project_code(i % PROJECTS),
        "SPSXSLBM": case_code(i // PROJECTS),
        "YDGHXKZBH": _join("地字第9901", _digits(i % 70_000, 8)),
        "GCGHXKZBH": _join("建字第9901", _digits(i % 80_000, 8)),
        "ZBTZSBH": _join("YCZB", _digits(i, 10)),
        "SCHGSBH": _join("ST", _digits(i, 9)),
        "SGXKZBH": _join("9901022401", _digits(i, 8)),
        "JSXZ": (i % 5 + 1).astype(str),
        "FZJG": _join("样川市第", _join(_digits(office, 2), "住房和城乡建设局")),
        "FZJGTYSHXYDM": credit_codes("11", office),
        "FZRQ": day,
        "GLSD": _same("东样区", i),
        "JSDW": _join(_join("样川", name), _join(_digits(builder, 5), "置业有限公司")),
        "JSDWDM": credit_codes("91", builder),
        "JSDWLX": _same("1", i),
        "JSDWXMFZR": _join("样", _PAIRS[lead % 60]),
        "JSFZRZJHM": citizen_numbers(lead),
        "JSFZRZJLX": _same("1", i),
        "JSFZRLXDH": _join("100", _digits(lead, 8)),
        "GCMC": _join(_join("样川市", name), _join(_digits(i, 7), "号地块住宅项目")),
        "JSDZ": _join(_join("样川市东样区", name), _join(_digits(i % 1000, 3), "号路")),
        "SSQX": _same("东样区", i),
        "XMJWDZB": _join(
            _join("123.", _digits(i % 9_000, 4)), _join(",33.", _digits(i % 8_000, 4))
        ),
        "JSGM": _join(_join("总建筑面积", area.astype(str)), "平方米，地上18层地下1层"),
        "JHKGRQ": day,
        "JHJGRQ": _dates(i % 700 + 500),
        "HTJG": _join((i % 60_000 + 1000).astype(str), ".50"),
        "ZJZMJ": area.astype(str),
        "DSJZMJ": (area - 200).astype(str),
        "DXJZMJ": _same("200", i),
        "RFMJ": _same("100.00", i),
        "ZZBZ": _same("无", i),
        "FJBZ": _same("", i),
        "LXR": _join("样", _PAIRS[lead % 60]),
        "LXDH": _join("100", _digits(lead, 8)),
        "LSH": _same("", i),
        "SJYXBS": _same("1", i),
        "SJWXYY": _same("", i),
        "SJSCZT": _same("0", i),
        "SBYY": _same("", i),
        "ROWGUID": _join("guid-", _digits(i, 16)),
        "SYNC": _same("0", i),
        "OPERATEDATE": _same("2025-09-19 19:30:00", i),
    }
    return {name: _nulled(values) for name, values in texts.items()}


def _nulled(values: Texts) -> npt.NDArray[np.object_]:
    made = values.astype(object)
    made[values == ""] = None
    return made


def credit_codes(kind: str, serial: Ints) -> Texts:
    """GB 32100 codes of artificial serials: kind, division 990100, eight digits, two checks."""
    subject = _digit_matrix(serial, 8)
    rest = 11 - subject @ _SUBJECT_WEIGHTS % 11
    inner = np.where(rest == 10, 28, rest % 11)
    head = np.tile([int(c) for c in kind + "990100"], (len(serial), 1))
    body = np.hstack([head, subject, inner[:, None]])
    check = -(body @ _CREDIT_WEIGHTS) % 31
    return _rows(_CREDIT[np.hstack([body, check[:, None]])])


def citizen_numbers(serial: Ints) -> Texts:
    """GB 11643 numbers in an unassigned division."""
    year, month, day = 1970 + serial % 25, 1 + serial % 12, 1 + serial % 28
    head = np.tile([9, 9, 0, 1, 0, 2], (len(serial), 1))
    parts = [_digit_matrix(v, w) for v, w in ((year, 4), (month, 2), (day, 2), (serial % 1000, 3))]
    body = np.hstack([head, *parts])
    check = np.array(list("10X98765432"))[body @ _CITIZEN_WEIGHTS % 11]
    return _rows(np.hstack([body.astype("U1"), check[:, None]]))


def _digit_matrix(values: Ints, width: int) -> Ints:
    return values[:, None] // 10 ** np.arange(width - 1, -1, -1) % 10


def _digits(values: Ints, width: int) -> Texts:
    return _rows(_digit_matrix(values, width).astype("U1"))


def _rows(cells: Texts) -> Texts:
    """One text per row of single characters."""
    whole = np.ascontiguousarray(cells)
    return whole.view(f"U{whole.shape[1]}").ravel()


def _dates(days: Ints) -> Texts:
    return (np.datetime64("2023-01-01") + days).astype(str)


def _same(text: str, like: Ints) -> Texts:
    return np.full(len(like), text)


def _join(left: str | Texts, right: str | Texts) -> Texts:
    return np.strings.add(left, right)
