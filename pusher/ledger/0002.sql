-- Schema 2: rows that a target wrote for us (feedback tables of a pack). A row is stored here before
-- the target is told that it was taken over, so a crash between the two reads it again and finds it.
CREATE TABLE inbound (
  id INTEGER PRIMARY KEY,
  place INTEGER NOT NULL,
  row_key TEXT NOT NULL,                 -- its own key at the target
  flow TEXT NOT NULL,                    -- the case: LSH of the application
  local_key TEXT NOT NULL,               -- DFSJZJ of the application; empty: the table has none
  content TEXT NOT NULL,                 -- non-null business columns, JSON
  at REAL NOT NULL,
  fate TEXT NOT NULL,                    -- consumed, refused
  note TEXT NOT NULL,                    -- why it was refused, or what of it could not be mapped
  marked REAL,                           -- when the target was told; null: still to be told
  file TEXT,                             -- where its case events go; null: nowhere yet
  written REAL,                          -- when that file was complete
  UNIQUE (place, row_key)
);
CREATE INDEX inbound_flow ON inbound (flow);
CREATE INDEX inbound_unmarked ON inbound (place, id) WHERE marked IS NULL;
CREATE INDEX inbound_unwritten ON inbound (place, id) WHERE written IS NULL;
