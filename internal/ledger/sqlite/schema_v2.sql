-- What the server keeps: webhook deliveries, where each owner's sweep stands,
-- and the plan that it is carrying out.

CREATE TABLE deliveries (
  key   TEXT PRIMARY KEY,
  until TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE INDEX deliveries_until ON deliveries (until);

CREATE TABLE sweeps (
  owner TEXT PRIMARY KEY COLLATE NOCASE,
  state TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;

CREATE TABLE sweep_plans (
  owner TEXT PRIMARY KEY COLLATE NOCASE,
  run   TEXT NOT NULL,
  plan  BLOB NOT NULL -- gzip of the sealed plan
) STRICT;
