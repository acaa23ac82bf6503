-- The oldest programs that may still use these tables, by the newest step that they know, and why those
-- before may not. Each step that takes something away raises it, in its own transaction; it is written by
-- nothing else and never goes down.

CREATE TABLE schema_floor (
    id             BIGINT PRIMARY KEY CHECK (id = 1),
    migration_min  BIGINT NOT NULL,
    why            TEXT NOT NULL
);
