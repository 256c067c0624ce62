"""Every setting of `spgl.toml` as data: its name, form, default, and what it means.

From these tables come the check of the file, `spgl doctor`, docs/settings.md and the published
schema. Reading values is `spgl.config`.
"""

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
        "feedback.mapping",
        _TEXT,
        None,
        Text(
            "退回原因与规则的对应表（CSV：reason,rule）",
            "which reason of the target is which rule (CSV: reason,rule)",
        ),
    ),
    Setting(
        "feedback.answer_days",
        _COUNT,
        7,
        Text("送达后多少天无答复则告警", "days without an answer before an alarm"),
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
