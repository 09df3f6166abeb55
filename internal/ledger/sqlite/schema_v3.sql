-- Earlier readings of packages, for looking back. A row is one content of a
-- package and how long it was the last; what a content is, is kept once.

ALTER TABLE snapshots ADD COLUMN since TEXT; -- when this content was first read; null when not known

CREATE TABLE snapshot_bodies (
  digest BLOB PRIMARY KEY,  -- SHA-256 of the body before compression
  body   BLOB NOT NULL,     -- gzip JSON
  size   INTEGER NOT NULL   -- bytes of the body
) STRICT;

CREATE TABLE snapshot_history (
  owner        TEXT NOT NULL COLLATE NOCASE,
  package_type TEXT NOT NULL,
  package      TEXT NOT NULL,
  since        TEXT NOT NULL, -- the first reading that found it
  until        TEXT NOT NULL, -- the last one
  digest       BLOB NOT NULL REFERENCES snapshot_bodies (digest),
  PRIMARY KEY (owner, package_type, package, since)
) STRICT, WITHOUT ROWID;

CREATE INDEX snapshot_history_until ON snapshot_history (until);
CREATE INDEX snapshot_history_digest ON snapshot_history (digest);
