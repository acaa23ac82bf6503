-- What went wrong in this installation: one group of errors that are the same, and the newest of each.
-- Nothing here is personal and nothing a secret: what is kept is scrubbed before.
-- Times are microseconds of Unix time.

CREATE TABLE error_groups (
    -- Made of the kind, the place and the message without what differs from one time to the next.
    id                     TEXT PRIMARY KEY,
    -- panic, internal, job, page or other.
    kind                   TEXT NOT NULL,
    title                  TEXT NOT NULL,
    place                  TEXT NOT NULL,
    -- open, resolved or muted; one that is resolved opens when it happens again.
    state                  TEXT NOT NULL,
    first_at_us            BIGINT NOT NULL,
    last_at_us             BIGINT NOT NULL,
    events_count           BIGINT NOT NULL,
    last_request_id        TEXT,
    -- The version of the program that met it last.
    release_name           TEXT NOT NULL
);

CREATE INDEX error_groups_last ON error_groups (last_at_us, id);

CREATE TABLE error_events (
    group_id               TEXT NOT NULL REFERENCES error_groups (id) ON DELETE CASCADE,
    -- Its place in the group, from one; only the newest are kept.
    number                 BIGINT NOT NULL,
    at_us                  BIGINT NOT NULL,
    -- A JSON object: the message, the request, and what was logged before.
    document               TEXT NOT NULL,
    PRIMARY KEY (group_id, number)
);
