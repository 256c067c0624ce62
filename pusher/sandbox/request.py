"""A request body as the sandbox reads it: JSON or XML into one shape.

It reads the convention of decisions 7 and nothing else. XML is read without DTD, entities or
network.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from dataclasses import dataclass

import orjson
from lxml import etree

from validator.records import Operation

#: Bytes of a body at most, packed or not.
BODY_LIMIT = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SentRecord:
    """One record of a request."""

    index: int
    operation: Operation
    reason: str
    key: Mapping[str, str]
    fields: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class SentBatch:
    """A request."""

    id: str
    standard: str
    table: str
    division: str
    records: tuple[SentRecord, ...]


def plain(body: bytes, encoding: str) -> bytes:
    """The body without its compression. Raises ValueError."""
    if encoding != "gzip":
        return body
    packed = zlib.decompressobj(wbits=31)
    try:
        made = packed.decompress(body, BODY_LIMIT)
    except zlib.error as fault:
        raise ValueError("the body is no gzip") from fault
    if packed.unconsumed_tail:
        raise ValueError("the body is too large")
    return made


def read_json(body: bytes) -> SentBatch:
    """Raises ValueError for anything that is not the convention."""
    document = orjson.loads(body)
    try:
        records = tuple(
            SentRecord(
                _whole(entry["index"]),
                Operation(entry["op"]),
                str(entry["reason"]),
                _texts(entry["key"]),
                _texts(entry["fields"]),
            )
            for entry in document["records"]
        )
        return SentBatch(
            _text(document["batch"]),
            _text(document["standard"]),
            _text(document["table"]),
            _text(document["division"]),
            _distinct(records),
        )
    except (KeyError, TypeError) as fault:
        raise ValueError(f"member {fault} is missing or wrong") from fault


def keys_of(body: bytes) -> list[dict[str, str]]:
    """The keys of a look-up. Raises ValueError for anything that is not the convention."""
    document = orjson.loads(body)
    try:
        return [dict(_texts(key)) for key in document["keys"]]
    except (KeyError, TypeError) as fault:
        raise ValueError(f"member {fault} is missing or wrong") from fault


def read_xml(body: bytes) -> SentBatch:
    """Raises ValueError for anything that is not the convention."""
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False
    )
    try:
        root = etree.fromstring(body, parser)
    except etree.XMLSyntaxError as fault:
        raise ValueError("not well-formed XML") from fault
    if root.getroottree().docinfo.internalDTD is not None:
        raise ValueError("a DTD is refused")
    try:
        records = tuple(
            SentRecord(
                int(str(entry.attrib["index"])),
                Operation(str(entry.attrib["op"])),
                str(entry.attrib["reason"]),
                _children(entry.find("key")),
                _children(entry.find("fields")),
            )
            for entry in root.iterfind("record")
        )
        return SentBatch(
            str(root.attrib["id"]),
            str(root.attrib["standard"]),
            str(root.attrib["table"]),
            str(root.attrib["division"]),
            _distinct(records),
        )
    except KeyError as fault:
        raise ValueError(f"attribute {fault} is missing") from fault


def _children(group: etree._Element | None) -> Mapping[str, str]:
    if group is None:
        raise ValueError("key or fields are missing")
    return {str(child.tag): child.text or "" for child in group}


def _texts(values: object) -> Mapping[str, str]:
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        raise ValueError("key and fields are objects of texts")
    return values


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError("batch, standard, table and division are texts")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise ValueError("index is an integer")
    return value


def _distinct(records: tuple[SentRecord, ...]) -> tuple[SentRecord, ...]:
    if len({record.index for record in records}) != len(records):
        raise ValueError("an index stands twice")
    return records
