"""Settings: flag, environment, file, default — in that order, each with its origin.

`spgl.toml` is checked against a schema made from the tables below; an unknown or ill-typed setting
is a `ConfigError`. Secrets are never settings: a setting names the environment variable or file
that holds one. What a target's settings mean is `pusher.target` and the transports.
"""

from __future__ import annotations

import difflib
import locale
import os
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from validator.text import Lang, Text

DEFAULT_FILE = "spgl.toml"


class ConfigError(Exception):
    """A setting or argument that cannot be used: one line saying where, what and what to do."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: `name` is its dotted path in `spgl.toml`, `schema` a JSON Schema."""

    name: str
    schema: Mapping[str, object]
    default: object
    title: Text
    env: str = ""


_TEXT = {"type": "string", "minLength": 1}
_TEXTS = {"type": "array", "items": _TEXT}
_COUNT = {"type": "integer", "minimum": 1}
_SECONDS = {"type": "number", "exclusiveMinimum": 0}
_FLAG = {"type": "boolean"}
_NAMES = {"type": "object", "additionalProperties": _TEXT}


def _choice(*values: object) -> Mapping[str, object]:
    return {"enum": list(values)}


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "lang",
        _choice("zh", "en"),
        None,
        Text("输出语言，默认取自系统区域设置", "language of texts; default from the locale"),
        "SPGL_LANG",
    ),
    Setting(
        "state_dir",
        _TEXT,
        ".spgl",
        Text("存放运行记录和台账的目录", "folder of stored runs and the ledger"),
        "SPGL_STATE_DIR",
    ),
    Setting(
        "packs.use",
        _TEXTS,
        ["data-sharing-3.0", "fire-inspection-1.0"],
        Text("使用的标准包（名称或目录）", "packs to use: names or folders"),
    ),
    Setting(
        "ledger.path",
        _TEXT,
        None,
        Text("台账文件，默认在 state_dir 中", "ledger file; default inside state_dir"),
        "SPGL_LEDGER",
    ),
    Setting(
        "ledger.keep_content_days",
        _COUNT,
        30,
        Text(
            "国家系统接收后保留内容的天数，之后只留摘要",
            "days the content is kept after acceptance; then only its digest",
        ),
    ),
    Setting(
        "gate.pass",
        _TEXTS,
        [],
        Text(
            "允许放行的规则（rule 或 TABLE.rule），其余错误一律拦截",
            "rules (rule or TABLE.rule) whose errors do not hold a record back",
        ),
    ),
    Setting(
        "severity",
        {"type": "object", "additionalProperties": _choice("error", "warning", "info")},
        {},
        Text(
            "按规则调整级别：rule、TABLE.rule 或 TABLE.FIELD.rule",
            "severity by rule, TABLE.rule or TABLE.FIELD.rule",
        ),
    ),
    Setting(
        "tables.names",
        _NAMES,
        {},
        Text("现场表名对应的标准表（STANDARD/TABLE）", "site table name → STANDARD/TABLE"),
    ),
    Setting("tables.prefixes", _TEXTS, [], Text("表名可带的前缀", "accepted table-name prefixes")),
    Setting("tables.suffixes", _TEXTS, [], Text("表名可带的后缀", "accepted table-name suffixes")),
)

TARGET_SETTINGS: tuple[Setting, ...] = (
    Setting(
        "transport",
        _choice("http", "exchange_db"),
        None,
        Text("通道：http 或 exchange_db（前置库）", "transport: http or exchange_db"),
    ),
    Setting(
        "url",
        _TEXT,
        None,
        Text(
            "接口地址，或前置库地址（sqlite:///…）", "address of the interface or exchange database"
        ),
    ),
    Setting("format", _choice("json", "xml"), "json", Text("HTTP 正文格式", "HTTP body format")),
    Setting(
        "token_env",
        _TEXT,
        None,
        Text("存放令牌的环境变量名", "environment variable that holds the bearer token"),
    ),
    Setting("token_file", _TEXT, None, Text("存放令牌的文件", "file that holds the bearer token")),
    Setting(
        "ca_file",
        _TEXT,
        None,
        Text("校验服务器证书用的CA文件", "CA file to verify the server with"),
    ),
    Setting(
        "notify_url",
        _TEXT,
        None,
        Text(
            "写入后通知国家系统的地址（GET）", "address told once after a run that wrote rows (GET)"
        ),
    ),
    Setting(
        "timeout", _SECONDS, 60, Text("一次请求的总时限（秒）", "seconds one request may take")
    ),
    Setting("batch_records", _COUNT, 100, Text("每批记录数上限", "records per batch at most")),
    Setting("batch_bytes", _COUNT, 4_000_000, Text("每批字节数上限", "bytes per batch at most")),
    Setting("concurrency", _COUNT, 4, Text("同时投送的批次数", "batches in flight at once")),
    Setting(
        "parent_status",
        _choice("delivered", "accepted"),
        "delivered",
        Text(
            "父记录达到何种状态后才投送子记录", "state a parent must reach before its children go"
        ),
    ),
    Setting(
        "accepted_at",
        _choice(1, 3),
        1,
        Text("SJSCZT 为几时视为接收", "SJSCZT value that counts as accepted"),
    ),
    Setting(
        "retry_schedule",
        {"type": "array", "items": _SECONDS, "minItems": 1},
        [5, 30, 120, 600, 1800, 7200, 3600],
        Text(
            "各次重试前的等待秒数，最后一项重复使用", "seconds before each retry; the last repeats"
        ),
    ),
    Setting(
        "retry_attempts",
        _COUNT,
        8,
        Text("记录自身问题的投送次数上限", "attempts at a faulty record"),
    ),
    Setting("retry_days", _COUNT, 14, Text("放弃前的最长天数", "days before a record is given up")),
    Setting("schema", _TEXT, None, Text("前置库模式名", "schema of the exchange database")),
    Setting("table_prefix", {"type": "string"}, "", Text("前置库表名前缀", "table-name prefix")),
    Setting("table_suffix", {"type": "string"}, "", Text("前置库表名后缀", "table-name suffix")),
    Setting(
        "table_case",
        _choice("upper", "lower"),
        "upper",
        Text("前置库表名大小写", "case of table names"),
    ),
    Setting(
        "column_case",
        _choice("upper", "lower"),
        "upper",
        Text("前置库列名大小写", "case of column names"),
    ),
    Setting(
        "extra_columns",
        _NAMES,
        {},
        Text(
            "前置库另有的列及其值，@now 为写入时间",
            "columns of the site's own and their value; @now is the time of writing",
        ),
    ),
    Setting(
        "password_env",
        _TEXT,
        None,
        Text("存放前置库口令的环境变量名", "environment variable with the database password"),
    ),
    Setting(
        "password_file",
        _TEXT,
        None,
        Text("存放前置库口令的文件", "file that holds the database password"),
    ),
)


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
    def ledger_path(self) -> Path:
        path = self.values["ledger.path"]
        return Path(str(path)) if path else self.state_dir / "ledger.db"

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
    targets = written.get("target", {})
    assert isinstance(targets, dict)
    defaults = {s.name: s.default for s in TARGET_SETTINGS}
    named = {name: {**defaults, **_anchored_target(t, found)} for name, t in targets.items()}
    return Settings(values, origins, named, found)


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
    if setting.name in ("state_dir", "ledger.path") and file:
        value = _anchored(str(value), file)
    return value, str(file)


def _anchored(path: str, file: Path) -> str:
    return path if "://" in path else str(file.parent / path)


def _anchored_target(target: Mapping[str, object], file: Path | None) -> dict[str, object]:
    """File paths of a target, relative to the settings file."""
    made = dict(target)
    for name in ("token_file", "ca_file", "password_file"):
        if file and isinstance(made.get(name), str):
            made[name] = _anchored(str(made[name]), file)
    url = str(made.get("url", ""))
    if file and url.startswith("sqlite:///") and not url.startswith("sqlite:////"):
        made["url"] = f"sqlite:///{file.parent.resolve() / url.removeprefix('sqlite:///')}"
    return made


def schema() -> dict[str, object]:
    """JSON Schema of `spgl.toml`; published in docs/spgl.schema.json."""
    root: dict[str, object] = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "spgl.toml",
        "type": "object",
        "additionalProperties": False,
        "properties": {},
    }
    for setting in SETTINGS:
        _place(root, setting)
    target: dict[str, object] = {
        "type": "object",
        "additionalProperties": False,
        "required": ["transport", "url"],
        "properties": {s.name: {**s.schema, "description": s.title.en} for s in TARGET_SETTINGS},
    }
    properties = root["properties"]
    assert isinstance(properties, dict)
    properties["target"] = {
        "type": "object",
        "propertyNames": {"pattern": "^[A-Za-z0-9_-]+$"},
        "additionalProperties": target,
    }
    return root


def _place(root: dict[str, object], setting: Setting) -> None:
    *sections, name = setting.name.split(".")
    at = root
    for section in sections:
        properties = at["properties"]
        assert isinstance(properties, dict)
        at = properties.setdefault(
            section, {"type": "object", "additionalProperties": False, "properties": {}}
        )
    properties = at["properties"]
    assert isinstance(properties, dict)
    properties[name] = {**setting.schema, "description": setting.title.en}


def _read(file: Path) -> dict[str, object]:
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
