"""Overlays: what they change, where each value comes from, and one clear line per conflict."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_load import FILES, write_pack

from validator import describe
from validator.load import load_packs
from validator.pack import Attests, Kind, PackError, Packs, Provenance, Table
from validator.plan import final_uses
from validator.rules import rules
from validator.violation import Severity

ROOT = Path(__file__).parents[1]
HEAD = """\
name = "site"
version = "2"
title = "某地"
title_en = "Some site"
extends = "../toy"
provenance = "official"
"""


def overlay(folder: Path, files: dict[str, str], name: str = "site") -> Path:
    """A pack `toy` and an overlay beside it."""
    write_pack(folder / "toy", FILES)
    return write_pack(folder / name, {"pack.toml": HEAD, **files})


def load(folder: Path, files: dict[str, str]) -> Packs:
    return load_packs([overlay(folder, files)])


def child(packs: Packs) -> Table:
    return packs.table("toy-1.0/CHILD")


def test_an_overlay_without_changes_is_the_pack_under_another_version(tmp_path: Path) -> None:
    packs = load(tmp_path, {})
    (plain,) = load_packs([tmp_path / "toy"])
    (pack,) = packs
    assert (pack.tables, pack.code_lists, pack.name) == (plain.tables, plain.code_lists, plain.name)
    assert pack.version == "1.0+site-2"
    assert [(o.name, o.version, o.title.en) for o in pack.overlays] == [("site", "2", "Some site")]


def test_fields_change_attribute_by_attribute_with_the_overlay_as_evidence(tmp_path: Path) -> None:
    table = """\
[fields]
ID = { provenance = "official", length = { max = 9 } }
NO = { required = { attests = "refusal" }, title = "顺序号" }
BEGIN = { kind = "datetime", provenance = "earlier" }
CREDIT = { format = false, codes = "colour" }
"""
    fields = child(load(tmp_path, {"tables/CHILD.toml": table})).by_name
    assert fields["ID"].provenance is Provenance.OFFICIAL
    assert fields["ID"].length is not None
    assert (fields["ID"].length.max, fields["ID"].length.provenance) == (9, Provenance.OFFICIAL)
    assert (fields["NO"].title.zh, fields["NO"].title.en) == ("顺序号", "Number")
    assert fields["NO"].provenance is Provenance.EARLIER, "a length does not raise the field"
    assert [(m.attests, m.provenance) for m in fields["NO"].required] == [
        (Attests.REFUSAL, Provenance.OFFICIAL)
    ]
    assert fields["BEGIN"].kind is Kind.DATETIME
    assert fields["CREDIT"].formats == ()
    assert fields["CREDIT"].codes is not None
    assert fields["CREDIT"].codes.provenance is Provenance.OFFICIAL


def test_raising_a_field_does_not_raise_what_it_had_before(tmp_path: Path) -> None:
    table = '[fields]\nID = { provenance = "official" }\n'
    packs = load(tmp_path, {"tables/PARENT.toml": table})
    field = packs.table("toy-1.0/PARENT").by_name["ID"]
    assert field.provenance is Provenance.OFFICIAL
    assert [m.provenance for m in field.required] == [Provenance.DEPLOYED]
    assert packs.pack("toy-1.0").official_fields == (1, 7)


def test_fields_and_tables_are_added_and_dropped(tmp_path: Path) -> None:
    fields = """\
[[references]]
fields = ["ID"]
table = "PARENT"
drop = true

[[rules]]
rule = "start-not-before-end"
drop = true

[fields]
PLACE = { new = true, title = "地点", title_en = "Place" }
MORE = { new = true, after = "NO", title = "更多", title_en = "More", length = { max = 3 } }
END = { drop = true }
"""
    added = """\
new = true
title = "新表"
title_en = "New"
order = 3
key = { fields = ["ID"] }
references = [{ fields = ["ID"], table = "CHILD" }]
[fields]
ID = { title = "编码", title_en = "Code" }
"""
    packs = load(tmp_path, {"tables/CHILD.toml": fields, "tables/ADDED.toml": added})
    names = [f.name for f in child(packs).fields]
    assert names == ["ID", "NO", "MORE", "CREDIT", "BEGIN", "PLACE"]
    assert child(packs).by_name["MORE"].length is not None
    assert (child(packs).references, child(packs).rules) == ((), ())
    table = packs.table("toy-1.0/ADDED")
    evidence = {
        table.provenance, table.key.provenance, table.references[0].provenance,
        table.by_name["ID"].provenance,
    }  # fmt: skip
    assert evidence == {Provenance.OFFICIAL}
    dropped = {"tables/CHILD.toml": "drop = true\n"}
    assert [t.name for t in load(tmp_path / "b", dropped).tables()] == ["PARENT"]


def test_code_lists_grow_are_closed_and_replaced(tmp_path: Path) -> None:
    head = HEAD + "[codes]\ncolour = { closed = true }\n"
    head += 'shape = { title = "形状", title_en = "Shape" }\n'
    rows = "code,title,title_en\n02,深蓝,Dark blue\n03,绿,Green\n"
    files = {
        "pack.toml": head, "codes/colour.csv": rows, "codes/shape.csv": "code\nA\n"
    }  # fmt: skip
    colour, shape = load(tmp_path, files).packs[0].code_lists
    assert [(c.code, c.title.zh, str(c.provenance)) for c in colour.codes] == [
        ("01", "红", "deployed"), ("02", "深蓝", "official"), ("03", "绿", "official")
    ]  # fmt: skip
    assert colour.codes[1].parent == "01", "an empty cell leaves what was there"
    assert (colour.closed, str(colour.provenance)) == (True, "deployed")
    assert (shape.id, str(shape.provenance), shape.codes[0].code) == ("shape", "official", "A")
    files["pack.toml"] = head.replace("closed = true", "closed = true, replace = true")
    colour, _ = load(tmp_path / "b", files).packs[0].code_lists
    assert [c.code for c in colour.codes] == ["02", "03"]


def test_severities_go_over_evidence_and_under_settings(tmp_path: Path) -> None:
    head = HEAD + '[severity]\n"CHILD.start-not-before-end" = "error"\nmissing-value = "info"\n'
    packs = load(tmp_path, {"pack.toml": head})
    rule, missing = rules()["start-not-before-end"], rules()["missing-value"]
    assert [u.severity for u in final_uses(packs, child(packs), rule, {})] == [Severity.ERROR]
    parent = packs.table("toy-1.0/PARENT")
    assert [u.severity for u in final_uses(packs, parent, missing, {})] == [Severity.INFO]
    own = {"missing-value": Severity.WARNING}
    assert [u.severity for u in final_uses(packs, parent, missing, own)] == [Severity.WARNING]


def test_show_tells_where_each_value_comes_from(tmp_path: Path) -> None:
    head = HEAD + '[severity]\n"PARENT.ID.missing-value" = "warning"\n'
    table = (
        '[fields]\nID = { length = { max = 9 } }\nX = { new = true, title = "x", title_en = "x" }'
    )
    files = {"pack.toml": head, "tables/PARENT.toml": table, "codes/colour.csv": "code\n03\n"}
    packs = load(tmp_path, files)
    place = (tmp_path / "site").as_posix()
    shown = describe.table(packs, "PARENT", "en").partition("Where values come from\n")[2]
    assert shown.splitlines() == [
        f"  ID.length  {place}/tables/PARENT.toml:2",
        f"  X  {place}/tables/PARENT.toml:3",
        f"  severity PARENT.ID.missing-value  {place}/pack.toml:8",
        "  everything else: toy-1.0",
    ]
    assert f"  ID.length  {place}/tables/PARENT.toml:2" in describe.explain(
        packs, "PARENT.ID", "en"
    )
    assert f"  03  {place}/codes/colour.csv:2" in describe.explain(packs, "colour", "zh")
    assert f"地方扩展包 site 2 某地（{place}）" in describe.packs(packs, "zh")
    assert "  全部：toy-1.0" in describe.table(packs, "CHILD", "zh")


def test_an_overlay_extends_another_and_the_upper_one_counts(tmp_path: Path) -> None:
    overlay(tmp_path, {"tables/CHILD.toml": "[fields]\nNO = { length = { max = 9 } }\n"})
    head = HEAD.replace('"site"', '"town"').replace("../toy", "../site")
    table = '[fields]\nNO = { length = { max = 5 } }\nID = { note = "甲", note_en = "a" }\n'
    town = write_pack(tmp_path / "town", {"pack.toml": head, "tables/CHILD.toml": table})
    packs = load_packs([town])
    assert [o.name for o in packs.packs[0].overlays] == ["site", "town"]
    assert packs.packs[0].version == "1.0+site-2+town-2"
    length = child(packs).by_name["NO"].length
    assert length is not None
    assert length.max == 5
    assert "town/tables/CHILD.toml:2" in describe.explain(packs, "CHILD.NO", "en")
    assert load_packs([tmp_path / "toy", tmp_path / "site", town]) == packs


def test_an_overlay_stands_for_its_pack_where_others_use_it(tmp_path: Path) -> None:
    head = HEAD.replace("../toy", "data-sharing-3.0")
    table = "[fields]\nXMMC = { length = { max = 200 } }\n"
    files = {"pack.toml": head, "tables/SPGL_XMJBXXB.toml": table}
    site = write_pack(tmp_path / "site", files)
    packs = load_packs(["fire-inspection-1.0", site])
    assert [p.name for p in packs] == ["data-sharing-3.0", "fire-inspection-1.0"]
    (projects,) = packs.named("SPGL_XMJBXXB")
    assert projects.by_name["XMMC"].length is not None
    assert packs.named("SPGL_JSGCXFYSXXB")[0].references[0].table == projects.qualified


#: File, its text, line of the fault (0: that of the pack below), words of it, remedy
TABLE, CODES = "tables/CHILD.toml", "codes/colour.csv"
ADDED = 'new = true\ntitle = "x"\ntitle_en = "x"\norder = 3\nkey = { fields = ["ID"] }\n'
FAULTS = [
    ("tables/CHLID.toml", "[fields]\nID = { length = { max = 1 } }\n", 1, "table CHLID", "CHILD"),
    (TABLE, ADDED + '[fields]\nID = { title = "x", title_en = "x" }\n', 1, "already", "remove new"),
    ("tables/N.toml", ADDED + "[fields]\nID = { new = true }\n", 7, "no 'title'", "add title"),
    (TABLE, "[fields]\nIDD = { length = { max = 1 } }\n", 2, "no field 'IDD'", "use ID"),
    (TABLE, '[fields]\nID = { new = true, title = "x", title_en = "x" }', 2, "already", "remove"),
    (TABLE, "[fields]\nX = { new = true }\n", 2, "no 'title'", "add title"),
    (
        TABLE,
        '[fields]\nX = { new = true, after = "NOO", title = "x", title_en = "x" }\n',
        2, "no field 'NOO'", "use NO",
    ),
    (TABLE, '[fields]\nNO = { after = "ID", title = "x" }\n', 2, "its place", "remove after"),
    (TABLE, "[fields]\nNO = { drop = true, length = { max = 1 } }\n", 2, "at once", "one of the"),
    (TABLE, "[fields]\nNO = { length = false }\n", 2, "no length to take away", "remove length"),
    (TABLE, "[fields]\nNO = { drop = true }\n", 2, "the key needs it", "keep it"),
    (TABLE, "[fields]\nEND = { drop = true }\n", 2, "rule start-not-before-end", "keep it"),
    (TABLE, '[fields]\nNO = { drop = true }\n[key]\nfields = ["ID"]\n', 2, "condition", "keep it"),
    ("tables/PARENT.toml", "drop = true\n", 1, "a reference of CHILD", "keep it"),
    ("tables/PARENT.toml", "[fields]\nID = { drop = true }\n", 2, "a reference of CHILD", "keep"),
    (TABLE, '[fields]\nID = { kind = "date" }\n', 2, "PARENT.ID", "both or neither"),
    (TABLE, '[fields]\nCREDIT = { kind = "date" }\n', 2, "cannot have a format", "use kind text"),
    ("tables/PARENT.toml", '[fields]\nCOLOUR = { kind = "integer" }\n', 2, "holds '01'", "list"),
    (TABLE, '[[references]]\nfields = ["ID"]\ntable = "PARENT"\n', 1, "already", "remove it"),
    (TABLE, '[[rules]]\nrule = "too-long"\ndrop = true\n', 1, "0 times", "as it is written"),
    (TABLE, '[[rules]]\nrule = "too-lng"\n', 2, "unknown rule", "use"),
    (TABLE, '[fields]\nNO = { lenght = { max = 1 } }\n', 2, "'lenght'", "use length"),
    (TABLE, '[fields]\nNO = { codes = "colours" }\n', 2, "list 'colours'", "use colour"),
    (CODES, "code\n3\n", 2, "'3' does not match", "leading zeros"),
    (CODES, "code\n03\n03\n", 3, "stands twice", "keep one"),
    ("codes/colours.csv", "code\n03\n", 1, "unknown code list 'colours'", "use colour"),
    ("pack.toml", HEAD + "[codes]\ncolours = { closed = true }\n", 8, "'colours'", "use colour"),
    ("pack.toml", HEAD + "[codes]\ncolour = { replace = true }\n", 8, "no codes/colour.csv", "add"),
    ("pack.toml", HEAD + "[stages.toi]\ntables = ['PARENT']\n", 7, "stage 'toi'", "use toy"),
    ("pack.toml", HEAD + "[stages.toy]\ntables = ['PARENTS']\n", 8, "'PARENTS'", "use PARENT"),
    ("pack.toml", HEAD + "[severity]\ntoo-lng = 'error'\n", 8, "rule 'too-lng'", "use too-long"),
    ("pack.toml", HEAD + "[severity]\n'X.too-long' = 'error'\n", 8, "unknown table 'X'", "use"),
    ("pack.toml", HEAD + "[severity]\n'CHILD.NR.too-long' = 'info'\n", 8, "'NR'", "use NO"),
    ("pack.toml", HEAD + 'basis = "official"\n', 7, "0 of 7 fields", "remove basis"),
    ("pack.toml", HEAD.replace("../toy", "../tyo"), 5, "'../tyo' is no shipped pack", "path"),
    ("pack.toml", HEAD.replace("../toy", "../site"), 1, "extend each other", "break"),
    ("pack.toml", HEAD.replace('provenance = "official"\n', ""), 1, "'provenance'", "add"),
]  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS, ids=range(len(FAULTS)))
def test_a_conflict_is_one_clear_line(
    tmp_path: Path, fault: tuple[str, str, int, str, str]
) -> None:
    file, text, line, what, remedy = fault
    folder = overlay(tmp_path, {file: text})
    with pytest.raises(PackError) as caught:
        load_packs([folder])
    message = str(caught.value)
    said, _, advice = message.rpartition("; ")
    assert "\n" not in message
    assert what in said, message
    assert remedy in advice, message
    if "each other" not in message:
        assert said.startswith(f"{folder.as_posix()}/{file}:{line}: "), message


def test_a_list_closed_below_takes_no_code_unless_it_is_said(tmp_path: Path) -> None:
    """A list that two overlays close differently is a conflict."""
    close = HEAD + "[codes]\ncolour = { closed = true }\n"
    overlay(tmp_path, {"pack.toml": close, CODES: "code\n03\n"})
    town = close.replace('"site"', '"town"').replace("../toy", "../site")
    folder = write_pack(tmp_path / "town", {"pack.toml": town, CODES: "code\n03\n04\n"})
    with pytest.raises(PackError, match=r"town/codes/colour\.csv:3: code '04' is new, .* closed"):
        load_packs([folder])
    for said in ("closed = false", "closed = true, replace = true"):
        write_pack(folder, {"pack.toml": town.replace("closed = true", said)})
        assert "04" in load_packs([folder]).packs[0].code_lists[0].by_code


def test_two_overlays_of_one_pack_are_a_conflict(tmp_path: Path) -> None:
    one, two = overlay(tmp_path, {}), overlay(tmp_path, {}, "other")
    with pytest.raises(PackError, match="let one of the overlays extend the other"):
        load_packs([one, two])


def test_the_example_loads_and_claims_nothing_official() -> None:
    packs = load_packs([ROOT / "examples/overlay-guangdong", "fire-inspection-1.0"])
    assert [p.official_fields[0] for p in packs] == [0, 0]
    lists = {c.id: c for c in packs.packs[0].code_lists}
    assert [c.code for c in lists["person-discipline"].codes] == list("1234567")
    assert not lists["person-discipline"].closed
    evidence = {str(c.provenance) for c in lists["person-discipline"].codes}
    assert evidence == {"earlier"}


def test_the_overlay_of_the_guide_is_one(tmp_path: Path) -> None:
    guide = (ROOT / "docs/packs.md").read_text("utf-8").partition("## Overlays")[2]
    head, table = (block.partition("```")[0] for block in guide.split("```toml\n")[1:3])
    codes = (ROOT / "standards/data-sharing-3.0/codes/land-acquisition.csv").read_text("utf-8-sig")
    files = {
        "pack.toml": head,
        "tables/SPGL_XMJBXXB.toml": table,
        "codes/land-acquisition.csv": codes,
    }
    (projects,) = load_packs([write_pack(tmp_path / "guide", files)]).named("SPGL_XMJBXXB")
    names = [f.name for f in projects.fields]
    assert names[names.index("XMMC") + 1] == "LOCAL"
    assert projects.by_name["GBHY"].required == ()
