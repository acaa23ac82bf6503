-- A run may be cut into parts, which are runs of their own that any process takes up.

ALTER TABLE job_runs ADD COLUMN parent_id BIGINT REFERENCES job_runs (id) ON DELETE CASCADE;
-- What the part is called within its run, and its place among those that were put in beside it.
ALTER TABLE job_runs ADD COLUMN part TEXT;
ALTER TABLE job_runs ADD COLUMN place BIGINT;

CREATE UNIQUE INDEX job_runs_parts ON job_runs (parent_id, part);
