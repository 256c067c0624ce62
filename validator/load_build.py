"""Data of a pack's files → frozen pack types. Shapes were checked before, names are after.

Defaults: a field has the provenance of its table, an attribute that of its field, a use of a code
list that of the list.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from validator.feedback import Feedback, Further
from validator.load_files import Data, Document
from validator.load_form import document_use
from validator.load_form import documents as read_documents
from validator.pack import (
    Attests,
    Code,
    CodeList,
    CodeUse,
    Condition,
    Direction,
    Exchange,
    Field,
    FormatUse,
    Key,
    Kind,
    Length,
    Otherwise,
    Pack,
    Personal,
    Precision,
    Provenance,
    Reference,
    Required,
    Role,
    RuleUse,
    Stage,
    Table,
)
from validator.text import Text

Lists = Mapping[str, CodeList]


def build(documents: Mapping[str, Document], used: Sequence[Pack]) -> Pack:
    """The pack of these files. References still carry table names as written."""
    head = documents["pack.toml"].data
    lists = tuple(
        _code_list(name, data, documents.get(f"codes/{name}.csv"))
        for name, data in _maps(head.get("codes", {})).items()
    )
    known = {c.id: c for pack in used for c in pack.code_lists} | {c.id: c for c in lists}
    stages = tuple(_stage(name, data) for name, data in _maps(head.get("stages", {})).items())
    stage_of = {table: stage.id for stage in stages for table in stage.tables}
    name = str(head["name"])
    tables = [
        _table(name, table_name(path), doc.data, stage_of, known)
        for path, doc in documents.items()
        if path.startswith("tables/")
    ]
    return Pack(
        name=name,
        version=str(head["version"]),
        title=_title(head),
        basis=str(head["basis"]),
        uses=_strs(head.get("uses")),
        tables=tuple(sorted(tables, key=lambda t: (t.order, t.name))),
        code_lists=lists,
        stages=stages,
        rules=_rules(head.get("rules")),
        local_columns=_strs(head.get("local_columns")),
        exchange=_exchange(cast(Data, head.get("exchange", {}))),
        documents=read_documents(documents),
        feedback=_feedback(cast(Data, head["feedback"])) if "feedback" in head else None,
    )


def _feedback(data: Data) -> Feedback:
    texts = {n: str(data[n]) for n in _FEEDBACK}
    return Feedback(
        **texts,
        provenance=Provenance(str(data["provenance"])),
        states={code: _strs(to) for code, to in cast(Data, data["states"]).items()},
        columns=_texts(data["columns"]),
        further=tuple(
            Further(str(f["state"]), str(f["field"]), str(f["value"]), _strs(f["states"]))
            for f in cast("Sequence[Data]", data.get("further", ()))
        ),
        constants=_texts(data.get("constants", {})),
        application_columns=_texts(data.get("application_columns", {})),
        id_column=str(data.get("id_column", "")),
        division_column=str(data.get("division_column", "")),
    )


_FEEDBACK = ("case", "local_key", "application", "table", "events", "state", "state_column")


def _texts(value: object) -> dict[str, str]:
    return {name: str(text) for name, text in cast(Data, value).items()}


def _exchange(data: Data) -> Exchange:
    known = Exchange()
    return Exchange(
        new=str(data.get("new", known.new)),
        accepted=_strs(data.get("accepted", known.accepted)),
        refused=_strs(data.get("refused", known.refused)),
        otherwise=Otherwise(str(data.get("otherwise", known.otherwise))),
    )


def table_name(path: str) -> str:
    """`tables/SPGL_X.toml` → `SPGL_X`."""
    return path.rpartition("/")[2].removesuffix(".toml")


def _table(
    standard: str, name: str, data: Data, stage_of: Mapping[str, str], lists: Lists
) -> Table:
    provenance = Provenance(str(data["provenance"]))
    fields = tuple(_field(n, d, provenance, lists) for n, d in _maps(data["fields"]).items())
    key = cast(Data, data["key"])
    return Table(
        standard=standard,
        name=name,
        title=_title(data),
        fields=fields,
        key=Key(_strs(key["fields"]), Provenance(str(key["provenance"])), _note(key)),
        order=cast(int, data["order"]),
        provenance=provenance,
        stage=stage_of.get(name),
        group=_str(data, "group"),
        direction=Direction(str(data.get("direction", "out"))),
        extension=bool(data.get("extension", False)),
        references=tuple(_reference(d) for d in _several(data.get("references"))),
        rules=_rules(data.get("rules")),
        note=_note(data),
        local_columns=_strs(data.get("local_columns")),
        city_prefix=bool(data.get("city_prefix", False)),
        by_name={f.name: f for f in fields},
    )


def _field(name: str, data: Data, inherited: Provenance, lists: Lists) -> Field:
    own = Provenance(str(data.get("provenance", inherited)))
    formats = _several(data.get("format"))
    return Field(
        name=name,
        title=_title(data),
        kind=Kind(str(data.get("kind", "text"))),
        provenance=own,
        role=Role(str(data.get("role", "business"))),
        length=_length(cast("Data | None", data.get("length")), own),
        precision=_precision(cast("Data | None", data.get("precision")), own),
        formats=tuple(FormatUse(str(d["name"]), *_evidence(d, own), _when(d)) for d in formats),
        required=tuple(_required(d, own) for d in _several(data.get("required"))),
        codes=_code_use(data.get("codes"), own, lists),
        separator=cast("str | None", data.get("separator")),
        personal=_personal(data),
        document=document_use(data.get("document")),
        note=_note(data),
    )


def _personal(data: Data) -> Personal | None:
    """A document is about persons whatever else is said."""
    if "document" in data:
        return Personal.DOCUMENT
    return Personal(str(data["personal"])) if "personal" in data else None


def _length(data: Data | None, own: Provenance) -> Length | None:
    return None if data is None else Length(cast(int, data["max"]), *_evidence(data, own))


def _precision(data: Data | None, own: Provenance) -> Precision | None:
    if data is None:
        return None
    return Precision(cast(int, data["digits"]), cast(int, data["scale"]), *_evidence(data, own))


def _required(data: Data, own: Provenance) -> Required:
    provenance, reference = _evidence(data, own)
    attests = Attests(str(data["attests"])) if "attests" in data else None
    return Required(provenance, attests, reference, _when(data))


def _code_use(data: object, own: Provenance, lists: Lists) -> CodeUse | None:
    if data is None:
        return None
    use = {"list": data} if isinstance(data, str) else cast(Data, data)
    name = str(use["list"])
    return CodeUse(name, *_evidence(use, lists[name].provenance if name in lists else own))


def _when(data: Data) -> Condition | None:
    for field, values in cast(Data, data.get("when", {})).items():
        return Condition(field, (values,) if isinstance(values, str) else _strs(values))
    return None


def _reference(data: Data) -> Reference:
    fields = _strs(data["fields"])
    return Reference(
        fields=fields,
        table=str(data["table"]),
        target_fields=_strs(data["target_fields"]) if "target_fields" in data else fields,
        provenance=Provenance(str(data["provenance"])),
        reference=_str(data, "reference"),
        note=_note(data),
    )


def _rules(data: object) -> tuple[RuleUse, ...]:
    return tuple(
        RuleUse(
            rule=str(d["rule"]),
            params=cast("Mapping[str, object]", d.get("params", {})),
            provenance=Provenance(str(d["provenance"])),
            reference=_str(d, "reference"),
            attests=Attests(str(d["attests"])) if "attests" in d else None,
        )
        for d in _several(data)
    )


def _stage(name: str, data: Data) -> Stage:
    return Stage(name, _title(data), _strs(data["tables"]), _strs(data.get("items")))


def _code_list(name: str, data: Data, document: Document | None) -> CodeList:
    own = Provenance(str(data["provenance"]))
    codes = tuple(
        Code(
            code=row["code"],
            title=Text(row.get("title", ""), row.get("title_en", "")),
            provenance=Provenance(row.get("provenance") or own),
            parent=row.get("parent", ""),
            since=row.get("since", ""),
            until=row.get("until", ""),
        )
        for _, row in (document.rows if document else ())
    )
    return CodeList(
        id=name,
        title=_title(data),
        closed=bool(data.get("closed", False)),
        provenance=own,
        codes=codes,
        pattern=_str(data, "pattern"),
        note=_note(data),
        by_code={c.code: c for c in codes},
    )


def _evidence(data: Data, own: Provenance) -> tuple[Provenance, str]:
    return Provenance(str(data.get("provenance", own))), _str(data, "reference")


def _title(data: Data) -> Text:
    return Text(str(data["title"]), str(data["title_en"]))


def _note(data: Data) -> Text:
    return Text(_str(data, "note"), _str(data, "note_en"))


def _str(data: Data, key: str) -> str:
    return str(data.get(key, ""))


def _strs(data: object) -> tuple[str, ...]:
    return tuple(cast("Sequence[str]", data)) if data is not None else ()


def _maps(data: object) -> Mapping[str, Data]:
    return cast("Mapping[str, Data]", data)


def _several(data: object) -> tuple[Data, ...]:
    """One inline table or a list of them."""
    if data is None:
        return ()
    return (cast(Data, data),) if isinstance(data, dict) else tuple(cast("Sequence[Data]", data))
