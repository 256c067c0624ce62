"""The form that asks for the token; what is right is decided in `security`."""

from __future__ import annotations

from dataclasses import dataclass

from spgl.inspector.site import Ask, Site
from validator.text import Text

TITLE = Text("需要令牌", "Token needed")


@dataclass(frozen=True, slots=True)
class Login:
    """Nothing but the form; `csrf` is its own token."""

    csrf: str


def build(site: Site, _ask: Ask) -> Login:
    return Login(site.csrf)
