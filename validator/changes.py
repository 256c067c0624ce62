"""The cells that `--normalise` put right in one batch, as stored findings, one per cell.

What a cell was taken for is always masked where the field is personal. Nothing is changed here
(`validator.normalise`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import orjson
import polars as pl

from validator.finding import Ints, Spot, Veil, build
from validator.mask import masked
from validator.normalise import Step
from validator.pack import Personal, Table
from validator.records import Batch, Changed
from validator.rule import Use
from validator.text import Text

_SAID = {
    Step.NULL: Text("表示空值的文本", "a text for no value"),
    Step.SPACES: Text("去掉多余空白", "stray spaces"),
    Step.WIDTH: Text("全角改半角", "full-width characters"),
    Step.CASE: Text("改为大写", "capitals"),
    Step.DATE: Text("日期写法", "form of the date"),
    Step.LABEL: Text("名称改为代码", "label of a code"),
}
_NOTHING = Text("空值", "missing")


def numbered(table: Table, batch: Batch, first: int) -> tuple[Ints, Ints]:
    """Use number and row of each change; uses of the table's fields are numbered from `first`."""
    at = {f.name: first + i for i, f in enumerate(table.fields)}
    use = [np.full(len(c.rows), at[name], dtype=np.int64) for name, c in batch.changed.items()]
    return np.concatenate(use), np.concatenate([c.rows for c in batch.changed.values()])


def findings(
    table: Table, uses: Sequence[Use], use: Ints, rows: Ints, batch: Batch, veil: Veil
) -> Iterator[pl.DataFrame]:
    """One row per change, as `finding.build` gives them; the value is the cell as written."""
    params = [
        text
        for name, changed in batch.changed.items()
        for text in _params(table.by_name[name].personal, changed)
    ]
    written = batch.frame.with_columns(
        batch.frame[name].scatter(changed.rows, changed.before)
        for name, changed in batch.changed.items()
    )
    spot = Spot(written, batch.ordinals, batch.lines)
    yield from build(table, uses, use, rows, spot, veil, params)


def _params(personal: Personal | None, changed: Changed) -> Iterator[str]:
    for after, step in zip(changed.after, changed.step, strict=True):
        said = _SAID[Step(step)]
        shown = after if after is None or personal is None else masked(personal, after)
        zh, en = _NOTHING.zh, _NOTHING.en
        if shown is not None:
            zh = en = f"“{shown}”"
        places = {"after": zh, "after_en": en, "step": said.zh, "step_en": said.en}
        yield orjson.dumps(places).decode()
