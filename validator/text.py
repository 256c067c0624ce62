"""A text for people in both languages. It knows no catalogue and no current language."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Lang = Literal["zh", "en"]


@dataclass(frozen=True, slots=True)
class Text:
    """One text in Chinese and English; either may hold `{name}` places for `fill`."""

    zh: str
    en: str

    def __getitem__(self, lang: Lang) -> str:
        return self.zh if lang == "zh" else self.en

    def fill(self, values: Mapping[str, object]) -> Text:
        """The text with its `{name}` places replaced, by a Text in its language; a place without a
        value stays as written."""
        return Text(_fill(self.zh, values, "zh"), _fill(self.en, values, "en"))


class _Keep(dict[str, object]):
    def __missing__(self, name: str) -> str:
        return "{" + name + "}"


def _fill(template: str, values: Mapping[str, object], lang: Lang) -> str:
    known = {n: v[lang] if isinstance(v, Text) else v for n, v in values.items()}
    return template.format_map(_Keep(known))
