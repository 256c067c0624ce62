"""Deletions of a push: from a list of keys, or from what a full export no longer holds.

    table,GCDM,SPSXSLBM,reason
    SPGL_XMJBXXB,2401-441802-04-01-100126,,项目撤销

A deletion is an invalidating row like one in the export; the ledger leaves out what the target
never had. Nothing is guessed: a doubtful list stops before anything is entered, a doubtful export
derives no deletion.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from spgl.cli import Call
from spgl.config import ConfigError
from validator.lexical import canonical, is_blank, matches
from validator.pack import Packs, Table
from validator.records import Record
from validator.run import Run
from validator.text import Lang, Text

if TYPE_CHECKING:
    from pusher.ledger.absent import Absent, Seen
    from pusher.ledger.core import Ledger

#: Share of a table's records at the target that a snapshot may delete in one run.
SHARE = 0.05
_TABLE, _REASON = ("table", "表", "表名"), ("reason", "原因", "作废原因")
_GONE = Text("全量导出中已无此记录", "no longer in the full export")


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a table's deletions were not derived."""

    table: str
    why: Text


def read_list(path: Path, ledger: Ledger, target: str, packs: Packs, lang: Lang) -> list[Record]:
    """The deletions of a CSV file (UTF-8 or GB18030). Raises ConfigError naming the line."""
    rows = list(csv.reader(io.StringIO(_text(path, lang))))
    if not rows:
        raise ConfigError(f"--deletions {path}: " + _EMPTY[lang])
    header = [cell.strip() for cell in rows[0]]
    at = _column(path, header, _TABLE, lang)
    why = _column(path, header, _REASON, lang)
    made: list[Record] = []
    for number, row in enumerate(rows[1:], 2):
        if all(is_blank(cell) for cell in row):
            continue
        try:
            cells = dict(zip(header, row, strict=True))
        except ValueError as fault:
            raise _wrong(path, number, _RAGGED, lang) from fault
        table = _table(packs, cells[at].strip(), path, number, lang)
        reason = cells[why].strip()
        if not reason:
            raise _wrong(path, number, _NO_REASON, lang)
        key = _key(table, cells, path, number, lang)
        made.append(_deletion(ledger, target, table, key, reason, str(path), number))
    return made


def _deletion(
    ledger: Ledger, target: str, table: Table, key: dict[str, str], reason: str, file: str, at: int
) -> Record:
    from pusher.ledger.absent import deletion, division_of

    division = division_of(ledger, target, table.qualified, key) or ""
    return deletion(table.qualified, key, division, reason, file, at)


def _text(path: Path, lang: Lang) -> str:
    try:
        raw = path.read_bytes()
    except OSError as fault:
        raise ConfigError(f"--deletions {path}: {fault.strerror}") from fault
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    raise ConfigError(f"--deletions {path}: " + _BYTES[lang])


def _column(path: Path, header: Sequence[str], names: Iterable[str], lang: Lang) -> str:
    for name in header:
        if name.lower() in names:
            return name
    found = _NO_COLUMN.fill({"name": next(iter(names))})
    raise ConfigError(f"--deletions {path}: {found[lang]}")


def _table(packs: Packs, name: str, path: Path, number: int, lang: Lang) -> Table:
    found = packs.named(name)
    if len(found) != 1:
        raise _wrong(path, number, _NO_TABLE.fill({"name": name}), lang)
    return found[0]


def _key(
    table: Table, cells: dict[str, str], path: Path, number: int, lang: Lang
) -> dict[str, str]:
    """The natural key in canonical form; a part may be blank only where the key is inferred."""
    key: dict[str, str] = {}
    folded = {name.upper(): value for name, value in cells.items()}
    for name in table.key.fields:
        text = folded.get(name, "")
        kind = table.by_name[name].kind
        if is_blank(text):
            raise _wrong(path, number, _NO_KEY.fill({"name": name, "table": table.name}), lang)
        if not matches(kind, text.strip()):
            raise _wrong(path, number, _BAD_KEY.fill({"name": name, "kind": str(kind)}), lang)
        key[name] = canonical(kind, text.strip())
    return key


def contradicted(records: Iterable[Record], listed: Sequence[Record], lang: Lang) -> None:
    """Raises ConfigError when the export still holds a record that is to be deleted."""
    from validator.records import Operation

    wanted = {(r.table, tuple(sorted(r.key.items()))): r for r in listed}
    for record in records:
        found = wanted.get((record.table, tuple(sorted(record.key.items()))))
        if found is not None and record.operation is Operation.UPSERT:
            places = {"place": f"{record.file} {record.record}"}
            raise _wrong(Path(found.file), found.record, _CONTRADICTED.fill(places), lang)


@dataclass(slots=True)
class Snapshot:
    """Derives deletions once the export has passed; `doubts` and `deleted` are known after that."""

    ledger: Ledger
    seen: Seen
    run: Run
    tables: Sequence[str]
    share: float
    lang: Lang
    doubts: list[Doubt]
    deleted: int = 0

    def after(self, records: Iterable[Record]) -> Iterator[Record]:
        """The records, then the deletions of what the target holds beyond them."""
        from pusher.ledger.absent import absent, deletion

        yield from self.seen.noting(records)
        if self.run.problems:
            files = ", ".join(p.file for p in self.run.problems[:3])
            self.doubts.append(Doubt("*", _UNREAD_FILE.fill({"files": files})))
            return
        found = absent(self.ledger, self.seen, self.tables)
        for part in reversed(found):  # children before their parents
            doubt = self._doubt(part)
            if doubt is not None:
                self.doubts.append(Doubt(part.table, doubt))
                continue
            for number, (key, division) in enumerate(part.gone, 1):
                self.deleted += 1
                yield deletion(part.table, key, division, _GONE.zh, "--snapshot", number)

    def _doubt(self, part: Absent) -> Text | None:
        if not part.gone:
            return None
        if self.run.tables[part.table].unreadable:
            return _UNREAD_RECORD
        if part.table in self.seen.vague:
            return _VAGUE
        if part.share > self.share:
            return _TOO_MANY.fill(
                {
                    "gone": f"{len(part.gone):,}",
                    "held": f"{part.held:,}",
                    "share": f"{100 * self.share:g} %",
                }
            )
        return None


def snapshot(
    call: Call, ledger: Ledger, target: str, run: Run, chosen: frozenset[str] | None
) -> Snapshot:
    """The snapshot asked for, over the tables of the export; a table it lacks loses nothing."""
    from pusher.ledger.absent import Seen

    tables = [name for name in run.tables if chosen is None or name in chosen]
    return Snapshot(ledger, Seen(target), run, tables, call.args.snapshot_max / 100, call.lang, [])


def tell(made: Snapshot, lang: Lang) -> str:
    """What a snapshot derived, and why it did not, a line each."""
    lines = [_DERIVED.fill({"deleted": f"{made.deleted:,}"})[lang]]
    doubts = (_NOT_DERIVED.fill({"table": d.table})[lang] + d.why[lang] for d in made.doubts)
    return "\n".join([*lines, *doubts])


def _wrong(path: Path, number: int, text: Text, lang: Lang) -> ConfigError:
    return ConfigError(f"--deletions {path}:{number}: {text[lang]}")


_EMPTY = Text(
    "文件为空；第一行应为 table、各主键字段、reason",
    "the file is empty; its first line names table, the key fields and reason",
)
_BYTES = Text("不是 UTF-8 或 GB18030 文本，请另存", "neither UTF-8 nor GB18030; save it again")
_NO_COLUMN = Text("表头缺少 {name} 列", "the header lacks a column {name}")
_RAGGED = Text("列数与表头不同", "not as many cells as the header")
_NO_REASON = Text("缺少作废原因，请在 reason 列填写", "no reason; fill the column reason")
_NO_TABLE = Text(
    "没有表 {name}，或两个标准包都有：请写成 标准/表名",
    "no table {name}, or two packs have it: write STANDARD/TABLE",
)
_NO_KEY = Text("缺少 {table} 的主键字段 {name}", "the key field {name} of {table} is missing")
_BAD_KEY = Text("{name} 应为 {kind}", "{name} is no {kind}")
_CONTRADICTED = Text(
    "导出中仍有此有效记录（{place}），请从清单或导出中去掉一处",
    "the export still holds this record as valid ({place}); take it out of one of the two",
)
_DERIVED = Text(
    "全量比对：{deleted} 条记录不在导出中，按删除处理",
    "snapshot: {deleted} records are no longer in the export and are withdrawn",
)
_NOT_DERIVED = Text("全量比对未对 {table} 推定删除：", "snapshot derived nothing for {table}: ")
_UNREAD_FILE = Text(
    "有文件无法读取（{files}），请修复后重新投送",
    "files could not be read ({files}); repair them and push again",
)
_UNREAD_RECORD = Text(
    "表中有记录无法读取，不能断定哪些已删除",
    "some of its records could not be read, so none can be said to be gone",
)
_VAGUE = Text(
    "表中有记录缺少主键，不能断定哪些已删除",
    "some of its records lack a key, so none can be said to be gone",
)
_TOO_MANY = Text(
    "国家系统的 {held} 条中有 {gone} 条不在导出中，超过上限 {share}；"
    "确认导出完整后用 --snapshot-max 放宽",
    "{gone} of {held} records at the target are not in the export, more than {share}; if the "
    "export is whole, raise --snapshot-max",
)
