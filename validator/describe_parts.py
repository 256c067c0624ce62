"""One table, field, rule, code list or format as lines of text, in one language.

Severity shown here is that of the evidence and of overlays, before the settings of a site.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from unicodedata import east_asian_width

from validator import describe_words as w
from validator.describe_documents import document_lines
from validator.describe_origins import field_origins, list_origins, table_origins
from validator.formats import Format
from validator.pack import RECONSTRUCTED, CodeList, Field, Packs, Role, Table
from validator.rule import Example, Rule, Use, uses_in
from validator.rules import rules
from validator.severity import by_evidence
from validator.text import Lang, Text


def table_lines(packs: Packs, table: Table, lang: Lang) -> Iterator[str]:
    """A table: what it is, what it refers to, its fields and its checks."""
    pack = packs.pack(table.standard)
    stage = next((s for s in pack.stages if s.id == table.stage), None)
    direction = w.DIRECTION[table.direction][lang]
    yield f"{table.name}  {table.title[lang]}"
    yield from _facts(
        [
            (w.PACK, f"{pack.name} {pack.title[lang]}"),
            (w.STAGE, stage.title[lang] if stage else w.NO_STAGE[lang]),
            (w.GROUP, table.group if lang == "zh" else ""),
            (w.BASIS, _basis(packs, table, lang)),
            (w.KEY, _key(table, lang)),
            (w.NOTE, table.note[lang]),
        ],
        lang,
    )
    yield f"  {w.ORDER.fill({'order': table.order, 'direction': direction})[lang]}"
    if table.extension:
        yield f"  {w.EXTENSION[lang]}"
    if table.references:
        yield w.REFERENCES[lang]
    for reference in table.references:
        target = reference.table.rpartition("/")[2]
        pair = f"{', '.join(reference.fields)} → {target} ({', '.join(reference.target_fields)})"
        yield f"  {pair}{w.provenance(reference.provenance, reference.reference, lang)}"
    yield w.FIELDS.fill({"count": len(table.fields)})[lang]
    width = max(len(f.name) for f in table.fields)
    kinds = max(_width(w.KIND[f.kind][lang]) for f in table.fields)
    for field in table.fields:
        words = join([field.title[lang], *_marks(packs, table, field, lang)], lang)
        yield f"  {pad(field.name, width)}  {pad(w.KIND[field.kind][lang], kinds)}  {words}"
    yield w.CHECKS[lang]
    yield from _checks([u for r in rules().values() for u in _uses(packs, table, r)], lang)
    yield from table_origins(pack, table, lang)


def _marks(packs: Packs, table: Table, field: Field, lang: Lang) -> Iterator[str]:
    """What is declared of a field, in short."""
    if field.role is Role.EXCHANGE:
        yield w.EXCHANGE[lang]
    for mark in field.required if field.role is Role.BUSINESS else ():
        severity = by_evidence(mark.provenance, attests=mark.attests)
        yield f"{w.when(mark.when, lang)}{w.REQUIRED[lang]} [{w.SEVERITY[severity][lang]}]"
    if field.codes:
        yield f"{w.CODE_LIST[lang]} {field.codes.list}"
    for use in field.formats:
        yield f"{w.when(use.when, lang)}{w.FORMAT[lang]} {use.name}"
    if field.length:
        yield w.LENGTH.fill({"max": field.length.max})[lang]
    if field.personal:
        yield w.PERSONAL[field.personal][lang]


def field_lines(packs: Packs, table: Table, field: Field, lang: Lang) -> Iterator[str]:
    """A field: everything declared of it with its evidence, and the checks that read it."""
    yield f"{table.name}.{field.name}  {field.title[lang]}"
    yield f"  {w.KIND[field.kind][lang]}{w.provenance(field.provenance, '', lang)}"
    if field.role is Role.EXCHANGE:
        yield f"  {w.EXCHANGE[lang]}"
    if field.name in table.key.fields:
        yield f"  {w.PART_OF_KEY[lang]}{w.provenance(table.key.provenance, '', lang)}"
    for mark in field.required:
        words = w.when(mark.when, lang) + w.REQUIRED[lang]
        if mark.attests:
            words = join([words, w.ATTESTS[mark.attests][lang]], lang)
        yield f"  {words}{w.provenance(mark.provenance, mark.reference, lang)}"
    if field.codes:
        of = packs.code_list(table, field.codes.list)
        words = f"{w.CODE_LIST[lang]} {of.id} {of.title[lang]}"
        yield f"  {words}{w.provenance(field.codes.provenance, field.codes.reference, lang)}"
    for use in field.formats:
        words = f"{w.when(use.when, lang)}{w.FORMAT[lang]} {use.name}"
        yield f"  {words}{w.provenance(use.provenance, use.reference, lang)}"
    if field.length:
        words = w.LENGTH.fill({"max": field.length.max})[lang]
        yield f"  {words}{w.provenance(field.length.provenance, field.length.reference, lang)}"
    if field.precision:
        size = {"digits": field.precision.digits, "scale": field.precision.scale}
        words = w.PRECISION.fill(size)[lang]
        yield f"  {words}{w.provenance(field.precision.provenance, '', lang)}"
    if field.separator:
        yield f"  {w.SEPARATOR.fill({'separator': field.separator})[lang]}"
    if field.personal:
        yield f"  {w.PERSONAL[field.personal][lang]}"
    for reference in table.references:
        if field.name in reference.fields:
            target = f"{reference.table.rpartition('/')[2]} ({', '.join(reference.target_fields)})"
            words = f"{w.POINTS_TO[lang]} {target}"
            yield f"  {words}{w.provenance(reference.provenance, reference.reference, lang)}"
    if field.note[lang]:
        yield from _facts([(w.NOTE, field.note[lang])], lang)
    if field.document:
        yield from document_lines(packs, table, field, lang)
    yield w.CHECKS[lang]
    found = [u for r in rules().values() for u in _uses(packs, table, r) if field.name in u.fields]
    yield from _checks(found, lang)
    yield from field_origins(packs.pack(table.standard), table, field.name, lang)


def rule_lines(packs: Packs, rule: Rule, lang: Lang) -> Iterator[str]:
    """A rule: its texts, its examples and where it is used."""
    yield f"{rule.name}  {rule.title[lang]}"
    where = {}
    for table in packs.tables():
        names = {"+".join(u.fields) for u in _uses(packs, table, rule)} - {""}
        if names:
            where[table.name] = f"{table.name} ({len(names)})"
    yield from _facts(
        [
            (w.SCOPE_WORD, w.SCOPE[rule.scope][lang]),
            (w.MESSAGE, rule.message[lang]),
            (w.HELP, rule.help[lang]),
            (w.NOTE, rule.notes[lang]),
            (w.GOOD, _example(rule.good)),
            (w.BAD, _example(rule.bad_example)),
            (w.USED_BY, ", ".join(where.values())),
        ],
        lang,
    )


def _example(example: Example) -> str:
    records = {t: [dict(r) for r in rows] for t, rows in example.records.items()}
    return json.dumps(records, ensure_ascii=False) if records else ""


def code_list_lines(packs: Packs, codes: CodeList, lang: Lang) -> Iterator[str]:
    """A code list: its codes, whether it is closed, and the fields that draw from it."""
    yield f"{codes.id}  {codes.title[lang]}"
    used = [
        f"{t.name}.{f.name}"
        for t in packs.tables()
        for f in t.fields
        if f.codes and f.codes.list == codes.id and packs.code_list(t, codes.id) is codes
    ]
    state = w.CLOSED if codes.closed else w.OPEN if codes.codes else w.NO_CODES
    yield f"  {state[lang]}{w.provenance(codes.provenance, '', lang)}"
    width = max((len(c.code) for c in codes.codes), default=0)
    for code in codes.codes:
        title = code.title[lang] or w.NO_LABEL[lang]
        yield f"  {pad(code.code, width)}  {title}{w.provenance(code.provenance, '', lang)}"
    yield from _facts(
        [(w.NOTE, codes.note[lang]), (w.USED_BY, ", ".join(used) or w.UNUSED[lang])], lang
    )
    for pack in packs:
        if any(c is codes for c in pack.code_lists):
            yield from list_origins(pack, codes.id, lang)


def format_lines(packs: Packs, form: Format, lang: Lang) -> Iterator[str]:
    """A format: its shape, its source and the fields that have it."""
    yield f"{form.name}  {form.title[lang]}"
    used = [
        f"{t.name}.{f.name}"
        for t in packs.tables()
        for f in t.fields
        if any(use.name == form.name for use in f.formats)
    ]
    digit = f"  {w.CHECK_DIGIT[lang]}" if form.check else ""
    yield from _facts(
        [
            (w.PATTERN, form.pattern + digit),
            (w.SOURCE, form.source),
            (w.USED_BY, ", ".join(used) or w.UNUSED[lang]),
        ],
        lang,
    )


def _uses(packs: Packs, table: Table, rule: Rule) -> tuple[Use, ...]:
    return uses_in(packs, table, rule)


def _checks(uses: list[Use], lang: Lang) -> Iterator[str]:
    """Severity and rule, then the fields, gravest first."""
    where: dict[tuple[int, str, str], dict[str, None]] = {}
    for use in uses:
        key = (use.severity.rank, w.SEVERITY[use.severity][lang], use.rule)
        where.setdefault(key, {})["+".join(use.fields)] = None
    for (_, severity, rule), fields in sorted(where.items()):
        title = rules()[rule].title[lang]
        names = ", ".join(n for n in fields if n)
        if rule == "wrong-type" and len(fields) > 1:
            names = w.EVERY_FIELD[lang]
        yield f"  {pad(severity, 7)} {rule}  {title}{': ' if names else ''}{names}"


def _facts(facts: list[tuple[Text, str]], lang: Lang) -> Iterator[str]:
    for word, value in facts:
        if value:
            yield f"  {word[lang]}{'：' if lang == 'zh' else ': '}{value}"


def _basis(packs: Packs, table: Table, lang: Lang) -> str:
    words = [w.PROVENANCE[table.provenance][lang]]
    if packs.pack(table.standard).basis != "official":
        words.append(RECONSTRUCTED[lang])
    return join(words, lang)


def _key(table: Table, lang: Lang) -> str:
    return ", ".join(table.key.fields) + w.provenance(table.key.provenance, "", lang)


def join(words: list[str], lang: Lang) -> str:
    return ("；" if lang == "zh" else "; ").join(words)


def _width(text: str) -> int:
    """Columns on a terminal; a Chinese character takes two."""
    return sum(2 if east_asian_width(c) in "WF" else 1 for c in text)


def pad(text: str, width: int) -> str:
    return text + " " * (width - _width(text))
