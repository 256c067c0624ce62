"""Reports: one renderer per format, found by name. A renderer's module is imported when used.

Renderers hold no logic: counting is `tally`, short sentences are `summary`. Which violations a run
has, what is masked and how grave it is was decided before.
"""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from types import MappingProxyType
from typing import IO, Protocol, cast

from validator.pack import Packs
from validator.run import Result
from validator.text import Lang, Text
from validator.whole_file import whole_file


@dataclass(frozen=True, slots=True)
class ReportOptions:
    """How a report looks; never what it counts.

    `color`: terminal colours (text). `columns`: width of a line (text). `samples`: at most this
    many per rule, severity and table; None takes the format's own cap; machine formats hold every
    violation. `tool`: who wrote the report, with version.
    """

    color: bool = False
    columns: int = 100
    samples: int | None = None
    tool: str = "spgl"


class BinaryRenderer(Protocol):
    """Writes UTF-8 bytes."""

    def __call__(
        self, result: Result, packs: Packs, out: IO[bytes], *, lang: Lang, options: ReportOptions
    ) -> None: ...


class TextRenderer(Protocol):
    """Writes text in the encoding of its stream."""

    def __call__(
        self, result: Result, packs: Packs, out: IO[str], *, lang: Lang, options: ReportOptions
    ) -> None: ...


@dataclass(frozen=True, slots=True)
class Format:
    """One report format. `binary`: its renderer takes a binary stream, else a text stream.
    `screen`: sensible on standard output (`--format`); every format can go to a file."""

    name: str
    title: Text
    binary: bool
    screen: bool

    def render(
        self,
        result: Result,
        packs: Packs,
        out: IO[bytes],
        *,
        lang: Lang,
        options: ReportOptions,
    ) -> None:
        """Write the report of `result` as UTF-8 to the binary stream `out`."""
        if self.binary:
            cast(BinaryRenderer, self._renderer())(result, packs, out, lang=lang, options=options)
            return
        stream = TextIOWrapper(out, encoding="utf-8", newline="\n", write_through=True)
        try:
            self.render_text(result, packs, stream, lang=lang, options=options)
        finally:
            stream.detach()

    def render_text(
        self, result: Result, packs: Packs, out: IO[str], *, lang: Lang, options: ReportOptions
    ) -> None:
        """Write the report to a text stream in its own encoding. Raises TypeError if `binary`."""
        if self.binary:
            raise TypeError(f"{self.name} reports are bytes")
        cast(TextRenderer, self._renderer())(result, packs, out, lang=lang, options=options)

    def _renderer(self) -> object:
        return importlib.import_module(f"{__name__}.{self.name}").render


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        f.name: f
        for f in (
            Format("text", Text("终端文本", "text for a terminal"), binary=False, screen=True),
            Format("json", Text("JSON（全部问题）", "JSON, every violation"),
                   binary=True, screen=True),
            Format("jsonl", Text("JSON Lines（每行一个问题）", "JSON Lines, one violation a line"),
                   binary=True, screen=True),
            Format("concise", Text("每行一个问题的文本", "text, one violation a line"),
                   binary=False, screen=True),
            Format("csv", Text("CSV（每行一个问题）", "CSV, one violation a row"),
                   binary=True, screen=True),
            Format("xlsx", Text("Excel 工作簿（汇总和明细）", "Excel workbook, all details"),
                   binary=True, screen=False),
            Format("markdown", Text("Markdown 摘要（持续集成页面）", "Markdown summary for CI"),
                   binary=False, screen=True),
            Format("sarif", Text("SARIF 2.1.0（代码扫描服务）", "SARIF 2.1.0 for code scanning"),
                   binary=True, screen=True),
            Format("github", Text("GitHub 注释", "GitHub annotations"),
                   binary=False, screen=True),
            Format("gitlab", Text("GitLab 代码质量", "GitLab code quality"),
                   binary=True, screen=True),
            Format("junit", Text("JUnit XML（持续集成）", "JUnit XML for CI"),
                   binary=True, screen=True),
            Format("html", Text("网页报告（单文件，可离线）", "HTML, one offline file"),
                   binary=True, screen=False),
        )
    }
)  # fmt: skip


def write(
    name: str, path: Path, result: Result, packs: Packs, *, lang: Lang, options: ReportOptions
) -> None:
    """Write the report `name` to `path`; a reader never sees half of one. Raises OSError."""
    with whole_file(path) as out:
        FORMATS[name].render(result, packs, out, lang=lang, options=options)
