"""The rules, one file each; the folder is the registry.

A rule file defines `RULE`: metadata, texts, a good and a bad example, and the check. Adding a rule
is adding a file. What uses which rule where is said by the packs; compiling is `validator.plan`.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache

from validator.rule import Rule


@cache
def rules() -> dict[str, Rule]:
    """Every rule by its name, sorted. Importing is lazy: the folder is read on first call."""
    found: dict[str, Rule] = {}
    for module in sorted(m.name for m in pkgutil.iter_modules(__path__)):
        rule = importlib.import_module(f"{__name__}.{module}").RULE
        if rule.name.replace("-", "_") != module:
            raise AssertionError(f"rule {rule.name} must live in {rule.name.replace('-', '_')}.py")
        found[rule.name] = rule
    return found
