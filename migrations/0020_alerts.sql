-- What belongs to one person: watchlists, settings, alert rules, what these fired, and where it is
-- told. All but the numbers of changes goes when the person is forgotten. Times are microseconds of
-- Unix time.

-- One number that every change of these tables raises, and the number of the newest change of each
-- person and topic (watchlists, settings, alerts): what live streams look at.
CREATE TABLE personal_marks (
    account                TEXT NOT NULL REFERENCES accounts (id),
    topic                  TEXT NOT NULL,
    mark                   BIGINT NOT NULL,
    PRIMARY KEY (account, topic)
);

CREATE INDEX personal_marks_mark ON personal_marks (mark);

CREATE TABLE watchlists (
    id                     TEXT PRIMARY KEY,
    account                TEXT NOT NULL REFERENCES accounts (id),
    -- Raised by each change; who changes a list names the one that they have seen.
    revision               BIGINT NOT NULL,
    created_at_us          BIGINT NOT NULL,
    updated_at_us          BIGINT NOT NULL,
    -- A JSON object: the name, and the symbols in their order.
    document               TEXT NOT NULL
);

CREATE INDEX watchlists_account ON watchlists (account);

CREATE TABLE user_settings (
    account                TEXT PRIMARY KEY REFERENCES accounts (id),
    revision               BIGINT NOT NULL,
    updated_at_us          BIGINT NOT NULL,
    document               TEXT NOT NULL
);

CREATE TABLE alert_channels (
    account                TEXT NOT NULL REFERENCES accounts (id),
    channel                TEXT NOT NULL,
    set_at_us              BIGINT NOT NULL,
    -- A JSON object: the address. What signs webhooks is a secret (0015).
    document               TEXT NOT NULL,
    PRIMARY KEY (account, channel)
);

CREATE TABLE alert_rules (
    id                     TEXT PRIMARY KEY,
    account                TEXT NOT NULL REFERENCES accounts (id),
    revision               BIGINT NOT NULL,
    created_at_us          BIGINT NOT NULL,
    updated_at_us          BIGINT NOT NULL,
    document               TEXT NOT NULL,
    -- A JSON object: what came of it when it was last looked at; and how often that was written.
    state                  TEXT NOT NULL,
    state_revision         BIGINT NOT NULL
);

CREATE INDEX alert_rules_account ON alert_rules (account);

-- Each row fired once: the fact that fired a rule is its key, whichever process saw it. A test message
-- has no rule.
CREATE TABLE alerts (
    id                     TEXT PRIMARY KEY,
    account                TEXT NOT NULL REFERENCES accounts (id),
    number                 BIGINT NOT NULL,
    rule                   TEXT,
    fact                   TEXT NOT NULL,
    fired_at_us            BIGINT NOT NULL,
    read_at_us             BIGINT,
    document               TEXT NOT NULL,
    UNIQUE (account, number),
    UNIQUE (rule, fact)
);

-- What is to be told, and what became of it.
CREATE TABLE alert_deliveries (
    alert                  TEXT NOT NULL REFERENCES alerts (id) ON DELETE CASCADE,
    channel                TEXT NOT NULL,
    -- waiting, delivered or failed.
    state                  TEXT NOT NULL,
    attempts_count         BIGINT NOT NULL,
    -- When it is tried next; while it is being tried, when whoever does so is given up.
    due_at_us              BIGINT NOT NULL,
    ended_at_us            BIGINT,
    -- What the last attempt that failed said.
    problem                TEXT,
    PRIMARY KEY (alert, channel)
);

CREATE INDEX alert_deliveries_due ON alert_deliveries (state, due_at_us);
