-- Schema 3: targets that are left alone for a while. A row stands while one does not answer, so that
-- the run after a restart probes it instead of rushing in.
CREATE TABLE circuit (
  target TEXT PRIMARY KEY,
  openings INTEGER NOT NULL,             -- in a row without an answer; 0: it asked for a pause
  until REAL NOT NULL,                   -- nothing goes out before
  fault TEXT NOT NULL,                   -- class and code of what it last did
  at REAL NOT NULL
);
