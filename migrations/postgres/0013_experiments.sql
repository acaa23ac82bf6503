-- Experiments: the rule as it was declared, what each arm forecast, and what came of it. The rule is
-- never changed, its end is written once, and forecasts and outcomes are only ever added; they stay
-- when a sample market and its models give way, so nothing here refers to other tables.

CREATE TABLE experiments (
    id               TEXT PRIMARY KEY,
    horizon          TEXT NOT NULL,
    state            TEXT NOT NULL,
    declared_at_us   BIGINT NOT NULL,
    declared_by      TEXT NOT NULL,
    reason           TEXT NOT NULL,
    design_sha256    TEXT NOT NULL,
    document         TEXT NOT NULL,
    concluded_at_us  BIGINT,
    concluded_by     TEXT,
    conclusion       TEXT,
    report           TEXT
);

CREATE UNIQUE INDEX experiments_running ON experiments (horizon) WHERE state = 'running';

CREATE TABLE experiment_exposures (
    experiment           TEXT NOT NULL,
    unit                 TEXT NOT NULL,
    as_of                TEXT NOT NULL,
    arm                  TEXT NOT NULL,
    moment               TEXT NOT NULL,
    snapshot_hash        TEXT NOT NULL,
    made_at_us           BIGINT NOT NULL,
    expected_log_return  DOUBLE PRECISION NOT NULL,
    probability_up       DOUBLE PRECISION NOT NULL,
    low_80               DOUBLE PRECISION NOT NULL,
    high_80              DOUBLE PRECISION NOT NULL,
    covariate            DOUBLE PRECISION,
    PRIMARY KEY (experiment, unit, as_of, arm)
);

CREATE TABLE experiment_outcomes (
    experiment           TEXT NOT NULL,
    unit                 TEXT NOT NULL,
    as_of                TEXT NOT NULL,
    arm                  TEXT NOT NULL,
    known_on             TEXT NOT NULL,
    joined_at_us         BIGINT NOT NULL,
    log_return           DOUBLE PRECISION,
    return_after_costs   DOUBLE PRECISION,
    PRIMARY KEY (experiment, unit, as_of, arm)
);

CREATE TRIGGER designs_are_not_changed
BEFORE UPDATE OF id, horizon, declared_at_us, declared_by, reason, design_sha256, document
ON experiments
FOR EACH ROW
EXECUTE FUNCTION bist_refuse('designs of experiments are never changed');

CREATE TRIGGER conclusions_are_not_changed BEFORE UPDATE ON experiments
FOR EACH ROW
WHEN (OLD.state <> 'running')
EXECUTE FUNCTION bist_refuse('conclusions of experiments are never changed');

CREATE TRIGGER experiments_are_not_removed BEFORE DELETE ON experiments
FOR EACH ROW
EXECUTE FUNCTION bist_refuse('experiments are never removed');

CREATE TRIGGER experiments_are_not_emptied BEFORE TRUNCATE ON experiments
FOR EACH STATEMENT
EXECUTE FUNCTION bist_refuse('experiments are never removed');

CREATE TRIGGER exposures_are_not_changed BEFORE UPDATE ON experiment_exposures
FOR EACH ROW
EXECUTE FUNCTION bist_refuse('forecasts of experiments are never changed');

CREATE TRIGGER exposures_are_not_removed BEFORE DELETE ON experiment_exposures
FOR EACH ROW
EXECUTE FUNCTION bist_refuse('forecasts of experiments are never removed');

CREATE TRIGGER exposures_are_not_emptied BEFORE TRUNCATE ON experiment_exposures
FOR EACH STATEMENT
EXECUTE FUNCTION bist_refuse('forecasts of experiments are never removed');

CREATE TRIGGER outcomes_are_not_changed BEFORE UPDATE ON experiment_outcomes
FOR EACH ROW
EXECUTE FUNCTION bist_refuse('outcomes of experiments are never changed');

CREATE TRIGGER outcomes_are_not_removed BEFORE DELETE ON experiment_outcomes
FOR EACH ROW
EXECUTE FUNCTION bist_refuse('outcomes of experiments are never removed');

CREATE TRIGGER outcomes_are_not_emptied BEFORE TRUNCATE ON experiment_outcomes
FOR EACH STATEMENT
EXECUTE FUNCTION bist_refuse('outcomes of experiments are never removed');
