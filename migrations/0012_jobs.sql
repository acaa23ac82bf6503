-- A run of a job tells who asked for it, what it is to do, how far it is, and can be cancelled and
-- begun again. A run that waits has been begun no time.

ALTER TABLE job_runs ADD COLUMN asked_by TEXT;
ALTER TABLE job_runs ADD COLUMN reason TEXT;
ALTER TABLE job_runs ADD COLUMN plan TEXT;
-- Who wants it to end; it does at the next step.
ALTER TABLE job_runs ADD COLUMN cancel_asked_by TEXT;

-- What a run consists of. What a stage found is kept, so that a run that is begun again goes on after
-- the last stage that was done.
CREATE TABLE job_stages (
    job_id       BIGINT NOT NULL REFERENCES job_runs (id) ON DELETE CASCADE,
    number       BIGINT NOT NULL,
    name         TEXT NOT NULL,
    began_at_us  BIGINT,
    ended_at_us  BIGINT,
    outcome      TEXT,
    part         TEXT NOT NULL DEFAULT '',
    done         BIGINT NOT NULL DEFAULT 0,
    total        BIGINT NOT NULL DEFAULT 0,
    told         TEXT,
    result       TEXT,
    PRIMARY KEY (job_id, number)
);

-- What a run said, in order.
CREATE TABLE job_lines (
    job_id       BIGINT NOT NULL REFERENCES job_runs (id) ON DELETE CASCADE,
    number       BIGINT NOT NULL,
    at_us        BIGINT NOT NULL,
    is_failure   BIGINT NOT NULL,
    line         TEXT NOT NULL,
    PRIMARY KEY (job_id, number)
);

UPDATE job_runs SET name = 'nightly-ingest' WHERE name = 'nightly ingest';
