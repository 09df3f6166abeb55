-- The packages that webhooks have named and that nobody has looked at yet.

CREATE TABLE queue (
  id   TEXT PRIMARY KEY,
  n    INTEGER NOT NULL, -- order of arrival
  item TEXT NOT NULL     -- JSON
) STRICT;
