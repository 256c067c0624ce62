"""A batch as the bytes of an HTTP request body, JSON or XML (decisions 7).

The same batch gives the same bytes on every attempt: an idempotency key stands for exactly them.
Values are canonical strings and stay strings. This module judges no value.
"""

from __future__ import annotations

import gzip

import orjson
from lxml import etree

from pusher.transport import Batch, Failure, Parcel, TransportError


def json_body(batch: Batch) -> bytes:
    """The JSON document of decisions 7: the batch, and per record index, op, reason, key, fields.

    Raises TransportError(RECORD) for text that no JSON can carry (lone surrogates).
    """
    document = {
        "batch": batch.id,
        "standard": batch.standard,
        "table": batch.table,
        "division": batch.division,
        "records": [
            {
                "index": parcel.index,
                "op": parcel.operation,
                "reason": parcel.reason,
                "key": dict(parcel.key),
                "fields": dict(parcel.fields),
            }
            for parcel in batch.parcels
        ],
    }
    try:
        return orjson.dumps(document)
    except orjson.JSONEncodeError as fault:
        raise _unfit("JSON", batch, fault) from fault


def xml_body(batch: Batch) -> bytes:
    """The same tree in XML: `batch/record/key|fields/NAME`, attributes for the rest, UTF-8.

    Raises TransportError(RECORD) for text that XML 1.0 cannot carry (control characters).
    """
    root = etree.Element(
        "batch",
        {
            "id": batch.id,
            "standard": batch.standard,
            "table": batch.table,
            "division": batch.division,
        },
    )
    for parcel in batch.parcels:
        try:
            root.append(_record(parcel))
        except ValueError as fault:
            raise _unfit("XML", batch, fault, parcel.index) from fault
    return etree.tostring(root, xml_declaration=True, encoding="UTF-8")


def gzipped(body: bytes) -> bytes:
    """`body` compressed, without a time stamp so that equal bodies give equal bytes."""
    return gzip.compress(body, compresslevel=3, mtime=0)


def _record(parcel: Parcel) -> etree._Element:
    record = etree.Element(
        "record", {"index": str(parcel.index), "op": str(parcel.operation), "reason": parcel.reason}
    )
    for name, values in (("key", parcel.key), ("fields", parcel.fields)):
        group = etree.SubElement(record, name)
        for field, value in values.items():
            etree.SubElement(group, field).text = value
    return record


def _unfit(form: str, batch: Batch, fault: Exception, index: int | None = None) -> TransportError:
    where = f"record {index} of " if index is not None else "a record of "
    return TransportError(
        Failure.RECORD, form, f"{where}{batch.table} holds text that {form} cannot carry"
    )
