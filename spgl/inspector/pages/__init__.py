"""The pages, one module each: `PAGES` lists them, in the order of the menu.

A page turns data into a frozen value; its look is a template, its address is the server's.
"""

from __future__ import annotations

from spgl.inspector.pages import (
    case,
    compare,
    ledger,
    monitoring,
    overview,
    packs,
    project,
    record,
    rules,
    runs,
    violations,
)
from spgl.inspector.site import Page

PAGES: tuple[Page, ...] = (
    *overview.PAGES,
    *violations.PAGES,
    *project.PAGES,
    *case.PAGES,
    *ledger.PAGES,
    *runs.PAGES,
    *monitoring.PAGES,
    *rules.PAGES,
    *packs.PAGES,
    *record.PAGES,
    *compare.PAGES,
)
