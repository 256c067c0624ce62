"""The HTML reference: well-formed, complete, links that lead somewhere, no way out to a network."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from lxml import html

from validator.exports.html import export_html, policy
from validator.load import load_packs
from validator.rules import rules

PACKS = load_packs()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("reference")
    written = export_html(PACKS, made, "zh")
    assert len(written) == 42
    return made


def page(path: Path) -> html.HtmlElement:
    return html.document_fromstring(path.read_bytes())


def test_every_table_field_code_and_rule_has_its_place(folder: Path) -> None:
    index = page(folder / "index.html")
    assert len(index.xpath("//tr[@data-words]")) == 39
    assert len(index.xpath("//tr[@data-field]")) == sum(len(t.fields) for t in PACKS.tables())
    for table in PACKS.tables():
        made = page(folder / table.standard / f"{table.name}.html")
        rows = made.xpath("//tr[@id]")
        assert [r.get("id") for r in rows] == [f.name for f in table.fields]
        for row, field in zip(rows, table.fields, strict=True):
            assert field.title.zh in row.text_content()
            assert field.title.en in row.text_content()
    codes, kinds = page(folder / "codes.html"), page(folder / "rules.html")
    assert codes.xpath("//h2/@id") == [c.id for p in PACKS for c in p.code_lists]
    assert len(codes.xpath("//tr")) == sum(len(c.codes) for p in PACKS for c in p.code_lists)
    assert kinds.xpath("//h2/@id") == list(rules())


def test_every_link_leads_to_a_page_and_an_anchor_of_this_folder(folder: Path) -> None:
    anchors = {p: set(page(p).xpath("//@id")) for p in folder.rglob("*.html")}
    seen = 0
    for path in anchors:
        for link in page(path).xpath("//a/@href"):
            file, _, fragment = link.partition("#")
            target = (path.parent / file).resolve()
            assert target in anchors, f"{path.name} → {link}"
            assert not fragment or fragment in anchors[target], f"{path.name} → {link}"
            seen += 1
    assert seen > 2_000


def test_pages_load_nothing_and_run_only_our_script(folder: Path) -> None:
    for path in folder.rglob("*.html"):
        made = page(path)
        (style,), (script,) = made.xpath("//style/text()"), made.xpath("//script/text()")
        (said,) = made.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
        assert said == policy(style, script)
        assert not made.xpath("//@src | //link | //@style | //iframe | //img | //form")
        assert not made.xpath("//@*[starts-with(name(), 'on')]")
        told = [style, script, *made.xpath("//@*")]  # an example of a rule may name an address
        assert not any(re.search(r"https?://", str(text)) for text in told)


def test_the_basis_and_the_evidence_are_on_the_page(folder: Path) -> None:
    text = page(folder / "data-sharing-3.0/SPGL_XMJBXXB.html").text_content()
    assert "重建，非官方文本；官方字段 0 / 796" in text
    assert "Reconstructed from public source code" in text
    assert "在用系统" in text
    assert "PRJ-04" in text


def test_texts_are_escaped(tmp_path: Path) -> None:
    head = (
        'name = "o"\nversion = "1"\ntitle = "o"\ntitle_en = "o"\n'
        'extends = "data-sharing-3.0"\nprovenance = "inferred"\n'
    )
    table = (
        "[fields]\nXMMC = { title = '<script>alert(1)</script>', note = '\"', note_en = \"'\" }\n"
    )
    folder = tmp_path / "o"
    (folder / "tables").mkdir(parents=True)
    (folder / "pack.toml").write_text(head, encoding="utf-8")
    (folder / "tables/SPGL_XMJBXXB.toml").write_text(table, encoding="utf-8")
    export_html(load_packs([folder]), tmp_path / "out", "en")
    made = page(tmp_path / "out/data-sharing-3.0/SPGL_XMJBXXB.html")
    assert len(made.xpath("//script")) == 1
    assert "<script>alert(1)</script>" in made.text_content()
    assert "XMMC.title" in made.xpath("//pre")[0].text_content(), "the origin of an overlay's value"
    assert len(page(tmp_path / "out/index.html").xpath("//script")) == 1
