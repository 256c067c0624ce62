-- Schema 4: processes that share a ledger. Only an engine for several of them fills it.
CREATE TABLE worker (
  owner TEXT PRIMARY KEY,                -- as in `batch.owner`
  target TEXT NOT NULL,
  lease REAL NOT NULL                    -- it is alive until then, by the engine's clock
);
