"""What a setting is, and the forms that settings have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from validator.text import Text


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: `name` is its dotted path in `spgl.toml`, `schema` a JSON Schema."""

    name: str
    schema: Mapping[str, object]
    default: object
    title: Text
    env: str = ""


TEXT = {"type": "string", "minLength": 1}
TEXTS = {"type": "array", "items": TEXT}
COUNT = {"type": "integer", "minimum": 1}
SECONDS = {"type": "number", "exclusiveMinimum": 0}
FLAG = {"type": "boolean"}
NAMES = {"type": "object", "additionalProperties": TEXT}


def choice(*values: object) -> Mapping[str, object]:
    """One of some values."""
    return {"enum": list(values)}
