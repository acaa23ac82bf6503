-- Market data as received. One text for SQLite and PostgreSQL: TEXT, BIGINT, DOUBLE PRECISION only.
-- Prices are units of 0.0001 TRY; instants are seconds since 1970 UTC unless the name ends in _us.

CREATE TABLE instruments (
    symbol  TEXT PRIMARY KEY,
    name    TEXT,
    sector  TEXT,
    origin  TEXT NOT NULL CHECK (origin IN ('sample', 'market'))
);

-- One row for each file (or generated market) that was taken in.
CREATE TABLE ingests (
    id              BIGINT PRIMARY KEY,
    source          TEXT NOT NULL,
    file            TEXT NOT NULL,
    received_at_us  BIGINT NOT NULL,
    rows_read       BIGINT NOT NULL,
    rows_stored     BIGINT NOT NULL,
    rows_unchanged  BIGINT NOT NULL,
    rows_refused    BIGINT NOT NULL
);

CREATE TABLE bars (
    symbol          TEXT NOT NULL REFERENCES instruments (symbol),
    bar_interval    TEXT NOT NULL,
    opened_at       BIGINT NOT NULL,
    open_units      BIGINT NOT NULL,
    high_units      BIGINT NOT NULL,
    low_units       BIGINT NOT NULL,
    close_units     BIGINT NOT NULL,
    adjusted_close  DOUBLE PRECISION,
    volume_shares   BIGINT,
    ingest_id       BIGINT NOT NULL REFERENCES ingests (id),
    PRIMARY KEY (symbol, bar_interval, opened_at)
);

-- What a bar said before a later ingest revised it.
CREATE TABLE bar_revisions (
    symbol          TEXT NOT NULL,
    bar_interval    TEXT NOT NULL,
    opened_at       BIGINT NOT NULL,
    replaced_by     BIGINT NOT NULL REFERENCES ingests (id),
    open_units      BIGINT NOT NULL,
    high_units      BIGINT NOT NULL,
    low_units       BIGINT NOT NULL,
    close_units     BIGINT NOT NULL,
    adjusted_close  DOUBLE PRECISION,
    volume_shares   BIGINT,
    ingest_id       BIGINT NOT NULL,
    PRIMARY KEY (symbol, bar_interval, opened_at, replaced_by)
);

-- Rows that could not become a bar, as they stood in the file.
CREATE TABLE refused_rows (
    file          TEXT NOT NULL,
    line          BIGINT NOT NULL,
    symbol        TEXT,
    bar_interval  TEXT NOT NULL,
    document      TEXT NOT NULL,
    ingest_id     BIGINT NOT NULL REFERENCES ingests (id),
    PRIMARY KEY (file, line)
);
CREATE INDEX refused_rows_by_symbol ON refused_rows (symbol, bar_interval);

CREATE TABLE corporate_actions (
    symbol        TEXT NOT NULL REFERENCES instruments (symbol),
    effective_on  TEXT NOT NULL,
    ordinal       BIGINT NOT NULL,
    document      TEXT NOT NULL,
    ingest_id     BIGINT NOT NULL REFERENCES ingests (id),
    PRIMARY KEY (symbol, effective_on, ordinal)
);
