"""Settings: flag, environment, file, default — in that order, each with its origin.

`spgl.toml` is checked against the schema of `spgl.settings`; an unknown or ill-typed setting is a
`ConfigError`. Secrets are never settings: a setting names the environment variable or file
that holds one. What a target's settings mean is `pusher.target` and the transports.
"""

from __future__ import annotations

import locale
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from spgl.ledger_place import LedgerPlace, fault_of
from spgl.settings import SETTINGS, TARGET_SETTINGS, Setting, schema
from validator.text import Lang, Text

DEFAULT_FILE = "spgl.toml"


class ConfigError(Exception):
    """A setting or argument that cannot be used: one line saying where, what and what to do."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Every setting with its value and origin. `folder` anchors relative paths of the file."""

    values: Mapping[str, object]
    origins: Mapping[str, str]
    targets: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    file: Path | None = None

    def text(self, name: str) -> str:
        return str(self.values[name])

    def texts(self, name: str) -> tuple[str, ...]:
        value = self.values[name]
        return tuple(str(v) for v in value) if isinstance(value, list | tuple) else ()

    def number(self, name: str) -> int:
        return int(str(self.values[name]))

    def mapping(self, name: str) -> dict[str, str]:
        value = self.values[name]
        return {str(k): str(v) for k, v in value.items()} if isinstance(value, Mapping) else {}

    @property
    def lang(self) -> Lang:
        return "zh" if self.values["lang"] == "zh" else "en"

    @property
    def state_dir(self) -> Path:
        return Path(self.text("state_dir"))

    @property
    def ledger(self) -> LedgerPlace:
        path, url = self.values["ledger.path"], self.values["ledger.url"]
        file = Path(str(path)) if path else self.state_dir / "ledger.db"
        return LedgerPlace(file, str(url or ""), self.text("ledger.schema"))

    def target(self, name: str | None) -> tuple[str, Mapping[str, object]]:
        """The named target, or the only one. Raises ConfigError."""
        if name is None and len(self.targets) == 1:
            name = next(iter(self.targets))
        if name is None or name not in self.targets:
            known = ", ".join(self.targets) or "none"
            where = self.file or DEFAULT_FILE
            raise ConfigError(
                f"{where}: no target {name or 'chosen'} (known: {known}); "
                "add [target.NAME] with transport and url, or name one with --target"
            )
        return name, self.targets[name]


def locale_lang(env: Mapping[str, str]) -> Lang:
    """`zh` for a Chinese locale, else `en`."""
    names = [env[n] for n in ("LC_ALL", "LC_MESSAGES", "LANG") if env.get(n)]
    name = names[0] if names else (locale.getlocale()[0] or "")
    return "zh" if name.lower().startswith(("zh", "chinese")) else "en"


def load(
    file: Path | None, flags: Mapping[str, object], env: Mapping[str, str] = os.environ
) -> Settings:
    """Settings from flags, environment, `file` (`spgl.toml` here if there is one), defaults.

    Relative paths in the file are relative to it. Raises ConfigError.
    """
    found = file or (Path(DEFAULT_FILE) if Path(DEFAULT_FILE).exists() else None)
    written = _read(found) if found else {}
    values: dict[str, object] = {}
    origins: dict[str, str] = {}
    for setting in SETTINGS:
        values[setting.name], origins[setting.name] = _resolve(setting, flags, env, written, found)
    if values["lang"] is None:
        values["lang"], origins["lang"] = locale_lang(env), "locale"
    _check_ledger(values, origins)
    targets = written.get("target", {})
    assert isinstance(targets, dict)
    defaults = {s.name: s.default for s in TARGET_SETTINGS}
    named = {name: {**defaults, **_anchored_target(t, found)} for name, t in targets.items()}
    return Settings(values, origins, named, found)


def _check_ledger(values: Mapping[str, object], origins: Mapping[str, str]) -> None:
    """The ledger has one place, and its address no secret. Raises ConfigError."""
    url = values["ledger.url"]
    if url is None:
        return
    lang: Lang = "zh" if values["lang"] == "zh" else "en"
    where = origins["ledger.url"]
    if values["ledger.path"] is not None:
        words = {"where": where, "other": origins["ledger.path"]}
        raise ConfigError(_TWO_LEDGERS.fill(words)[lang])
    fault = fault_of(str(url), str(values["ledger.schema"]))
    if fault is not None:
        raise ConfigError(f"{where}: {fault[lang]}")


_TWO_LEDGERS = Text(
    "ledger.url（{where}）与 ledger.path（{other}）只能设置一个",
    "ledger.url ({where}) and ledger.path ({other}) exclude each other; keep one",
)


def _resolve(
    setting: Setting,
    flags: Mapping[str, object],
    env: Mapping[str, str],
    written: Mapping[str, object],
    file: Path | None,
) -> tuple[object, str]:
    if flags.get(setting.name) is not None:
        return flags[setting.name], "flag"
    if setting.env and env.get(setting.env):
        return env[setting.env], setting.env
    value: object = written
    for part in setting.name.split("."):
        value = value.get(part) if isinstance(value, Mapping) else None
    if value is None:
        return setting.default, "default"
    if setting.name in ("state_dir", "ledger.path", "feedback.mapping") and file:
        value = _anchored(str(value), file)
    if setting.name == "packs.use" and file and isinstance(value, list):
        value = [_anchored_pack(str(name), file) for name in value]
    return value, str(file)


def _anchored_pack(name: str, file: Path) -> str:
    """A folder beside the settings file, else the name as it is: a shipped pack."""
    folder = file.parent / name
    return str(folder) if (folder / "pack.toml").is_file() else name


def _anchored(path: str, file: Path) -> str:
    return path if "://" in path else str(file.parent / path)


_FILES = ("token_file", "ca_file", "password_file", "hmac_file", "client_cert", "client_key")


def _anchored_target(target: Mapping[str, object], file: Path | None) -> dict[str, object]:
    """File paths of a target, relative to the settings file."""
    made = dict(target)
    for name in _FILES:
        if file and isinstance(made.get(name), str):
            made[name] = _anchored(str(made[name]), file)
    url = str(made.get("url", ""))
    if file and url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
        made["url"] = f"sqlite:///{file.parent.resolve() / url.removeprefix('sqlite:///')}"
    return made


def _read(file: Path) -> dict[str, object]:
    import tomllib  # many runs have no such file

    try:
        text = file.read_text(encoding="utf-8")
        written = tomllib.loads(text)
    except OSError as fault:
        raise ConfigError(f"{file}: cannot be read ({fault.strerror}); check --config") from fault
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise ConfigError(f"{file}: not valid TOML: {fault}") from fault
    _check(file, text, written)
    return written


def _check(file: Path, text: str, written: dict[str, object]) -> None:
    from jsonschema import Draft202012Validator

    for fault in Draft202012Validator(schema()).iter_errors(written):
        path = [str(p) for p in fault.absolute_path]
        if fault.validator == "additionalProperties":
            assert isinstance(fault.instance, dict)
            known = list(fault.schema["properties"])
            name = next(n for n in fault.instance if n not in known)
            import difflib

            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"known: {', '.join(known)}"
            where = ".".join([*path, name])
            raise ConfigError(f"{file}:{_line(text, name)}: unknown setting {where}; {hint}")
        last = path[-1] if path else ""
        raise ConfigError(f"{file}:{_line(text, last)}: {'.'.join(path)}: {fault.message}")


def _line(text: str, name: str) -> int:
    """The first line on which `name` stands, for the message; 1 when it cannot be told."""
    for number, line in enumerate(text.splitlines(), 1):
        if name and name in line:
            return number
    return 1
