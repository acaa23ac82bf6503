-- Why each model stands where it stands: a change of state is only ever added, and stays when a sample
-- market and its models give way. The state of a version is the column; the document is what it was
-- when it was registered.

CREATE TABLE model_state_changes (
    number         BIGINT PRIMARY KEY,
    model_version  TEXT NOT NULL,
    horizon        TEXT NOT NULL,
    from_state     TEXT,
    to_state       TEXT NOT NULL,
    changed_at_us  BIGINT NOT NULL,
    changed_by     TEXT NOT NULL,
    reason         TEXT NOT NULL
);

CREATE INDEX model_state_changes_version ON model_state_changes (model_version, number);

-- Those from before stand where they stand; the order of the champions is that of their training.
INSERT INTO model_state_changes
SELECT ROW_NUMBER() OVER (ORDER BY trained_at_us, id), id, horizon, NULL,
       CASE state WHEN 'retired' THEN 'champion' ELSE state END, trained_at_us, 'bist',
       'it was there before changes were noted'
FROM model_versions;

INSERT INTO model_state_changes
SELECT (SELECT MAX(number) FROM model_state_changes)
           + ROW_NUMBER() OVER (ORDER BY former.trained_at_us, former.id), former.id, former.horizon,
       'champion', 'retired',
       COALESCE((SELECT MIN(next.trained_at_us) FROM model_versions AS next
                 WHERE next.horizon = former.horizon AND next.state IN ('champion', 'retired')
                   AND next.trained_at_us > former.trained_at_us), former.trained_at_us),
       'bist', 'it was there before changes were noted'
FROM model_versions AS former WHERE former.state = 'retired';

-- What names the bars that models learned from and signals were made of, by their fingerprint.
CREATE TABLE snapshots (
    hash           TEXT PRIMARY KEY,
    document       TEXT NOT NULL
);

CREATE TRIGGER model_state_changes_are_not_changed BEFORE UPDATE ON model_state_changes
FOR EACH ROW
EXECUTE FUNCTION bist_refuse('state changes are never changed');

CREATE TRIGGER model_state_changes_are_not_removed BEFORE DELETE ON model_state_changes
FOR EACH ROW
EXECUTE FUNCTION bist_refuse('state changes are never removed');

CREATE TRIGGER model_state_changes_are_not_emptied BEFORE TRUNCATE ON model_state_changes
FOR EACH STATEMENT
EXECUTE FUNCTION bist_refuse('state changes are never removed');
