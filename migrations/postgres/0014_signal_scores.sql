-- Every signal as it was served, and what came of it. Rows are only ever added, and stay when a sample
-- market and its models give way. A signal that was made again and says something else is another
-- issue of it. What the signals table holds is the newest issue of each.

CREATE TABLE served_signals (
    number         BIGINT PRIMARY KEY,
    signal_id      TEXT NOT NULL,
    issue          BIGINT NOT NULL,
    origin         TEXT NOT NULL,
    horizon        TEXT NOT NULL,
    symbol         TEXT NOT NULL,
    model_version  TEXT NOT NULL,
    as_of          TEXT NOT NULL,
    made_at_us     BIGINT NOT NULL,
    document       TEXT NOT NULL,
    UNIQUE (signal_id, issue)
);

-- Those that were served before the record was kept; of one that had been made again, the last issue
-- is all that is left.
INSERT INTO served_signals
SELECT ROW_NUMBER() OVER (ORDER BY s.made_at_us, s.id), s.id, 1, m.origin, m.horizon,
s.symbol, s.model_version, s.as_of, s.made_at_us, s.document
FROM signals AS s JOIN model_versions AS m ON m.id = s.model_version;

-- The state is scored or never_known; a signal without a row waits.
CREATE TABLE signal_scores (
    served_number  BIGINT PRIMARY KEY REFERENCES served_signals (number),
    state          TEXT NOT NULL,
    scored_at_us   BIGINT NOT NULL,
    document       TEXT NOT NULL
);

CREATE INDEX served_signals_horizon ON served_signals (origin, horizon, number);

CREATE TRIGGER served_signals_are_not_changed BEFORE UPDATE ON served_signals
FOR EACH ROW
EXECUTE FUNCTION bist_refuse('served signals are never changed');

CREATE TRIGGER served_signals_are_not_removed BEFORE DELETE ON served_signals
FOR EACH ROW
EXECUTE FUNCTION bist_refuse('served signals are never removed');

CREATE TRIGGER served_signals_are_not_emptied BEFORE TRUNCATE ON served_signals
FOR EACH STATEMENT
EXECUTE FUNCTION bist_refuse('served signals are never removed');

CREATE TRIGGER signal_scores_are_not_changed BEFORE UPDATE ON signal_scores
FOR EACH ROW
EXECUTE FUNCTION bist_refuse('scores of signals are never changed');

CREATE TRIGGER signal_scores_are_not_removed BEFORE DELETE ON signal_scores
FOR EACH ROW
EXECUTE FUNCTION bist_refuse('scores of signals are never removed');

CREATE TRIGGER signal_scores_are_not_emptied BEFORE TRUNCATE ON signal_scores
FOR EACH STATEMENT
EXECUTE FUNCTION bist_refuse('scores of signals are never removed');
