"""The shipped packs hold what the facts hold: tables, fields, lists, evidence, order."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from validator.load import load_packs, shipped_packs
from validator.pack import (
    EXCHANGE_FIELDS,
    Attests,
    Direction,
    Field,
    Kind,
    Personal,
    Provenance,
    Role,
    Table,
)
from validator.rules import rules

PACKS = load_packs()
SHARE, FIRE = PACKS.packs
TABLES = PACKS.tables()
FIELDS = [(t, f) for t in TABLES for f in t.fields]
STANDARDS = Path(__file__).parents[1] / "standards"


def table(name: str) -> Table:
    (found,) = PACKS.named(name)
    return found


def field(path: str) -> Field:
    name, _, own = path.partition(".")
    return table(name).by_name[own]


def test_thirty_nine_tables_and_all_their_fields() -> None:
    assert (len(SHARE.tables), len(FIRE.tables)) == (36, 3)
    assert len(FIELDS) == 982
    assert (SHARE.official_fields, FIRE.official_fields) == ((0, 796), (0, 186))
    assert [len(t.fields) for t in FIRE.tables] == [66, 53, 67]
    assert sum(not t.extension for t in TABLES) == 35
    assert {t.name for t in TABLES if t.extension} == {
        "SPGL_SPFYSXKXXB", "SPGL_SPFXSBAXXB", "SPGL_XMBQXXB", "SPGL_XMFJXXB"
    }  # fmt: skip


def test_order_of_sending_is_the_attested_one() -> None:
    assert sorted(t.order for t in TABLES) == list(range(1, 40))
    assert [t.order for t in SHARE.tables] == sorted(t.order for t in SHARE.tables)
    assert SHARE.tables[0].name == "SPGL_QYPGXXB"
    assert {t.direction for t in TABLES} == {Direction.OUT}


def test_fields_stand_in_the_order_of_the_standard() -> None:
    names = [f.name for f in table("SPGL_XMJBXXB").fields]
    assert names[:6] == ["LSH", "DFSJZJ", "XZQHDM", "XMDM", "XMMC", "GCDM"]
    assert names[-4:] == ["SJYXBS", "SJWXYY", "SJSCZT", "SBYY"]


def test_exchange_columns_have_the_exchange_role_and_no_others() -> None:
    exchange = {f.name for _, f in FIELDS if f.role is Role.EXCHANGE}
    assert exchange == set(EXCHANGE_FIELDS)
    assert all((f.name in exchange) == (f.role is Role.EXCHANGE) for _, f in FIELDS)
    assert sum(f.role is Role.BUSINESS for _, f in FIELDS) == 982 - 38 - 39 * 3 - 38


def test_required_marks_say_what_they_attest() -> None:
    marks = [(f, m) for _, f in FIELDS for m in f.required]
    told = Counter((str(m.provenance), m.attests and str(m.attests)) for _, m in marks)
    assert told == {
        ("deployed", "sender-fills"): 166,
        ("deployed", "refusal"): 43,
        ("deployed", "other-interface"): 41,
        ("earlier", "other-interface"): 20,
        ("earlier", "refusal"): 10,
        ("deployed", None): 13,
        ("regulation", "notice"): 4,
        ("inferred", None): 17,
    }
    conditional = {(f.name, m.reference) for f, m in marks if m.when}
    assert conditional == {
        ("TBCXMC", "SPEC-01"), ("YYYT", "FIRE-01"), ("CD", "PRJ-07"), ("XMWQBJSJ", "PRJ-09"),
        ("ZXBW", "FIRE-02"), ("ZXMJ", "FIRE-02"), ("ZXSZCS", "FIRE-02"),
        ("BWCLLB", "FIRE-03"), ("BWSZCS", "FIRE-03"), ("BWBW", "FIRE-03"), ("BWCL", "FIRE-03"),
        ("ZZBH", "DOC-03"), ("ZZBS", "DOC-03"), ("DZZZWJLJ", "DOC-03"),
        ("CCJGTZSWH", "XF-F03"), ("BABBH", "XF-F03"),
    }  # fmt: skip
    marks_of = field("SPGL_XMJBXXB.XMTZLY").required
    assert [(m.provenance, m.attests, m.reference) for m in marks_of] == [
        (Provenance.DEPLOYED, Attests.REFUSAL, "PRJ-02"),
        (Provenance.EARLIER, Attests.OTHER_INTERFACE, ""),
    ]


def test_lengths_are_only_those_of_the_earlier_systems() -> None:
    lengths = [f.length for _, f in FIELDS if f.length]
    assert len(lengths) == 64
    assert {x.provenance for x in lengths} == {Provenance.EARLIER}
    assert {x.max for x in lengths} == {4, 10, 14}


def test_formats_carry_their_evidence_and_condition() -> None:
    used = Counter(
        (u.name, str(u.provenance), u.when is not None) for _, f in FIELDS for u in f.formats
    )
    assert used == {
        ("division-code", "national", False): 41,
        ("project-code", "national", False): 16,
        ("credit-code", "national", False): 15,
        ("credit-code", "national", True): 7,
        ("citizen-number", "inferred", True): 7,
        ("citizen-number", "national", True): 9,
        ("citizen-number", "national", False): 1,
        ("mobile-number", "inferred", False): 9,
        ("coordinates", "deployed", False): 3,
        ("coordinates", "inferred", False): 1,
        ("item-code", "deployed", False): 2,
        ("industry-code", "earlier", False): 1,
    }


def test_code_lists_are_closed_only_where_a_deployed_system_shows_them_complete() -> None:
    assert (len(SHARE.code_lists), len(FIRE.code_lists)) == (74, 4)
    lists = {c.id: c for p in PACKS for c in p.code_lists}
    closed = {i for i, c in lists.items() if c.closed}
    assert closed == {
        "validity", "yes-no", "stage", "milestone-type", "milestone", "commitment", "owner-type",
        "case-state", "acceptance-way", "limit-type", "result-type", "collection-way",
        "project-unit-type", "power-source", "item-state", "body-nature", "cross-region-scope",
        "online-depth", "material-form", "material-necessity", "source-channel",
        "special-situation", "fire-process-type",
    }  # fmt: skip
    assert all(lists[i].provenance is Provenance.DEPLOYED for i in closed)
    assert sum(bool(c.codes) for c in lists.values()) == 61
    assert sum(len(c.codes) for c in lists.values()) == 261
    assert [c.code for c in lists["case-state"].codes] == [str(n) for n in range(1, 16)]
    assert lists["national-item"].codes[0].code == "0060001"
    assert not lists["division"].codes


def test_codes_without_a_seen_label_have_none() -> None:
    lists = {c.id: c for p in PACKS for c in p.code_lists}
    assert [c.title.zh for c in lists["land-acquisition"].codes] == [""] * 5
    assert lists["upload-state"].by_code["3"].title.zh == ""
    labelled = [c for p in PACKS for i in p.code_lists for c in i.codes if c.title.zh]
    assert all(c.title.en for c in labelled)


def test_code_lists_are_utf8_with_bom_for_spreadsheets() -> None:
    files = sorted(STANDARDS.glob("*/codes/*.csv"))
    assert len(files) == 87
    for path in files:
        data = path.read_bytes()
        assert data.startswith(b"\xef\xbb\xbfcode,title,title_en,parent,since,until,provenance\n")


@pytest.mark.parametrize(
    ("path", "separator"),
    [
        ("SPGL_SPJDXXB.DYBZSPJDXH", ","), ("SPGL_SPSXJBXXB.FWDX", ","),
        ("SPGL_SPSXJBXXB.BLXS", ","), ("SPGL_SPSXKZXXB.WSBLSD", "^"),
        ("SPGL_JSGCXFSJSCXXB.TSJSGCQX", ","), ("SPGL_JSGCXFYSXXB.TSJSGCQX", ","),
        ("SPGL_XMJBXXB.QJDGCDM", ","),
    ],
)  # fmt: skip
def test_fields_of_several_values(path: str, separator: str) -> None:
    assert field(path).separator == separator
    assert sum(f.separator is not None for _, f in FIELDS) == 7


def test_personal_fields_are_marked() -> None:
    marked = {k: {f.name for _, f in FIELDS if f.personal is k} for k in Personal}
    assert marked[Personal.NAME] == {
        "JSDWXMFZR", "LXR", "BLR", "FDDBR", "FZRXM", "RYXM", "SJDWXMFZR", "XMFZR", "JSDWLXR",
        "YWGZLXR", "WTR",
    }  # fmt: skip
    assert marked[Personal.PHONE] == {
        "LXRSJH", "JSFZRLXDH", "LXDH", "FZRLXDH", "RYLXFS", "JSDWLXRDH", "JSDWLXRSJH",
        "YWGZLXRDH", "YWGZLXRSJH",
    }  # fmt: skip
    assert marked[Personal.ID_NUMBER] == {
        "JSFZRZJHM", "RYZJHM", "FRZJHM", "FZRZJHM", "SJDWXMFZRHM", "JSDWDM", "WTRDM"
    }  # fmt: skip


def test_a_title_that_speaks_of_a_person_is_marked() -> None:
    """A net below the list: phones, document numbers and names of people by their titles."""
    words = (
        "证件号码",
        "身份证号码",
        "联系电话",
        "手机号",
        "联系人",
        "姓名",
        "办理人",
        "法定代表人姓名",
    )
    missed = [
        f"{t.name}.{f.name}" for t, f in FIELDS
        if f.title.zh.endswith(words) and f.personal is None
    ]  # fmt: skip
    assert missed == []


def test_stages_hold_each_table_once_and_fire_its_three() -> None:
    stages = {s.id: s for p in PACKS for s in p.stages}
    assert list(stages) == [
        "land-planning", "engineering-permit", "construction-permit", "completion",
        "case-records", "fire",
    ]  # fmt: skip
    assert {s: len(x.tables) for s, x in stages.items()} == {
        "land-planning": 1, "engineering-permit": 1, "construction-permit": 4, "completion": 1,
        "case-records": 6, "fire": 3,
    }  # fmt: skip
    items = [i for s in stages.values() for i in s.items]
    assert len(items) == len(set(items)) == 23
    assert table("SPGL_XMJBXXB").stage is None
    assert table("SPGL_ZRZTXXB").stage is None
    assert {t.stage for t in FIRE.tables} == {"fire"}


def test_keys_and_references() -> None:
    assert Counter(str(t.key.provenance) for t in TABLES) == {"deployed": 20, "inferred": 19}
    references = [(t, r) for t in TABLES for r in t.references]
    assert len(references) == 64
    assert all("/" in r.table for _, r in references)
    fire = table("SPGL_JSGCXFYSXXB")
    assert [r.table for r in fire.references] == [
        "data-sharing-3.0/SPGL_XMJBXXB", "data-sharing-3.0/SPGL_XMSPSXBLXXB"
    ]  # fmt: skip
    cases = table("SPGL_GZCNZBJJGXXB").references[1]
    assert (cases.fields, cases.target_fields) == (("SPSXBM",), ("SPSXSLBM",))


def test_explicit_rule_uses_are_complete() -> None:
    every = load_packs(shipped_packs())
    used = Counter(u.rule for t in every.tables() for u in t.rules)
    used.update(u.rule for p in every for u in p.rules)
    explicit = {name for name, rule in rules().items() if rule.params is not None}
    assert set(used) == explicit
    routed = {
        reference: sorted(
            str(i) for p in PACKS for u in p.rules
            if u.reference == reference and u.rule == "completed-case-without-business-row"
            if isinstance(found := u.params["items"], list) for i in found
        )
        for reference in ("BUS-01", "BUS-02")
    }  # fmt: skip
    assert routed["BUS-01"] == sorted(i for p in PACKS for s in p.stages for i in s.items)
    eleven = [f"009000{n}" for n in range(1, 5)] + [f"012000{n}" for n in range(1, 4)]
    eleven += ["0100000", "0140000", "0150000", "0180000"]
    assert routed["BUS-02"] == sorted(eleven * 2), "parties and units of the same items"


def test_every_provenance_is_earned() -> None:
    assert {f.provenance for _, f in FIELDS} == {Provenance.DEPLOYED}
    assert {p.basis for p in PACKS} == {"reconstructed"}
    assert all(t.provenance is Provenance.DEPLOYED for t in TABLES)


def test_texts_exist_in_both_languages() -> None:
    texts = [f.title for _, f in FIELDS] + [t.title for t in TABLES]
    texts += [c.title for p in PACKS for c in p.code_lists]
    assert all(t.zh and t.en for t in texts)
    notes = [f.note for _, f in FIELDS] + [t.note for t in TABLES] + [t.key.note for t in TABLES]
    notes += [c.note for p in PACKS for c in p.code_lists]
    assert all(bool(n.zh) == bool(n.en) for n in notes)


def test_local_columns_are_no_fields() -> None:
    assert SHARE.local_columns == (
        "BELONGXIAQUCODE", "OPERATEUSERNAME", "OPERATEDATE", "ROW_ID", "YEARFLAG", "ROWGUID",
        "SYNC", "SCSJ", "GXSJ",
    )  # fmt: skip
    assert table("SPGL_XMJBXXB").local_columns == ("ZDXMLX",)
    for own in TABLES:
        assert not {*own.local_columns, *SHARE.local_columns} & set(own.by_name)


def test_kinds() -> None:
    kinds = Counter(str(f.kind) for _, f in FIELDS)
    assert kinds == {
        "text": 636, "integer": 227, "date": 59, "decimal": 46, "datetime": 12, "binary": 2
    }  # fmt: skip
    assert field("SPGL_XMYDHXJZXXB.JZWJFJ").kind is Kind.BINARY


def test_every_pack_explains_its_sources() -> None:
    for pack in PACKS:
        assert "official" in (STANDARDS / pack.name / "SOURCES.md").read_text("utf-8")
