"""The inspector's record page tells what a target wrote back on the case of a record."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

import fire_values as fire
from inspector_values import CASES, NIGHTS, SECOND, app_of, copy_of, nights, site_of, visiting

from pusher.inbound import InboundRow, judge
from pusher.ledger import inbound, open_ledger
from validator.load import load_packs

PROCESS = "SPGL_XMSPGCXXB"


def test_the_record_page_shows_feedback_without_names(tmp_path: Path) -> None:
    made = copy_of(nights(), tmp_path)
    packs = load_packs(("data-sharing-3.0", "fire-inspection-1.0", fire.STANDARD))
    row = {"LSH": made.refused, "SPJG": "3", "SPRXM": "王小五", "SPYJ": "电话13800000000"}
    ledger = open_ledger(made.state / "ledger.db")
    with ledger.transaction():
        judged = judge(InboundRow("r1", row), PROCESS, packs.pack(fire.STANDARD).feedback)
        table = f"{fire.STANDARD}/{PROCESS}"
        inbound.store(ledger, "province", table, [judged], NIGHTS[SECOND])
    ledger.close()
    site = replace(site_of(made), packs=packs)
    with visiting(app_of(site)) as visitor:
        text = visitor.get(f"/record?run={SECOND}&table={CASES}&k.SPSXSLBM={made.refused}")
        (line,) = re.findall(r"<li><time[^>]*>[^<]*</time> <b>province</b>.*?</li>", text)
        assert "SPJG=3 已受理 · 已接收" in line
        assert "王小五" not in text
        assert "13800000000" not in text
        told = visitor.json(f"/record.json?run={SECOND}&table={CASES}&k.SPSXSLBM={made.refused}")
        assert [came["target"] for came in told["came"]] == ["province"]
        other = visitor.get(f"/record?run={SECOND}&table={CASES}&k.SPSXSLBM=NONE")
        assert "province" not in other
