CREATE TABLE IF NOT EXISTS batch (
    key TEXT PRIMARY KEY,
    id TEXT NOT NULL,
    digest BLOB NOT NULL,
    answer BLOB NOT NULL,
    replays INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS batch_by_id ON batch (id);
CREATE TABLE IF NOT EXISTS effect (
    seq INTEGER PRIMARY KEY,
    standard TEXT NOT NULL,
    table_name TEXT NOT NULL,
    division TEXT NOT NULL,
    identity TEXT NOT NULL,
    operation TEXT NOT NULL,
    version TEXT NOT NULL,
    answer TEXT NOT NULL,
    lsh TEXT NOT NULL,
    reason TEXT NOT NULL,
    repeat INTEGER NOT NULL,
    due REAL,
    before TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS effect_due ON effect (due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS held (
    standard TEXT NOT NULL,
    table_name TEXT NOT NULL,
    identity TEXT NOT NULL,
    version TEXT NOT NULL,
    fields TEXT NOT NULL,
    lsh TEXT NOT NULL,
    PRIMARY KEY (standard, table_name, identity)
) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS handle (
    qualified TEXT NOT NULL,
    fields TEXT NOT NULL,
    content TEXT NOT NULL,
    identity TEXT NOT NULL,
    PRIMARY KEY (qualified, fields, content, identity)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS handle_by_identity ON handle (qualified, identity);
CREATE TABLE IF NOT EXISTS verdict (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    standard TEXT NOT NULL,
    table_name TEXT NOT NULL,
    division TEXT NOT NULL,
    identity TEXT NOT NULL,
    answer TEXT NOT NULL,
    lsh TEXT NOT NULL,
    reason TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS verdict_by_standard ON verdict (standard, seq);
CREATE TABLE IF NOT EXISTS notice (seq INTEGER PRIMARY KEY, at REAL NOT NULL) STRICT;
