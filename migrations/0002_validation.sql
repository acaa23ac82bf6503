-- What the validator said of each series the last time it ran.

CREATE TABLE data_quality (
    symbol           TEXT NOT NULL REFERENCES instruments (symbol),
    bar_interval     TEXT NOT NULL,
    validated_at_us  BIGINT NOT NULL,
    summary          TEXT NOT NULL,
    PRIMARY KEY (symbol, bar_interval)
);

CREATE TABLE findings (
    symbol        TEXT NOT NULL,
    bar_interval  TEXT NOT NULL,
    ordinal       BIGINT NOT NULL,
    opened_at     BIGINT,
    code          TEXT NOT NULL,
    severity      TEXT NOT NULL,
    document      TEXT NOT NULL,
    PRIMARY KEY (symbol, bar_interval, ordinal),
    FOREIGN KEY (symbol, bar_interval) REFERENCES data_quality (symbol, bar_interval)
);
