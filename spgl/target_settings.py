"""Every setting of a target (`[target.NAME]`) as data."""

from __future__ import annotations

from spgl.setting import COUNT, NAMES, SECONDS, TEXT, TEXTS, Setting, choice
from validator.text import Text

TARGET_SETTINGS: tuple[Setting, ...] = (
    Setting(
        "transport",
        choice("http", "exchange_db"),
        None,
        Text("通道：http 或 exchange_db（前置库）", "transport: http or exchange_db"),
    ),
    Setting(
        "url",
        TEXT,
        None,
        Text(
            "接口地址，或前置库地址（mysql://、postgresql://、oracle://、dm://、sqlite:///）",
            "address of the interface or exchange database",
        ),
    ),
    Setting(
        "standards",
        {**TEXTS, "minItems": 1},
        None,
        Text(
            "投送到此目标的标准包；有多个目标时必填，不填则为全部",
            "packs that are sent to this target; needed where there are several, default all",
        ),
    ),
    Setting("format", choice("json", "xml"), "json", Text("HTTP 正文格式", "HTTP body format")),
    Setting(
        "token_env",
        TEXT,
        None,
        Text("存放令牌的环境变量名", "environment variable that holds the bearer token"),
    ),
    Setting("token_file", TEXT, None, Text("存放令牌的文件", "file that holds the bearer token")),
    Setting(
        "token_url",
        TEXT,
        None,
        Text(
            "令牌接口地址；此时 token_env 或 token_file 存放 client_id 的密钥",
            "token endpoint; token_env or token_file then hold the secret of client_id",
        ),
    ),
    Setting(
        "client_id", TEXT, None, Text("令牌接口的客户端编号", "client id at the token endpoint")
    ),
    Setting("token_scope", TEXT, None, Text("令牌范围", "scope of the token")),
    Setting(
        "hmac_env",
        TEXT,
        None,
        Text(
            "存放签名密钥的环境变量名；设置后每个请求都签名（docs/http.md）",
            "environment variable with the signing secret; signs every request (docs/http.md)",
        ),
    ),
    Setting("hmac_file", TEXT, None, Text("存放签名密钥的文件", "file with the signing secret")),
    Setting("hmac_id", TEXT, "spgl", Text("签名密钥的名称", "name of the signing secret")),
    Setting(
        "client_cert",
        TEXT,
        None,
        Text("本方客户端证书（PEM）", "our client certificate (PEM)"),
    ),
    Setting(
        "client_key",
        TEXT,
        None,
        Text("客户端证书的私钥（PEM）", "private key of the client certificate (PEM)"),
    ),
    Setting(
        "client_key_env",
        TEXT,
        None,
        Text("存放私钥口令的环境变量名", "environment variable with the key's password"),
    ),
    Setting(
        "ca_file",
        TEXT,
        None,
        Text("校验服务器证书用的CA文件", "CA file to verify the server with"),
    ),
    Setting(
        "notify_url",
        TEXT,
        None,
        Text(
            "写入后通知国家系统的地址（GET）", "address told once after a run that wrote rows (GET)"
        ),
    ),
    Setting("timeout", SECONDS, 60, Text("一次请求的总时限（秒）", "seconds one request may take")),
    Setting("batch_records", COUNT, 100, Text("每批记录数上限", "records per batch at most")),
    Setting("batch_bytes", COUNT, 4_000_000, Text("每批字节数上限", "bytes per batch at most")),
    Setting("concurrency", COUNT, 4, Text("同时投送的批次数", "batches in flight at once")),
    Setting(
        "rate",
        SECONDS,
        None,
        Text(
            "每秒请求（批次）数上限，不填则不限；与 concurrency 同时有效",
            "requests (batches) a second at most, beside concurrency; unlimited without it",
        ),
    ),
    Setting(
        "retry_budget",
        {"type": "number", "minimum": 0, "maximum": 1},
        0.1,
        Text(
            "一次运行中重试所占请求的最大比例（总可重试 50 次），超出者留待下次；1 为不限",
            "share of a run's requests that may be retries (50 in any case); the rest waits for "
            "the next run; 1 for no limit",
        ),
    ),
    Setting(
        "parent_status",
        choice("delivered", "accepted"),
        "delivered",
        Text(
            "父记录达到何种状态后才投送子记录", "state a parent must reach before its children go"
        ),
    ),
    Setting(
        "accepted_at",
        choice(1, 3),
        1,
        Text("SJSCZT 为几时视为接收", "SJSCZT value that counts as accepted"),
    ),
    Setting(
        "retry_schedule",
        {"type": "array", "items": SECONDS, "minItems": 1},
        [5, 30, 120, 600, 1800, 7200, 3600],
        Text(
            "各次重试前的等待秒数，最后一项重复使用", "seconds before each retry; the last repeats"
        ),
    ),
    Setting(
        "retry_attempts",
        COUNT,
        8,
        Text("记录自身问题的投送次数上限", "attempts at a faulty record"),
    ),
    Setting("retry_days", COUNT, 14, Text("放弃前的最长天数", "days before a record is given up")),
    Setting("schema", TEXT, None, Text("前置库模式名", "schema of the exchange database")),
    Setting("table_prefix", {"type": "string"}, "", Text("前置库表名前缀", "table-name prefix")),
    Setting("table_suffix", {"type": "string"}, "", Text("前置库表名后缀", "table-name suffix")),
    Setting(
        "city_prefix",
        {"type": "string", "pattern": "^[0-9]{6}_$"},
        None,
        Text(
            "带城市前缀的表（反馈表）的前缀，如 370800_",
            "prefix of a city before the names of the tables that carry one, such as 370800_",
        ),
    ),
    Setting(
        "table_case",
        choice("upper", "lower"),
        "upper",
        Text("前置库表名大小写", "case of table names"),
    ),
    Setting(
        "column_case",
        choice("upper", "lower"),
        "upper",
        Text("前置库列名大小写", "case of column names"),
    ),
    Setting(
        "extra_columns",
        NAMES,
        {},
        Text(
            "前置库另有的列及其值，@now 为写入时间",
            "columns of the site's own and their value; @now is the time of writing",
        ),
    ),
    Setting(
        "event_columns",
        NAMES,
        {},
        Text(
            "办理环节中没有对应来源的字段及其值，如 DWMC、DWTYSHXYDM（spgl feedback --events）",
            "values of columns of case events that no mapping fills, such as DWMC and DWTYSHXYDM "
            "(spgl feedback --events)",
        ),
    ),
    Setting(
        "fence_table",
        TEXT,
        None,
        Text(
            "用作写入栅栏的表（一列 NAME），Oracle 与达梦必需",
            "table whose row is the fence (one column NAME); Oracle and Dameng need it",
        ),
    ),
    Setting(
        "lock_timeout",
        SECONDS,
        10,
        Text("等待前置库锁的秒数", "seconds to wait for a lock of the exchange database"),
    ),
    Setting(
        "password_env",
        TEXT,
        None,
        Text("存放前置库口令的环境变量名", "environment variable with the database password"),
    ),
    Setting(
        "password_file",
        TEXT,
        None,
        Text("存放前置库口令的文件", "file that holds the database password"),
    ),
)
