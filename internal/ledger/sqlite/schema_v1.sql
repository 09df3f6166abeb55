-- The ledger. Owners are in lower case in the three ledger_ tables.

CREATE TABLE ledger_heads (
  owner TEXT PRIMARY KEY,
  seq   INTEGER NOT NULL,
  hash  TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE ledger_records (
  owner TEXT NOT NULL,
  seq   INTEGER NOT NULL,
  v     INTEGER NOT NULL,
  at    TEXT NOT NULL,
  kind  TEXT NOT NULL,
  run   TEXT NOT NULL,
  body  TEXT NOT NULL,
  prev  TEXT NOT NULL,
  hash  TEXT NOT NULL,
  PRIMARY KEY (owner, seq)
) STRICT, WITHOUT ROWID;

CREATE TRIGGER ledger_records_no_update BEFORE UPDATE ON ledger_records
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TRIGGER ledger_records_no_delete BEFORE DELETE ON ledger_records
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

-- INSERT OR REPLACE does not fire the trigger above.
CREATE TRIGGER ledger_records_no_replace BEFORE INSERT ON ledger_records
WHEN EXISTS (SELECT 1 FROM ledger_records WHERE owner = NEW.owner AND seq = NEW.seq)
BEGIN SELECT RAISE(ABORT, 'the ledger is append-only'); END;

CREATE TABLE ledger_counters (
  owner TEXT NOT NULL,
  name  TEXT NOT NULL,
  n     INTEGER NOT NULL,
  PRIMARY KEY (owner, name)
) STRICT, WITHOUT ROWID;

CREATE TABLE runs (
  id            TEXT NOT NULL,
  owner         TEXT NOT NULL COLLATE NOCASE,
  kind          TEXT NOT NULL,
  undoes        TEXT NOT NULL,
  mode          TEXT NOT NULL,
  trigger       TEXT NOT NULL, -- JSON
  actor         TEXT NOT NULL,
  bundle_digest TEXT NOT NULL,
  started_at    TEXT NOT NULL,
  finished_at   TEXT,          -- null while it runs or after a crash
  planned       INTEGER NOT NULL,
  outcomes      TEXT NOT NULL, -- JSON
  PRIMARY KEY (owner, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX runs_newest ON runs (owner, started_at DESC, id DESC);

CREATE TABLE actions (
  id           TEXT PRIMARY KEY,
  run          TEXT NOT NULL,
  owner        TEXT NOT NULL COLLATE NOCASE,
  package_type TEXT NOT NULL,
  package      TEXT NOT NULL,
  version_id   INTEGER NOT NULL, -- 0 when the target is the package
  version      TEXT NOT NULL,
  tags         TEXT NOT NULL,    -- JSON
  action       TEXT NOT NULL,
  target       TEXT NOT NULL,
  policy       TEXT GENERATED ALWAYS AS (rules ->> '$[0].policy') VIRTUAL,
  rules        TEXT NOT NULL,    -- JSON
  unit         INTEGER NOT NULL,
  cost         INTEGER NOT NULL,
  updated_at   TEXT NOT NULL,
  begun_at     TEXT NOT NULL,
  seq          INTEGER NOT NULL,
  outcome      TEXT NOT NULL,    -- '' while open
  request_id   TEXT NOT NULL,
  detail       TEXT NOT NULL,
  guard        TEXT NOT NULL,
  finished_at  TEXT,
  finished_seq INTEGER NOT NULL,
  FOREIGN KEY (owner, run) REFERENCES runs (owner, id)
) STRICT, WITHOUT ROWID;

CREATE INDEX actions_by_run ON actions (owner, run, seq);
CREATE INDEX actions_by_package ON actions (owner, package_type, package, begun_at);
CREATE INDEX actions_open ON actions (owner, seq) WHERE outcome = '';

-- The last reading of each package, and the same as SQL tables.

CREATE TABLE snapshots (
  owner        TEXT NOT NULL COLLATE NOCASE,
  package_type TEXT NOT NULL,
  package      TEXT NOT NULL,
  read_at      TEXT NOT NULL,
  digest       BLOB NOT NULL, -- SHA-256 of the body before compression
  body         BLOB NOT NULL, -- gzip JSON
  PRIMARY KEY (owner, package_type, package)
) STRICT;

CREATE TABLE org_packages (
  id            INTEGER NOT NULL,
  name          TEXT NOT NULL,
  updated_at    TEXT,
  package_type  TEXT NOT NULL,
  created_at    TEXT,
  version_count INTEGER NOT NULL,
  owner         TEXT NOT NULL COLLATE NOCASE,
  repository    TEXT, -- full name; null when the package is not linked
  html_url      TEXT NOT NULL,
  url           TEXT NOT NULL,
  visibility    TEXT NOT NULL,
  PRIMARY KEY (owner, package_type, name),
  FOREIGN KEY (owner, package_type, name) REFERENCES snapshots (owner, package_type, package)
    ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

CREATE TABLE package_versions (
  id              INTEGER NOT NULL,
  owner           TEXT NOT NULL COLLATE NOCASE,
  package_type    TEXT NOT NULL,
  package         TEXT NOT NULL,
  name            TEXT NOT NULL,
  state           TEXT NOT NULL,
  tags            TEXT NOT NULL, -- JSON, without referrer tags
  created_at      TEXT,
  updated_at      TEXT,
  deleted_at      TEXT,
  html_url        TEXT NOT NULL,
  license         TEXT NOT NULL,
  description     TEXT NOT NULL,
  referrer_tags   TEXT NOT NULL, -- JSON
  kind            TEXT,          -- the rest: containers only
  media_type      TEXT,
  artifact_type   TEXT,
  platform        TEXT,
  size_bytes      INTEGER,
  subject         TEXT,
  deleted_run     TEXT,          -- the run that deleted it, when it was one of ours
  PRIMARY KEY (owner, package_type, package, id),
  FOREIGN KEY (owner, package_type, package) REFERENCES org_packages (owner, package_type, name)
    ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED
) STRICT, WITHOUT ROWID;

-- What a digest says never changes.
CREATE TABLE manifests (
  digest TEXT PRIMARY KEY,
  body   BLOB NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE decisions (
  run          TEXT NOT NULL,
  owner        TEXT NOT NULL COLLATE NOCASE,
  package_type TEXT NOT NULL,
  package      TEXT NOT NULL,
  version_id   INTEGER NOT NULL, -- 0 when the decision is about the package
  version      TEXT NOT NULL,
  policy       TEXT NOT NULL,
  rule         TEXT NOT NULL,
  action       TEXT NOT NULL,
  reason       TEXT NOT NULL,
  severity     TEXT NOT NULL,
  mode         TEXT NOT NULL,
  status       TEXT NOT NULL,
  guard        TEXT NOT NULL,
  evaluated_at TEXT
) STRICT;

CREATE INDEX decisions_by_package ON decisions (run, owner, package_type, package);
