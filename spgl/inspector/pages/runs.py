"""The stored runs, newest first, and one run in full."""

from __future__ import annotations

from dataclasses import dataclass

from spgl.inspector import words
from spgl.inspector.runs import Night, night
from spgl.inspector.site import Ask, Page, Site
from validator.reports import phrases
from validator.reports.summary import books, verdict_head
from validator.run import FileProblem, PackLine, TableCounts
from validator.text import Text

_ROWS = 50


@dataclass(frozen=True, slots=True)
class RunList:
    """One page of runs; `after_url` leads to older ones."""

    runs: tuple[Night, ...]
    after_url: str


@dataclass(frozen=True, slots=True)
class OneRun:
    """A run: its head, its tables, what held records back. `held`: records by rule."""

    run: Night
    verdict: Text
    times: Text
    books: Text
    packs: tuple[tuple[PackLine, Text], ...]
    notes: tuple[Text, ...]
    problems: tuple[FileProblem, ...]
    tables: dict[str, TableCounts]
    held: tuple[tuple[str, Text, int], ...]
    files: dict[str, int]
    previous: str


def build_list(site: Site, ask: Ask) -> RunList:
    found = site.runs.nights(_ROWS + 1, ask.one("before"))
    more = len(found) > _ROWS
    return RunList(found[:_ROWS], f"/runs?before={found[_ROWS - 1].id}" if more else "")


def build_one(site: Site, ask: Ask) -> OneRun:
    run = site.runs.open(ask.place["run"]).run
    held = sorted(run.held.items(), key=lambda h: (-h[1], h[0]))
    return OneRun(
        run=night(run),
        verdict=verdict_head(run),
        times=phrases.times(run.started, run.finished),
        books=books(run),
        packs=tuple((p, phrases.basis(p)) for p in run.packs),
        notes=run.notes,
        problems=run.problems,
        tables=dict(run.tables),
        held=tuple((r, words.PARENT if r == "parent" else site.names.rule(r), n) for r, n in held),
        files=dict(run.files),
        previous=site.runs.before(run),
    )


PAGES = (
    Page("/runs", "runs.html", words.RUNS, build_list, menu=True),
    Page("/runs/{run}", "run.html", words.RUNS, build_one),
)
