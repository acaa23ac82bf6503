-- Model versions, and what the version in force says of each symbol. Artefacts lie in the data
-- directory under models/, named by the hash that the version records.

CREATE TABLE model_versions (
    id             TEXT PRIMARY KEY,
    state          TEXT NOT NULL,
    origin         TEXT NOT NULL,
    trained_at_us  BIGINT NOT NULL,
    document       TEXT NOT NULL
);

CREATE TABLE forecasts (
    symbol         TEXT NOT NULL REFERENCES instruments (symbol),
    model_version  TEXT NOT NULL REFERENCES model_versions (id),
    as_of          TEXT NOT NULL,
    made_at_us     BIGINT NOT NULL,
    document       TEXT NOT NULL,
    PRIMARY KEY (symbol, model_version, as_of)
);

CREATE TABLE signals (
    id             TEXT PRIMARY KEY,
    symbol         TEXT NOT NULL REFERENCES instruments (symbol),
    model_version  TEXT NOT NULL REFERENCES model_versions (id),
    as_of          TEXT NOT NULL,
    made_at_us     BIGINT NOT NULL,
    document       TEXT NOT NULL,
    UNIQUE (symbol, model_version, as_of)
);
