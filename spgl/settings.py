"""Every setting of `spgl.toml` as data: its name, form, default, and what it means.

From these tables come the check of the file, `spgl doctor`, docs/settings.md and the published
schema. Reading values is `spgl.config`.
"""

from __future__ import annotations

from spgl.setting import COUNT, NAMES, TEXT, TEXTS, Setting, choice
from spgl.target_settings import TARGET_SETTINGS
from validator.text import Text

__all__ = ["SETTINGS", "TARGET_SETTINGS", "Setting", "schema"]


SETTINGS: tuple[Setting, ...] = (
    Setting(
        "lang",
        choice("zh", "en"),
        None,
        Text("输出语言，默认取自系统区域设置", "language of texts; default from the locale"),
        "SPGL_LANG",
    ),
    Setting(
        "state_dir",
        TEXT,
        ".spgl",
        Text("存放运行记录和台账的目录", "folder of stored runs and the ledger"),
        "SPGL_STATE_DIR",
    ),
    Setting(
        "packs.use",
        TEXTS,
        ["data-sharing-3.0", "fire-inspection-1.0"],
        Text("使用的标准包（名称或目录）", "packs to use: names or folders"),
    ),
    Setting(
        "ledger.path",
        TEXT,
        None,
        Text("台账文件，默认在 state_dir 中", "ledger file; default inside state_dir"),
        "SPGL_LEDGER",
    ),
    Setting(
        "ledger.url",
        TEXT,
        None,
        Text(
            "台账所在的 PostgreSQL（postgresql+psycopg://用户@主机/数据库），可供多个进程共用；"
            "密码取自 PGPASSWORD 或 PGPASSFILE",
            "PostgreSQL database of the ledger (postgresql+psycopg://user@host/database), for "
            "several processes; its password comes from PGPASSWORD or PGPASSFILE",
        ),
        "SPGL_LEDGER_URL",
    ),
    Setting(
        "ledger.schema",
        TEXT,
        "spgl",
        Text("台账在 PostgreSQL 中的模式", "schema of the ledger in that database"),
    ),
    Setting(
        "ledger.keep_content_days",
        COUNT,
        30,
        Text(
            "国家系统接收后保留内容的天数，之后只留摘要",
            "days the content is kept after acceptance; then only its digest",
        ),
    ),
    Setting(
        "gate.pass",
        TEXTS,
        [],
        Text(
            "允许放行的规则（rule 或 TABLE.rule），其余错误一律拦截",
            "rules (rule or TABLE.rule) whose errors do not hold a record back",
        ),
    ),
    Setting(
        "feedback.mapping",
        TEXT,
        None,
        Text(
            "退回原因与规则的对应表（CSV：reason,rule）",
            "which reason of the target is which rule (CSV: reason,rule)",
        ),
    ),
    Setting(
        "feedback.answer_days",
        COUNT,
        7,
        Text("送达后多少天无答复则告警", "days without an answer before an alarm"),
    ),
    Setting(
        "severity",
        {"type": "object", "additionalProperties": choice("error", "warning", "info")},
        {},
        Text(
            "按规则调整级别：rule、TABLE.rule 或 TABLE.FIELD.rule",
            "severity by rule, TABLE.rule or TABLE.FIELD.rule",
        ),
    ),
    Setting(
        "read.max_record",
        COUNT,
        16,
        Text(
            "一条记录最大多少 MiB，超过则无法读取",
            "MiB of a record beyond which it is unreadable",
        ),
    ),
    Setting(
        "tables.names",
        NAMES,
        {},
        Text("现场表名对应的标准表（STANDARD/TABLE）", "site table name → STANDARD/TABLE"),
    ),
    Setting("tables.prefixes", TEXTS, [], Text("表名可带的前缀", "accepted table-name prefixes")),
    Setting("tables.suffixes", TEXTS, [], Text("表名可带的后缀", "accepted table-name suffixes")),
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
