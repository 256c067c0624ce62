"""What a person does from a page: send again, withdraw, mark as known. Nothing is shown here.

Retry and withdraw are the ledger's own acts, with who and when. Marking as known writes the
baseline file and, where the ledger knows the record, a remark in its life; it holds or releases
nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from pusher.ledger.actions import Act, retry, withdraw
from pusher.ledger.core import Ledger
from pusher.ledger.database import LedgerError
from pusher.ledger.queries import life
from pusher.ledger.remark import remark
from pusher.ledger.selector import Selector
from spgl.inspector.ledger import places, there
from spgl.inspector.site import Refusal, Site
from validator import baseline
from validator.records import SourceError
from validator.reports.tally import qualified
from validator.text import Text
from validator.violation import Violation

_REASON = 200
#: One writer at a time: the baseline is read, changed and written as a whole.
_WRITING = threading.Lock()


@dataclass(frozen=True, slots=True)
class Acted:
    """What was done, for the log, and the page to go back to."""

    act: str
    subject: str
    back: str


def act(site: Site, form: Mapping[str, str]) -> Acted:
    """Do what a form asks. Raises Refusal."""
    name, back = form.get("act", ""), form.get("back", "")
    if not back.startswith("/") or back.startswith("//") or "\\" in back:
        back = "/"
    if name in ("retry", "withdraw"):
        return Acted(name, _version(site, name, form.get("version", "")), back)
    if name == "known":
        return Acted(name, _known(site, form), back)
    raise Refusal(400, _UNKNOWN)


def known(site: Site, violations: tuple[Violation, ...]) -> frozenset[str]:
    """Fingerprints of these violations that the baseline holds."""
    entries = _baseline(site).entries
    return frozenset(v.fingerprint for v in violations if v.fingerprint in entries)


def _version(site: Site, name: str, text: str) -> str:
    if not text.isascii() or not text.isdigit():
        raise Refusal(400, _UNKNOWN)
    if not there(site.ledger):
        raise Refusal(404, _NO_LEDGER)
    done = _in_ledger(site, name, int(text))
    if not done.moved:
        why = done.left[0][1] if done.left else _NO_STATE
        raise Refusal(409, _NOT_MOVED.fill({"why": why}))
    return f"version {text}"


def _in_ledger(site: Site, name: str, version: int) -> Act:
    try:
        ledger = site.ledger.open()
        try:
            make = retry if name == "retry" else withdraw
            return make(ledger, Selector(handles=(version,)), site.rights.who, site.now())
        finally:
            ledger.close()
    except LedgerError as fault:
        raise Refusal(503, fault.text) from fault


def _known(site: Site, form: Mapping[str, str]) -> str:
    fingerprint, reason = form.get("fingerprint", ""), form.get("reason", "").strip()[:_REASON]
    if not reason:
        raise Refusal(400, _NO_REASON)
    index = site.indexes.open(form.get("run", ""))
    at = index.frame.select(pl.arg_where(pl.col("fingerprint") == fingerprint)).to_series()
    if not at.len():
        raise Refusal(404, _NO_VIOLATION)
    violation = index.violations([int(at[0])])[0]
    today = site.now().date()
    signed = f"{reason} ({site.rights.who})"
    with _WRITING:
        before = _baseline(site)
        added = baseline.make([violation], today=today, reason=signed, known=before)
        entries = {**before.entries, **added.entries}
        try:
            baseline.write(site.baseline_path, baseline.Baseline(entries))
        except OSError as fault:
            text = _NOT_WRITTEN.fill({"file": site.baseline_path, "fault": fault.strerror})
            raise Refusal(503, text) from fault
    _remark(site, violation, reason)
    return fingerprint[:16]


def _remark(site: Site, violation: Violation, reason: str) -> None:
    """Write it beside the record's newest version at every target that knows the record."""
    table = qualified(violation)
    if not there(site.ledger) or table is None or not violation.key:
        return
    try:
        ledger = site.ledger.open()
    except LedgerError as fault:
        raise Refusal(503, fault.text) from fault
    try:
        for version in _versions(ledger, table, violation.key):
            note = f"{violation.rule} marked as known: {reason}"
            remark(ledger, version, note, site.rights.who, site.now())
    finally:
        ledger.close()


def _versions(ledger: Ledger, table: str, key: Mapping[str, str]) -> list[int]:
    found = (life(ledger, p.target, table, key) for p in places(ledger, table=table))
    return [f.versions[-1].entry.handle for f in found if f is not None and f.versions]


def _baseline(site: Site) -> baseline.Baseline:
    if not site.baseline_path.exists():
        return baseline.Baseline({})
    try:
        return baseline.read(site.baseline_path)
    except SourceError as fault:
        raise Refusal(503, fault.text) from fault


_UNKNOWN = Text("没有这种处置", "no such act")
_NO_LEDGER = Text("还没有台账", "there is no ledger yet")
_NO_REASON = Text("请写明原因", "say why")
_NO_VIOLATION = Text("这次运行没有这个问题", "this run has no such violation")
_NO_STATE = Text("当前状态不允许", "it is in no state that allows it")
_NOT_MOVED = Text(
    "未处置：{why}。记录的状态可能刚刚变化，请返回刷新",
    "nothing was done: {why}; its state may just have changed, go back and reload",
)
_NOT_WRITTEN = Text(
    "基线文件 {file} 无法写入：{fault}", "the baseline file {file} cannot be written: {fault}"
)
