-- The last good policy bundle of each source, and which policies a decision was
-- made by.

CREATE TABLE bundles (
  source       TEXT PRIMARY KEY,
  digest       TEXT NOT NULL,
  revision     TEXT NOT NULL,
  etag         TEXT NOT NULL,
  confirmed_at TEXT NOT NULL,
  body         BLOB NOT NULL
) STRICT;

ALTER TABLE decisions ADD COLUMN bundle_revision TEXT NOT NULL DEFAULT '';
ALTER TABLE decisions ADD COLUMN bundle_digest TEXT NOT NULL DEFAULT '';
