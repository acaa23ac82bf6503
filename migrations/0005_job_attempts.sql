-- A run of a job says that it is alive, and one that failed is begun again later.

ALTER TABLE job_runs ADD COLUMN alive_at_us BIGINT;
ALTER TABLE job_runs ADD COLUMN attempts_count BIGINT NOT NULL DEFAULT 1;
-- When a failed run is begun again; NULL when it is not.
ALTER TABLE job_runs ADD COLUMN retry_at_us BIGINT;

UPDATE job_runs SET alive_at_us = started_at_us;
