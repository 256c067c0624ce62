-- Schema 1 of the ledger. Times are seconds since 1970 (UTC). Nothing here is ever deleted except
-- content past its keeping time and the links of records that no longer wait.

CREATE TABLE run (
  id INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  target TEXT NOT NULL,
  started REAL NOT NULL,
  ended REAL,
  books TEXT NOT NULL DEFAULT '{}',      -- what was read and what became of it
  delivery TEXT NOT NULL DEFAULT '{}',   -- what was sent and answered
  UNIQUE (target, name)
);

-- A table at a target.
CREATE TABLE place (
  id INTEGER PRIMARY KEY,
  target TEXT NOT NULL,
  name TEXT NOT NULL,                    -- standard/TABLE
  UNIQUE (target, name)
);

-- A record of the real world at a target, whatever its versions.
CREATE TABLE identity (
  id INTEGER PRIMARY KEY,
  place INTEGER NOT NULL,
  hash BLOB NOT NULL UNIQUE,             -- of target, table and key; what references point to
  key TEXT NOT NULL,                     -- natural key, JSON with sorted names
  sequence INTEGER NOT NULL,             -- of its last version
  latest INTEGER,                        -- version entered last; null: whatever comes is new
  blocked INTEGER NOT NULL DEFAULT 0,    -- versions held by the gate
  handles BLOB NOT NULL DEFAULT x''      -- 16 bytes each: by what else others refer to it
);

CREATE TABLE version (
  id INTEGER PRIMARY KEY,
  identity INTEGER NOT NULL,
  place INTEGER NOT NULL,
  sequence INTEGER NOT NULL,
  operation TEXT NOT NULL,
  digest BLOB NOT NULL,
  division TEXT NOT NULL,
  reason TEXT NOT NULL,                  -- why it is invalidated
  known TEXT NOT NULL,                   -- columns that references and dataset rules read, JSON
  run INTEGER NOT NULL,
  entered REAL NOT NULL,
  seen INTEGER NOT NULL,                 -- last run that met it (versions held by the gate)
  state TEXT NOT NULL,
  note TEXT NOT NULL,                    -- of the state: rule names, the target's reason
  changed REAL NOT NULL,
  round INTEGER NOT NULL DEFAULT 0,      -- how often a person sent it again
  batch INTEGER,
  touched INTEGER NOT NULL DEFAULT 0,    -- bytes of it may have left in an earlier batch
  previous INTEGER,                      -- version the target held when it was sent
  landed INTEGER NOT NULL DEFAULT 0,     -- the target has taken it over
  watch INTEGER NOT NULL DEFAULT 0,      -- a word of the target is still to come
  lsh TEXT NOT NULL DEFAULT ''
);
CREATE UNIQUE INDEX version_identity ON version (identity, sequence);
CREATE INDEX version_ready ON version (place, operation, division, id)
  WHERE state = 'queued' AND batch IS NULL;
CREATE INDEX version_watch ON version (place, id) WHERE watch = 1;
-- One each: `state IN (…)` in an index would be built anew by every statement that sets a state.
CREATE INDEX version_blocked ON version (place, id) WHERE state = 'blocked';
CREATE INDEX version_waiting ON version (place, id) WHERE state = 'waiting';
CREATE INDEX version_in_doubt ON version (place, id) WHERE state = 'in_doubt';
CREATE INDEX version_rejected ON version (place, id) WHERE state = 'rejected';
CREATE INDEX version_given_up ON version (place, id) WHERE state = 'given_up';
CREATE INDEX version_held ON version (place, id) WHERE state = 'held';

-- Canonical JSON of consecutive versions, a line each, deflated together: records of a table are
-- alike. `first` is the version of the first line.
CREATE TABLE content (
  first INTEGER PRIMARY KEY,
  records INTEGER NOT NULL,
  body BLOB NOT NULL
);

-- By what others may refer to an identity, apart from its natural key.
CREATE TABLE handle (
  hash BLOB NOT NULL,
  identity INTEGER NOT NULL,
  PRIMARY KEY (hash, identity)
) WITHOUT ROWID;

-- What a waiting version waits for.
CREATE TABLE parent (
  version INTEGER NOT NULL,
  hash BLOB NOT NULL,
  link TEXT NOT NULL,                    -- readable: standard/TABLE FIELD=value
  PRIMARY KEY (version, hash)
) WITHOUT ROWID;
CREATE INDEX parent_hash ON parent (hash);

-- Bytes and membership are frozen from the intent until the batch is closed.
CREATE TABLE batch (
  id INTEGER PRIMARY KEY,
  key TEXT NOT NULL,                     -- idempotency key
  place INTEGER NOT NULL,
  division TEXT NOT NULL,
  run INTEGER NOT NULL,
  owner TEXT NOT NULL,                   -- process that claimed it
  members TEXT NOT NULL,                 -- version ids in order, JSON
  records INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  phase TEXT NOT NULL,                   -- sending, queued, in_doubt, closed
  due REAL,                              -- null: claimed or closed
  touched INTEGER NOT NULL,              -- bytes may have left
  attempts INTEGER NOT NULL DEFAULT 0,   -- how often it was sent
  asked INTEGER NOT NULL DEFAULT 0,      -- questions to settle the doubt since
  burnt INTEGER NOT NULL DEFAULT 0,
  first_at REAL,
  last_at REAL,
  parent INTEGER                         -- batch it was cut from
);
CREATE INDEX batch_open ON batch (phase, due) WHERE phase <> 'closed';

-- Batches that versions have left; the present one stands in `version.batch`.
CREATE TABLE member (
  version INTEGER NOT NULL,
  batch INTEGER NOT NULL,
  PRIMARY KEY (version, batch)
) WITHOUT ROWID;

-- Append-only: every attempt.
CREATE TABLE attempt (
  id INTEGER PRIMARY KEY,
  batch INTEGER NOT NULL,
  number INTEGER NOT NULL,
  at REAL NOT NULL,
  worker TEXT NOT NULL,
  transport TEXT NOT NULL,
  outcome TEXT NOT NULL,
  failure TEXT NOT NULL,
  code TEXT NOT NULL,
  detail TEXT NOT NULL,
  ms REAL NOT NULL,
  bytes INTEGER NOT NULL,
  next_due REAL
);
CREATE INDEX attempt_batch ON attempt (batch);

-- Append-only: every change of state, of one version or of all members of a batch.
CREATE TABLE event (
  id INTEGER PRIMARY KEY,
  at REAL NOT NULL,
  version INTEGER,
  batch INTEGER,
  before TEXT NOT NULL,
  after TEXT NOT NULL,
  note TEXT NOT NULL
);
CREATE INDEX event_version ON event (version) WHERE version IS NOT NULL;
CREATE INDEX event_batch ON event (batch) WHERE batch IS NOT NULL;

-- Versions per table and state, kept in step by every change.
CREATE TABLE tally (
  place INTEGER NOT NULL,
  state TEXT NOT NULL,
  n INTEGER NOT NULL,
  PRIMARY KEY (place, state)
) WITHOUT ROWID;

CREATE TABLE cursor (
  target TEXT NOT NULL,
  standard TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (target, standard)
) WITHOUT ROWID;

-- Who pushes to a target: the epoch grows with each run, so that a late writer is recognised.
CREATE TABLE fence (
  target TEXT PRIMARY KEY,
  epoch INTEGER NOT NULL,
  owner TEXT NOT NULL,
  at REAL NOT NULL
);
