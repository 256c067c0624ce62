"""The CI recipes: valid for their services, and their spgl commands are ones spgl understands."""

from __future__ import annotations

import argparse
import importlib
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from validator.reports import FORMATS

ROOT = Path(__file__).parent.parent
CI = ROOT / "examples" / "ci"
RECIPES = sorted(path for path in CI.iterdir() if path.is_file())
PAGE = ROOT / "docs" / "ci.md"


def yaml(name: str) -> Any:
    return YAML(typ="safe", pure=True).load(CI / name)


def commands(path: Path) -> list[list[str]]:
    """Every spgl command of a file as words; lines go on after a backslash or under `>-`."""
    text = re.sub(r"\\+\n\s*", " ", path.read_text("utf-8"))
    text = re.sub(r"\n\s+(?=--[a-z])", " ", text)
    lines = re.findall(r"^\s*(?:entry: |- )?(spgl (?:validate|report) .*)$", text, re.M)
    return [shlex.split(line) for line in lines]


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        ("github-actions.yml", "vendor.github-workflows"),
        ("gitlab-ci.yml", "vendor.gitlab-ci"),
    ],
)
def test_recipes_are_valid_for_their_service(file: str, schema: str) -> None:
    words = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(CI / file)]
    found = subprocess.run(words, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


@pytest.mark.parametrize("path", [*RECIPES, PAGE], ids=lambda p: p.name)
def test_their_commands_are_understood(path: Path) -> None:
    found = commands(path)
    assert found, f"{path.name} shows no spgl command"
    for _, command, *words in found:
        parser = argparse.ArgumentParser(exit_on_error=False)
        parser.add_argument("--lang", choices=("zh", "en"))
        importlib.import_module(f"spgl.commands.{command}").add(parser, "en")
        args = parser.parse_args(words)
        assert {word.partition("=")[0] for word in args.report} <= set(FORMATS)


def test_reports_that_a_recipe_publishes_are_ones_it_writes() -> None:
    for path in RECIPES:
        text = path.read_text("utf-8")
        made = {w.partition("=")[2] for c in commands(path) for w in c if "=reports/" in w}
        assert set(re.findall(r"reports/[a-z-]+\.[a-z]+", text)) == made, path.name


def test_every_recipe_is_on_the_page_in_both_languages() -> None:
    page = PAGE.read_text("utf-8")
    for path in RECIPES:
        assert page.count(f"](../examples/ci/{path.name})") == 2, path.name
    chinese, english = page.split("## English")
    fenced = [re.findall(r"```sh\n(.*?)```", part, re.S) for part in (chinese, english)]
    unquoted = [[re.sub(r'"[^"]*"', '""', block) for block in part] for part in fenced]
    assert unquoted[0] == unquoted[1], "both languages show the same commands"


def test_every_format_is_on_the_page() -> None:
    page = PAGE.read_text("utf-8")
    for name in set(FORMATS) - {"text", "html"}:
        assert page.count(f"`{name}`") >= 2, name


def test_the_pre_commit_hook_runs_for_exports_only() -> None:
    (repository,) = yaml("pre-commit-config.yaml")["repos"]
    (hook,) = repository["hooks"]
    assert hook["pass_filenames"] is False
    assert re.search(hook["files"], "export/a/SPGL_XMJBXXB.csv")
    assert not re.search(hook["files"], "docs/export.csv")


def test_the_gitlab_recipe_keeps_reports_of_a_failed_check() -> None:
    recipe = yaml("gitlab-ci.yml")["validate-export"]
    assert recipe["artifacts"]["when"] == "always"
    (command,) = recipe["script"]
    assert "\n" not in command.strip()


def test_the_jenkinsfile_is_balanced() -> None:
    text = re.sub(
        r"'''.*?'''|'[^'\n]*'|\"[^\"\n]*\"|//[^\n]*",
        "",
        (CI / "Jenkinsfile").read_text("utf-8"),
        flags=re.S,
    )
    for opening, closing in ("{}", "()"):
        assert text.count(opening) == text.count(closing) > 0
