-- How the API is used, and what people do with the product.

-- Answers by minute, hour and day: each answer is in one row of each resolution. Coarser ones are kept
-- longer.
CREATE TABLE api_usage (
    -- minute, hour or day.
    resolution           TEXT NOT NULL,
    -- When it begins, seconds of Unix time; days are those of UTC.
    begins_at_s          BIGINT NOT NULL,
    -- The path as it is registered, or `(no route)`.
    route                TEXT NOT NULL,
    method               TEXT NOT NULL,
    -- Empty where nobody had to say who asks, or the person was forgotten; `(other)` for those beyond
    -- the number of callers that a process tells apart.
    account              TEXT NOT NULL,
    -- Empty where no key was shown.
    api_key              TEXT NOT NULL,
    -- Which limit refused; empty for what no limit refused.
    refused_by           TEXT NOT NULL,
    succeeded_count      BIGINT NOT NULL,
    client_errors_count  BIGINT NOT NULL,
    refused_count        BIGINT NOT NULL,
    errors_count         BIGINT NOT NULL,
    latency_sum_ns       BIGINT NOT NULL,
    last_at_us           BIGINT NOT NULL,
    -- A DDSketch of the latencies in milliseconds, in the format of sketches-java, as base64.
    sketch               TEXT NOT NULL,
    PRIMARY KEY (resolution, begins_at_s, route, method, account, api_key, refused_by)
);

-- What people looked at, searched for and took away. Signing in is in sign_ins, and what rules fired in
-- alerts. Rows are never changed; they go when their time is over, or with the person.
CREATE TABLE activities (
    number               BIGINT PRIMARY KEY,
    at_us                BIGINT NOT NULL,
    -- view, search or export.
    kind                 TEXT NOT NULL,
    account              TEXT NOT NULL REFERENCES accounts (id),
    -- A symbol, a page, or what was exported.
    subject              TEXT NOT NULL,
    request_id           TEXT
);

CREATE INDEX activities_at ON activities (at_us);

CREATE INDEX activities_account ON activities (account, at_us);

CREATE INDEX sign_ins_at ON sign_ins (at_us);

CREATE INDEX alerts_fired_at ON alerts (fired_at_us);

CREATE TRIGGER activities_are_not_changed BEFORE UPDATE ON activities
BEGIN
    SELECT RAISE(ABORT, 'activities are never changed');
END;
