-- Several sources of one series side by side, events that are versioned, facts and rates of a day,
-- announcements, decisions, and what was fetched. Rows that are here already keep the source of
-- the ingest that brought them.

ALTER TABLE ingests ADD COLUMN origin TEXT NOT NULL DEFAULT 'market';
-- Whether it changed anything that a validation or a page is made from.
ALTER TABLE ingests ADD COLUMN is_change BIGINT NOT NULL DEFAULT 1;
UPDATE ingests SET origin = 'sample' WHERE source = 'sample';

ALTER TABLE bars RENAME TO bars_of_any_source;
ALTER TABLE bar_revisions RENAME TO bar_revisions_of_any_source;

-- An open of NULL is one that the source does not give.
CREATE TABLE bars (
    symbol          TEXT NOT NULL REFERENCES instruments (symbol),
    bar_interval    TEXT NOT NULL,
    source          TEXT NOT NULL,
    opened_at       BIGINT NOT NULL,
    open_units      BIGINT,
    high_units      BIGINT NOT NULL,
    low_units       BIGINT NOT NULL,
    close_units     BIGINT NOT NULL,
    adjusted_close  DOUBLE PRECISION,
    volume_shares   BIGINT,
    ingest_id       BIGINT NOT NULL REFERENCES ingests (id),
    PRIMARY KEY (symbol, bar_interval, source, opened_at)
);

CREATE TABLE bar_revisions (
    symbol          TEXT NOT NULL,
    bar_interval    TEXT NOT NULL,
    source          TEXT NOT NULL,
    opened_at       BIGINT NOT NULL,
    replaced_by     BIGINT NOT NULL REFERENCES ingests (id),
    open_units      BIGINT,
    high_units      BIGINT NOT NULL,
    low_units       BIGINT NOT NULL,
    close_units     BIGINT NOT NULL,
    adjusted_close  DOUBLE PRECISION,
    volume_shares   BIGINT,
    ingest_id       BIGINT NOT NULL,
    PRIMARY KEY (symbol, bar_interval, source, opened_at, replaced_by)
);

INSERT INTO bars
SELECT b.symbol, b.bar_interval, g.source, b.opened_at, b.open_units, b.high_units, b.low_units,
b.close_units, b.adjusted_close, b.volume_shares, b.ingest_id
FROM bars_of_any_source b
JOIN ingests g ON g.id = b.ingest_id
ORDER BY b.symbol, b.bar_interval, g.source, b.opened_at;

-- Where one source had replaced a bar of another, the other gets its bar back.
INSERT INTO bars
SELECT r.symbol, r.bar_interval, g.source, r.opened_at, r.open_units, r.high_units, r.low_units,
r.close_units, r.adjusted_close, r.volume_shares, r.ingest_id
FROM bar_revisions_of_any_source r
JOIN ingests g ON g.id = r.ingest_id
WHERE r.ingest_id = (
    SELECT MAX(other.ingest_id) FROM bar_revisions_of_any_source other
    JOIN ingests og ON og.id = other.ingest_id
    WHERE other.symbol = r.symbol AND other.bar_interval = r.bar_interval
      AND other.opened_at = r.opened_at AND og.source = g.source)
  AND NOT EXISTS (
    SELECT 1 FROM bars known
    WHERE known.symbol = r.symbol AND known.bar_interval = r.bar_interval
      AND known.source = g.source AND known.opened_at = r.opened_at);

INSERT INTO bar_revisions
SELECT r.symbol, r.bar_interval, g.source, r.opened_at, r.replaced_by, r.open_units, r.high_units,
r.low_units, r.close_units, r.adjusted_close, r.volume_shares, r.ingest_id
FROM bar_revisions_of_any_source r
JOIN ingests g ON g.id = r.ingest_id
WHERE NOT EXISTS (
    SELECT 1 FROM bars known
    WHERE known.symbol = r.symbol AND known.bar_interval = r.bar_interval
      AND known.source = g.source AND known.opened_at = r.opened_at
      AND known.ingest_id = r.ingest_id);

DROP TABLE bars_of_any_source;
DROP TABLE bar_revisions_of_any_source;

-- One row a series: what the bars of it add up to, and when the source was asked last.
CREATE TABLE bar_series (
    symbol           TEXT NOT NULL REFERENCES instruments (symbol),
    bar_interval     TEXT NOT NULL,
    source           TEXT NOT NULL,
    rows_count       BIGINT NOT NULL,
    first_opened_at  BIGINT,
    last_opened_at   BIGINT,
    fetched_at_us    BIGINT NOT NULL,
    PRIMARY KEY (symbol, bar_interval, source)
);

INSERT INTO bar_series
SELECT b.symbol, b.bar_interval, b.source, COUNT(*), MIN(b.opened_at), MAX(b.opened_at),
       MAX(g.received_at_us)
FROM bars b
JOIN ingests g ON g.id = b.ingest_id
GROUP BY b.symbol, b.bar_interval, b.source;

ALTER TABLE refused_rows RENAME TO refused_rows_of_any_source;
DROP INDEX refused_rows_by_symbol;

CREATE TABLE refused_rows (
    source        TEXT NOT NULL,
    file          TEXT NOT NULL,
    line          BIGINT NOT NULL,
    symbol        TEXT,
    bar_interval  TEXT NOT NULL,
    document      TEXT NOT NULL,
    ingest_id     BIGINT NOT NULL REFERENCES ingests (id),
    PRIMARY KEY (source, file, line)
);
CREATE INDEX refused_rows_by_symbol ON refused_rows (symbol, bar_interval);

INSERT INTO refused_rows
SELECT g.source, r.file, r.line, r.symbol, r.bar_interval, r.document, r.ingest_id
FROM refused_rows_of_any_source r
JOIN ingests g ON g.id = r.ingest_id;

DROP TABLE refused_rows_of_any_source;

-- Each version of an event: known from one instant, until another if it was taken back or changed.
-- The ordinal numbers the events of one symbol, source and day.
ALTER TABLE corporate_actions RENAME TO corporate_actions_of_any_source;

CREATE TABLE corporate_actions (
    symbol            TEXT NOT NULL REFERENCES instruments (symbol),
    source            TEXT NOT NULL,
    effective_on      TEXT NOT NULL,
    ordinal           BIGINT NOT NULL,
    ingest_id         BIGINT NOT NULL REFERENCES ingests (id),
    known_at_us       BIGINT NOT NULL,
    superseded_at_us  BIGINT,
    document          TEXT NOT NULL,
    PRIMARY KEY (symbol, source, effective_on, ordinal, ingest_id)
);

INSERT INTO corporate_actions
SELECT a.symbol, g.source, a.effective_on,
       (SELECT COUNT(*) FROM corporate_actions_of_any_source earlier
        WHERE earlier.symbol = a.symbol AND earlier.effective_on = a.effective_on
          AND earlier.ordinal < a.ordinal),
a.ingest_id, g.received_at_us, NULL, a.document
FROM corporate_actions_of_any_source a
JOIN ingests g ON g.id = a.ingest_id;

DROP TABLE corporate_actions_of_any_source;

-- What a source says of a symbol on a day; the flags are 0, 1 or not known.
CREATE TABLE instrument_days (
    symbol            TEXT NOT NULL REFERENCES instruments (symbol),
    day               TEXT NOT NULL,
    source            TEXT NOT NULL,
    in_bist30         BIGINT,
    in_bist100        BIGINT,
    gross_settlement  BIGINT,
    suspended         BIGINT,
    document          TEXT NOT NULL,
    ingest_id         BIGINT NOT NULL REFERENCES ingests (id),
    PRIMARY KEY (symbol, day, source)
);
CREATE INDEX instrument_days_by_day ON instrument_days (day);

CREATE TABLE observations (
    series     TEXT NOT NULL,
    day        TEXT NOT NULL,
    source     TEXT NOT NULL,
    value      DOUBLE PRECISION NOT NULL,
    ingest_id  BIGINT NOT NULL REFERENCES ingests (id),
    PRIMARY KEY (series, day, source)
);

-- What an observation said before a later ingest revised it.
CREATE TABLE observation_revisions (
    series       TEXT NOT NULL,
    day          TEXT NOT NULL,
    source       TEXT NOT NULL,
    replaced_by  BIGINT NOT NULL REFERENCES ingests (id),
    value        DOUBLE PRECISION NOT NULL,
    ingest_id    BIGINT NOT NULL,
    PRIMARY KEY (series, day, source, replaced_by)
);

CREATE TABLE disclosures (
    idx              BIGINT PRIMARY KEY,
    published_at_us  BIGINT NOT NULL,
    document         TEXT NOT NULL,
    ingest_id        BIGINT NOT NULL REFERENCES ingests (id)
);

CREATE TABLE disclosure_symbols (
    symbol  TEXT NOT NULL,
    idx     BIGINT NOT NULL REFERENCES disclosures (idx),
    PRIMARY KEY (symbol, idx)
);
CREATE INDEX disclosure_symbols_by_idx ON disclosure_symbols (idx);

-- What was fetched, so that an interrupted run goes on where it stopped.
CREATE TABLE pieces (
    source         TEXT NOT NULL,
    piece_key      TEXT NOT NULL,
    is_final       BIGINT NOT NULL,
    etag           TEXT,
    last_modified  TEXT,
    fetched_at_us  BIGINT NOT NULL,
    rows_count     BIGINT NOT NULL,
    PRIMARY KEY (source, piece_key)
);

CREATE TABLE source_status (
    source              TEXT PRIMARY KEY,
    last_attempt_at_us  BIGINT NOT NULL,
    last_success_at_us  BIGINT,
    last_error          TEXT,
    failures_count      BIGINT NOT NULL,
    newest_day          TEXT
);

-- The reports of the last validation do not say which source they judged; the next one makes them
-- anew from the rows.
DROP TABLE findings;
DROP TABLE data_quality;

CREATE TABLE data_quality (
    symbol              TEXT NOT NULL REFERENCES instruments (symbol),
    bar_interval        TEXT NOT NULL,
    source              TEXT NOT NULL,
    validated_at_us     BIGINT NOT NULL,
    is_primary          BIGINT NOT NULL,
    expected_count      BIGINT NOT NULL,
    score_share         DOUBLE PRECISION NOT NULL,
    error_rows_count    BIGINT NOT NULL,
    warning_rows_count  BIGINT NOT NULL,
    summary             TEXT NOT NULL,
    PRIMARY KEY (symbol, bar_interval, source)
);

CREATE TABLE findings (
    symbol        TEXT NOT NULL,
    bar_interval  TEXT NOT NULL,
    source        TEXT NOT NULL,
    ordinal       BIGINT NOT NULL,
    finding_id    TEXT,
    day           TEXT,
    opened_at     BIGINT,
    code          TEXT NOT NULL,
    severity      TEXT NOT NULL,
    quarantined   BIGINT NOT NULL,
    document      TEXT NOT NULL,
    PRIMARY KEY (symbol, bar_interval, source, ordinal),
    FOREIGN KEY (symbol, bar_interval, source)
        REFERENCES data_quality (symbol, bar_interval, source)
);
CREATE INDEX findings_by_id ON findings (finding_id);

-- The score over time: of everything, of a source, of a symbol.
CREATE TABLE quality_history (
    scope               TEXT NOT NULL,
    recorded_at_us      BIGINT NOT NULL,
    score_share         DOUBLE PRECISION NOT NULL,
    expected_count      BIGINT NOT NULL,
    error_rows_count    BIGINT NOT NULL,
    warning_rows_count  BIGINT NOT NULL,
    PRIMARY KEY (scope, recorded_at_us)
);

-- What people decided about findings; rows are only ever added.
CREATE TABLE finding_decisions (
    id             BIGINT PRIMARY KEY,
    finding_id     TEXT NOT NULL,
    symbol         TEXT NOT NULL,
    bar_interval   TEXT NOT NULL,
    source         TEXT NOT NULL,
    verdict        TEXT NOT NULL,
    reason         TEXT NOT NULL,
    decided_by     TEXT NOT NULL,
    decided_at_us  BIGINT NOT NULL,
    document       TEXT NOT NULL
);
CREATE INDEX finding_decisions_by_series ON finding_decisions (symbol, bar_interval, source);

-- Runs of jobs that are due at an instant; the key makes sure that a run is begun once.
CREATE TABLE job_runs (
    id              BIGINT PRIMARY KEY,
    name            TEXT NOT NULL,
    due_at_us       BIGINT NOT NULL,
    started_at_us   BIGINT NOT NULL,
    finished_at_us  BIGINT,
    outcome         TEXT,
    detail          TEXT,
    UNIQUE (name, due_at_us)
);
