-- One model in force for each horizon, which is a number of sessions, 1h or eod: a text.

ALTER TABLE model_versions ADD COLUMN horizon TEXT NOT NULL DEFAULT '';

UPDATE model_versions SET horizon = CAST(horizon_sessions AS TEXT);

DROP INDEX model_versions_champion;

ALTER TABLE model_versions DROP COLUMN horizon_sessions;

CREATE UNIQUE INDEX model_versions_champion ON model_versions (horizon)
    WHERE state = 'champion';
