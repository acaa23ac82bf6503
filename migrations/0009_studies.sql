-- Studies and their trials. What is read after a while is read by number: whoever knows a study up to
-- some trial reads from there on.

-- A study that was removed keeps its row without a name, so that its number is not given again.
CREATE TABLE studies (
    id               BIGINT PRIMARY KEY,
    name             TEXT UNIQUE,
    directions       TEXT NOT NULL
);

CREATE TABLE study_attributes (
    study_id         BIGINT NOT NULL REFERENCES studies (id),
    kind             TEXT NOT NULL,
    attribute        TEXT NOT NULL,
    document         TEXT NOT NULL,
    PRIMARY KEY (study_id, kind, attribute)
);

CREATE TABLE study_trials (
    study_id         BIGINT NOT NULL REFERENCES studies (id),
    number           BIGINT NOT NULL,
    state            TEXT NOT NULL,
    started_at_us    BIGINT,
    completed_at_us  BIGINT,
    PRIMARY KEY (study_id, number)
);

CREATE INDEX study_trials_waiting ON study_trials (study_id, number) WHERE state = 'waiting';

CREATE TABLE study_trial_values (
    study_id         BIGINT NOT NULL,
    number           BIGINT NOT NULL,
    objective        BIGINT NOT NULL,
    objective_value  DOUBLE PRECISION NOT NULL,
    PRIMARY KEY (study_id, number, objective),
    FOREIGN KEY (study_id, number) REFERENCES study_trials (study_id, number)
);

-- The value is the internal one: of a category its place among the choices.
CREATE TABLE study_trial_params (
    study_id         BIGINT NOT NULL,
    number           BIGINT NOT NULL,
    name             TEXT NOT NULL,
    internal_value   DOUBLE PRECISION NOT NULL,
    document         TEXT NOT NULL,
    PRIMARY KEY (study_id, number, name),
    FOREIGN KEY (study_id, number) REFERENCES study_trials (study_id, number)
);

CREATE INDEX study_trial_params_names ON study_trial_params (study_id, name);

-- A value of NULL is one that is not a number, which SQLite does not keep.
CREATE TABLE study_trial_reports (
    study_id         BIGINT NOT NULL,
    number           BIGINT NOT NULL,
    step             BIGINT NOT NULL,
    reported_value   DOUBLE PRECISION,
    PRIMARY KEY (study_id, number, step),
    FOREIGN KEY (study_id, number) REFERENCES study_trials (study_id, number)
);

CREATE TABLE study_trial_attributes (
    study_id         BIGINT NOT NULL,
    number           BIGINT NOT NULL,
    kind             TEXT NOT NULL,
    attribute        TEXT NOT NULL,
    document         TEXT NOT NULL,
    PRIMARY KEY (study_id, number, kind, attribute),
    FOREIGN KEY (study_id, number) REFERENCES study_trials (study_id, number)
);
