-- What is renewed before its end. Orders of certificates: one of several servers makes them, and each may
-- be asked about them. Keys and certificates themselves are secrets (0015). Times are microseconds of
-- Unix time.

-- At most one. While it is held, somebody orders or waits for the next attempt.
CREATE TABLE certificate_orders (
    id                     BIGINT PRIMARY KEY CHECK (id = 1),
    -- Where what is ordered; another wish need not wait.
    wanted                 TEXT NOT NULL,
    held_until_us          BIGINT NOT NULL,
    failures_count         BIGINT NOT NULL
);

-- What a certificate authority has to find at a domain that it asks about: nothing secret.
CREATE TABLE certificate_answers (
    domain                 TEXT PRIMARY KEY,
    digest                 TEXT NOT NULL
);

-- Whether a key gets a successor before its end, when its owner was reminded of it, and whether it is such
-- a successor that nobody has collected; until then what opens it is a secret (0015).
ALTER TABLE api_keys ADD COLUMN auto_rotate BIGINT NOT NULL DEFAULT 0;
ALTER TABLE api_keys ADD COLUMN reminded_at_us BIGINT;
ALTER TABLE api_keys ADD COLUMN is_uncollected BIGINT NOT NULL DEFAULT 0;
