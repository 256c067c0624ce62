"""Loading packs: lookup, used packs, and per fault one `PackError` with file, line and remedy."""

from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from validator.load import DEFAULT_PACKS, _find, load_packs, shipped_packs
from validator.load_files import STAMP, locate
from validator.load_parsed import PARSED
from validator.pack import PackError, Provenance

HEAD = """\
name = "toy-1.0"
version = "1.0"
title = "样例标准"
title_en = "Toy standard"
basis = "reconstructed"

[stages.toy]
title = "样例"
title_en = "Toy"
tables = ["CHILD"]

[codes]
colour = { title = "颜色", title_en = "Colour", provenance = "deployed", pattern = "[0-9]{2}" }
"""
PARENT = """\
title = "父表"
title_en = "Parent"
order = 1
provenance = "deployed"
key = { fields = ["ID"], provenance = "deployed" }

[fields]
ID     = { title = "编码", title_en = "Code", required = { attests = "refusal" } }
COLOUR = { title = "颜色", title_en = "Colour", codes = "colour" }
"""
CHILD = """\
title = "子表"
title_en = "Child"
order = 2
provenance = "earlier"
key = { fields = ["ID", "NO"], provenance = "inferred" }
references = [
  { fields = ["ID"], table = "PARENT", provenance = "deployed" },
]

[[rules]]
rule = "start-not-before-end"
provenance = "earlier"
params = { start = "BEGIN", end = "END" }

[fields]
ID    = { title = "编码", title_en = "Code" }
NO    = { title = "序号", title_en = "Number", kind = "integer" }
CREDIT = { title = "码", title_en = "Id", format = { name = "credit-code", when = { NO = "1" } } }
BEGIN = { title = "开始", title_en = "Begin", kind = "date" }
END   = { title = "结束", title_en = "End", kind = "date" }
"""
COLOURS = (
    "code,title,title_en,parent,since,until,provenance\n01,红,Red,,,,\n02,蓝,Blue,01,,,earlier\n"
)
FILES = {
    "pack.toml": HEAD,
    "tables/PARENT.toml": PARENT,
    "tables/CHILD.toml": CHILD,
    "codes/colour.csv": COLOURS,
}


def write_pack(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8-sig" if name.endswith(".csv") else "utf-8")
    return folder


def test_a_pack_of_ones_own_loads_with_its_defaults(tmp_path: Path) -> None:
    packs = load_packs([write_pack(tmp_path / "toy", FILES)])
    child = packs.table("toy-1.0/CHILD")
    assert child.references[0].table == "toy-1.0/PARENT"
    assert child.references[0].target_fields == ("ID",)
    assert child.stage == "toy"
    assert packs.table("toy-1.0/PARENT").stage is None
    assert child.by_name["BEGIN"].provenance is Provenance.EARLIER
    use = child.by_name["CREDIT"].formats[0]
    assert use.when is not None
    assert (use.when.field, use.when.values) == ("NO", ("1",))
    colour = packs.table("toy-1.0/PARENT").by_name["COLOUR"].codes
    assert colour is not None
    assert colour.provenance is Provenance.DEPLOYED
    codes = packs.code_list(child, "colour").by_code
    assert [c.provenance for c in codes.values()] == [Provenance.DEPLOYED, Provenance.EARLIER]


#: File, old text, new text, line of the fault, words of the message, remedy
FAULTS = [
    ("pack.toml", "basis =", "bais =", 5, "'bais'", "use basis"),
    ("pack.toml", 'version = "1.0"\n', "", 1, "'version'", "add version"),
    ("pack.toml", '"reconstructed"', '"guessed"', 5, "'guessed'", "reconstructed"),
    ("pack.toml", 'tables = ["CHILD"]', 'tables = ["CHLID"]', 10, "'CHLID'", "use CHILD"),
    ("pack.toml", "colour =", "color  =", 13, "no file codes/color.csv", "header alone"),
    ("pack.toml", "version =", "version ==", 2, "no valid TOML", "correct this line"),
    ("tables/PARENT.toml", "attests", "atests", 8, "'atests'", "use attests"),
    ("tables/PARENT.toml", '"refusal"', '"refused"', 8, "'refused'", "use refusal"),
    ("tables/PARENT.toml", '"colour"', '"color"', 9, "code list 'color'", "use colour"),
    ("tables/PARENT.toml", 'title = "颜色"', "title = 3", 9, "title is 3", "string"),
    ("tables/PARENT.toml", "COLOUR =", "ID     =", 9, "ID stands twice", "keep one"),
    ("tables/PARENT.toml", "COLOUR =", "colour =", 9, "'colour' has a wrong form", "[A-Z]"),
    ("tables/CHILD.toml", '["ID", "NO"]', '["ID", "NR"]', 5, "no field 'NR'", "use NO"),
    ("tables/CHILD.toml", '"PARENT"', '"PARENTS"', 7, "table 'PARENTS'", "use PARENT"),
    ("tables/CHILD.toml", '["ID"], table', '["IDD"], table', 7, "no field 'IDD'", "use ID"),
    (
        "tables/CHILD.toml",
        'table = "PARENT"',
        'table = "PARENT", target_fields = ["XYZ"]',
        7,
        "PARENT has no field 'XYZ'",
        "use one of COLOUR, ID",
    ),
    (
        "tables/CHILD.toml",
        'table = "PARENT"',
        'table = "PARENT", target_fields = ["ID", "COLOUR"]',
        7,
        "1 fields point to 2",
        "as many",
    ),
    ("tables/CHILD.toml", '"credit-code"', '"credit"', 18, "format 'credit'", "use credit-code"),
    ("tables/CHILD.toml", "{ NO =", "{ NUM =", 18, "no field 'NUM'", "use"),
    ("tables/CHILD.toml", '"date" }\nEND', '"day" }\nEND', 19, "'day'", "use date"),
    (
        "tables/CHILD.toml",
        '"Begin", kind = "date"',
        '"Begin", kind = "date", separator = ","',
        19,
        "BEGIN is of kind date",
        "use kind text",
    ),
    ("tables/CHILD.toml", '"start-not-before-end"', '"start-after-end"', 11, "rule", "use"),
    ("tables/CHILD.toml", '"start-not-before-end"', '"too-long"', 11, "no explicit use", "field"),
    ("tables/CHILD.toml", '"BEGIN", end', '"BEGINN", end', 13, "no field 'BEGINN'", "use BEGIN"),
    ("tables/CHILD.toml", "start = ", "begin = ", 13, "'begin'", "use end"),
    ("codes/colour.csv", "01,红", "1,红", 2, "'1' does not match [0-9]{2}", "leading zeros"),
    ("codes/colour.csv", "02,蓝", "01,蓝", 3, "'01' stands twice", "keep one"),
    ("codes/colour.csv", "Blue,01", "Blue,07", 3, "parent '07'", "add the parent"),
    ("codes/colour.csv", "Blue,01,,,", "Blue,01,,", 3, "6 cells under 7 columns", "quote"),
    ("codes/colour.csv", "code,title", "kode,title", 1, "header", "use code,title"),
    ("codes/colour.csv", ",,,earlier", ",,,elsewhere", 3, "'elsewhere'", "earlier"),
    ("codes/colour.csv", "红", '"红', 2, "no valid CSV", "quotes"),
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_one_clear_line(
    tmp_path: Path, fault: tuple[str, str, str, int, str, str]
) -> None:
    file, old, new, line, what, remedy = fault
    assert old in FILES[file]
    folder = write_pack(tmp_path / "toy", FILES | {file: FILES[file].replace(old, new, 1)})
    with pytest.raises(PackError) as caught:
        load_packs([folder])
    message = str(caught.value)
    place, _, text = message.partition(f"{folder.as_posix()}/{file}:{line}: ")
    assert place == "", message
    assert "\n" not in message
    said, _, advice = text.rpartition("; ")
    assert what in said, message
    assert remedy in advice, message


def test_fields_of_a_rule_over_tables_are_those_of_the_table_it_names(tmp_path: Path) -> None:
    rule = """
[[rules]]
rule = "completed-case-without-business-row"
provenance = "deployed"
params = { table = "CHILD", items = ["0120001"], match = ["IDD"] }
"""
    folder = write_pack(tmp_path / "toy", FILES | {"pack.toml": HEAD + rule})
    with pytest.raises(PackError, match=r"toml:18: .*CHILD has no field 'IDD'; use ID$"):
        load_packs([folder])
    wrong = rule.replace('"CHILD"', '"CHILDS"')
    write_pack(folder, {"pack.toml": HEAD + wrong})
    with pytest.raises(PackError, match=r"toml:18: .*unknown table 'CHILDS'; use CHILD$"):
        load_packs([folder])


def test_bytes_that_are_not_utf8_are_named_by_line(tmp_path: Path) -> None:
    folder = write_pack(tmp_path / "toy", FILES)
    (folder / "codes/colour.csv").write_bytes(COLOURS.encode("gb18030"))
    with pytest.raises(PackError, match=r"colour\.csv:2: bytes that are not UTF-8; .*with BOM"):
        load_packs([folder])


def test_a_code_file_without_a_list_is_a_fault(tmp_path: Path) -> None:
    folder = write_pack(tmp_path / "toy", FILES | {"codes/shape.csv": COLOURS})
    with pytest.raises(PackError, match=r"codes/shape\.csv:1: no code list 'shape' in pack\.toml"):
        load_packs([folder])


def test_unknown_packs_and_folders_without_pack_are_named(tmp_path: Path) -> None:
    with pytest.raises(PackError, match=r"no such pack; use data-sharing-3\.0"):
        load_packs(["data-sharing-3"])
    with pytest.raises(PackError, match=r"no pack\.toml here"):
        load_packs([tmp_path])


def test_used_packs_come_first_and_by_themselves(tmp_path: Path) -> None:
    assert [p.name for p in load_packs(["fire-inspection-1.0"])] == list(DEFAULT_PACKS)
    own = FILES | {"pack.toml": HEAD.replace("[stages", 'uses = ["data-sharing-3.0"]\n[stages', 1)}
    own["tables/CHILD.toml"] = CHILD.replace('"PARENT"', '"SPGL_XMJBXXB"').replace(
        'provenance = "deployed" },', 'target_fields = ["GCDM"], provenance = "deployed" },'
    )
    packs = load_packs([write_pack(tmp_path / "toy", own)])
    assert [p.name for p in packs] == ["data-sharing-3.0", "toy-1.0"]
    reference = packs.table("toy-1.0/CHILD").references[0]
    assert reference.table == "data-sharing-3.0/SPGL_XMJBXXB"


def test_packs_that_use_each_other_are_a_fault(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    uses = 'basis = "reconstructed"\nuses = ["{}"]'
    write_pack(
        one, FILES | {"pack.toml": HEAD.replace('basis = "reconstructed"', uses.format("b"))}
    )
    head = HEAD.replace("toy-1.0", "b").replace('basis = "reconstructed"', uses.format("toy-1.0"))
    write_pack(two, FILES | {"pack.toml": head})
    with pytest.raises(PackError, match=r"use each other: toy-1\.0 → b → toy-1\.0"):
        load_packs([one, two])


def test_the_same_pack_from_two_places_is_a_fault(tmp_path: Path) -> None:
    one, two = write_pack(tmp_path / "one", FILES), write_pack(tmp_path / "two", FILES)
    with pytest.raises(PackError, match="given twice"):
        load_packs([one, two])
    assert len(load_packs([one, one]).packs) == 1


def test_shipped_packs_pass_the_full_check() -> None:
    assert load_packs(recheck=True) == load_packs()


def test_stamps_are_current_so_that_loads_are_quick() -> None:
    stale = [name for name in shipped_packs() if not _find(name).checked]
    assert stale == [], "run `make docs`"


def test_an_edited_pack_loses_its_stamp_and_is_checked_again(tmp_path: Path) -> None:
    source = Path(__file__).parents[1] / "standards/data-sharing-3.0"
    folder = tmp_path / "copy"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("schemas"))
    assert load_packs([folder]).packs[0].name == "data-sharing-3.0"
    table = folder / "tables/SPGL_XMJBXXB.toml"
    table.write_text(table.read_text("utf-8").replace("kind =", "knd =", 1), encoding="utf-8")
    with pytest.raises(PackError, match="'knd'"):
        load_packs([folder])


def test_line_ends_of_a_checkout_do_not_break_the_stamp(tmp_path: Path) -> None:
    source = Path(__file__).parents[1] / "standards/data-sharing-3.0"
    folder = tmp_path / "crlf"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("schemas"))
    for path in [*folder.rglob("*.toml"), *folder.rglob("*.csv")]:
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert (folder / STAMP).is_file()
    assert _find(folder).checked
    assert load_packs([folder]).packs == load_packs(["data-sharing-3.0"]).packs


PROJECT = "Project / engineering-unit basic data"


def _copied(folder: Path) -> Path:
    source = Path(__file__).parents[1] / "standards/data-sharing-3.0"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("schemas"))
    return folder


def test_toml_read_before_says_what_the_toml_says() -> None:
    names = shipped_packs()
    assert all(_find(name).parsed for name in names)
    assert load_packs(names).packs == load_packs(names, recheck=True).packs


def test_toml_read_before_does_not_count_for_an_edited_pack(tmp_path: Path) -> None:
    folder = _copied(tmp_path / "edited")
    table = folder / "tables/SPGL_XMJBXXB.toml"
    text = table.read_text(encoding="utf-8")
    table.write_text(text.replace(PROJECT, "Works"), encoding="utf-8")
    assert not _find(folder).parsed
    assert load_packs([folder]).table("data-sharing-3.0/SPGL_XMJBXXB").title.en == "Works"


def test_toml_read_before_counts_while_the_bytes_are_the_same(tmp_path: Path) -> None:
    folder = _copied(tmp_path / "same")
    path = folder / PARSED
    path.write_text(path.read_text(encoding="utf-8").replace(PROJECT, "Seen"), "utf-8")
    qualified = "data-sharing-3.0/SPGL_XMJBXXB"
    assert load_packs([folder]).table(qualified).title.en == "Seen"
    assert load_packs([folder], recheck=True).table(qualified).title.en == PROJECT


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"digest": 1}', b"\xff"])
def test_damaged_toml_read_before_is_passed_over(tmp_path: Path, damage: bytes) -> None:
    folder = _copied(tmp_path / "damaged")
    (folder / PARSED).write_bytes(damage)
    assert load_packs([folder]).packs == load_packs(["data-sharing-3.0"]).packs


def test_packs_load_from_a_zipped_package(tmp_path: Path) -> None:
    """As from a wheel: the resources are read through importlib, never by file path."""
    root = Path(__file__).parents[1]
    archive = tmp_path / "spgl.zip"
    with zipfile.ZipFile(archive, "w") as out:
        for top in ("standards", "validator"):
            for path in sorted((root / top).rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    out.write(path, path.relative_to(root).as_posix())
    code = (
        f"import sys; sys.path.insert(0, {str(archive)!r});"
        "import validator.load as l; assert '.zip' in l.__file__;"
        "print(len(l.load_packs().tables()))"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout.strip() == "39"


def test_locate_finds_the_nth_of_an_array_of_tables() -> None:
    text = '[[rules]]\nrule = "a"\n\n[[rules]]\nrule = "b"\n[rules.params]\nx = 1\n'
    assert [locate(text, ["rules", i, "rule"]) for i in (0, 1)] == [2, 5]
    assert locate(text, ["rules", 1, "params", "x"]) == 7
    assert locate(text, []) == 1


def test_the_table_in_the_guide_is_a_table(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[1] / "docs/packs.md").read_text("utf-8")
    example = guide.partition("```toml\n")[2].partition("```")[0]
    fields = "".join(
        f'{name} = {{ title = "x", title_en = "x", kind = "{kind}" }}\n'
        for name, kind in (
            ("SPLCBM", "text"), ("SPLCBBH", "decimal"), ("NKGSJ", "date"), ("NJCSJ", "date")
        )
    )  # fmt: skip
    head = HEAD.replace("[stages", 'uses = ["data-sharing-3.0"]\n[stages', 1)
    files = FILES | {"pack.toml": head, "tables/GUIDE.toml": example + fields}
    packs = load_packs([write_pack(tmp_path / "toy", files)])
    assert packs.table("toy-1.0/GUIDE").references[0].reference == "PRJ-06"
