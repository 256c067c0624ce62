"""Settings: order of origins, unknown and ill-typed settings, targets, paths beside the file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from spgl.config import ConfigError, load, locale_lang
from spgl.settings import schema

ROOT = Path(__file__).parent.parent


def write(folder: Path, text: str) -> Path:
    file = folder / "spgl.toml"
    file.write_text(text, encoding="utf-8")
    return file


def test_flag_beats_environment_beats_file_beats_default(tmp_path: Path) -> None:
    file = write(tmp_path, 'lang = "en"\nstate_dir = "from-file"\n')
    env = {"SPGL_LANG": "zh", "SPGL_STATE_DIR": "from-env"}
    assert load(None, {}, {"LANG": "C"}).values["state_dir"] == ".spgl"
    from_file = load(file, {}, {})
    assert from_file.state_dir == tmp_path / "from-file"
    assert from_file.origins["state_dir"] == str(file)
    from_env = load(file, {}, env)
    assert (from_env.lang, from_env.origins["lang"]) == ("zh", "SPGL_LANG")
    flagged = load(file, {"lang": "en", "state_dir": "x"}, env)
    assert (flagged.lang, flagged.text("state_dir"), flagged.origins["lang"]) == ("en", "x", "flag")


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('lang = "en"\n[ledger]\npth = "x"\n', 3, ("ledger.pth", "did you mean path?")),
        ("colour = true\n", 1, ("unknown setting colour",)),
        ('[severity]\ntoo-long = "fatal"\n', 2, ("severity.too-long",)),
        ('[target.n]\ntransport = "ftp"\nurl = "x"\n', 2, ("target.n.transport",)),
        ('[target.n]\ntransport = "http"\n', 1, ("url",)),
        ("lang = \n", None, ("not valid TOML",)),
    ],
)
def test_a_bad_setting_is_one_line_with_place_and_remedy(
    tmp_path: Path, text: str, line: int | None, words: tuple[str, ...]
) -> None:
    file = write(tmp_path, text)
    with pytest.raises(ConfigError) as caught:
        load(file, {}, {})
    said = str(caught.value)
    assert "\n" not in said
    assert said.startswith(f"{file}:{line}:" if line else f"{file}:")
    for word in words:
        assert word in said


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"nowhere\.toml"):
        load(tmp_path / "nowhere.toml", {}, {})


def test_targets_keep_defaults_and_files_lie_beside_the_settings(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        '[target.a]\ntransport = "http"\nurl = "https://example.invalid"\ntoken_file = "t"\n'
        '[target.b]\ntransport = "exchange_db"\nurl = "sqlite:///x.db"\n',
    )
    settings = load(file, {}, {})
    name, target = settings.target("a")
    assert (name, target["token_file"], target["batch_records"]) == ("a", str(tmp_path / "t"), 100)
    assert settings.target("b")[1]["url"] == f"sqlite:///{tmp_path.resolve() / 'x.db'}"
    with pytest.raises(ConfigError, match="known: a, b"):
        settings.target(None)


def test_the_only_target_needs_no_name(tmp_path: Path) -> None:
    file = write(tmp_path, '[target.only]\ntransport = "http"\nurl = "https://example.invalid"\n')
    assert load(file, {}, {}).target(None)[0] == "only"


@pytest.mark.parametrize(
    ("env", "lang"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"}, "en"),
        ({"LC_MESSAGES": "zh_TW"}, "zh"),
        ({"LANG": "en_GB.UTF-8"}, "en"),
    ],
)
def test_language_follows_the_locale(env: dict[str, str], lang: str) -> None:
    assert locale_lang(env) == lang


def test_the_published_schema_is_the_one_in_force() -> None:
    published = json.loads((ROOT / "docs" / "spgl.schema.json").read_text(encoding="utf-8"))
    assert published == schema()


def test_an_overlay_lies_beside_the_settings(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site/pack.toml").touch()
    file = tmp_path / "spgl.toml"
    file.write_text('[packs]\nuse = ["site", "fire-inspection-1.0"]\n', encoding="utf-8")
    used = load(file, {}, {}).texts("packs.use")
    assert used == (str(tmp_path / "site"), "fire-inspection-1.0")
