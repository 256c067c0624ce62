"""Severity follows evidence. What a site overrides is applied by the caller."""

from __future__ import annotations

from collections.abc import Mapping

from validator.pack import Attests, Provenance
from validator.violation import Severity

_STRONG = {Provenance.OFFICIAL, Provenance.NATIONAL, Provenance.REGULATION}


def by_evidence(
    provenance: Provenance, *, attests: Attests | None = None, open_list: bool = False
) -> Severity:
    """Severity of a rule use from its strongest provenance.

    Official, national and read regulation block. Deployed blocks, except where the mark only says
    that a sender fills the field or that another interface asks for it, or where the list is open.
    What is only a notice to people never blocks. Earlier warns, inferred informs.
    """
    told = attests is Attests.NOTICE
    if provenance in _STRONG:
        return Severity.WARNING if open_list or told else Severity.ERROR
    if provenance is Provenance.DEPLOYED:
        weak = told or attests in (Attests.SENDER_FILLS, Attests.OTHER_INTERFACE) or open_list
        return Severity.WARNING if weak else Severity.ERROR
    return Severity.WARNING if provenance is Provenance.EARLIER else Severity.INFO


def overridden(
    severity: Severity,
    overrides: Mapping[str, Severity],
    *,
    rule: str,
    table: str,
    fields: tuple[str, ...],
) -> Severity:
    """`overrides` by `TABLE.FIELD.rule`, `TABLE.rule`, `rule`; the most specific wins."""
    names = [f"{table}.{name}.{rule}" for name in fields]
    for name in (*names, f"{table}.{rule}", rule):
        if name in overrides:
            return overrides[name]
    return severity
