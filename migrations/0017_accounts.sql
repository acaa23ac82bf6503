-- Who may do what. Of passwords, tokens, codes and keys only hashes are here; the seeds of second
-- factors are secrets (0015). Times are microseconds of Unix time.

CREATE TABLE accounts (
    id                     TEXT PRIMARY KEY,
    -- NULL once the person is forgotten; the row stays, so that the audit still knows whose it was.
    user_name              TEXT UNIQUE,
    role                   TEXT NOT NULL,
    state                  TEXT NOT NULL,
    password_hash          TEXT,
    second_factor_on       BIGINT NOT NULL DEFAULT 0,
    -- The step of the one-time code that was used last; no code up to it counts again.
    second_factor_step     BIGINT,
    created_at_us          BIGINT NOT NULL,
    last_signed_in_at_us   BIGINT
);

CREATE TABLE recovery_codes (
    digest                 TEXT PRIMARY KEY,
    account                TEXT NOT NULL REFERENCES accounts (id),
    used_at_us             BIGINT
);

CREATE INDEX recovery_codes_account ON recovery_codes (account);

-- One at a time for each account; it is gone once it is used.
CREATE TABLE invitations (
    account                TEXT PRIMARY KEY REFERENCES accounts (id),
    digest                 TEXT NOT NULL UNIQUE,
    purpose                TEXT NOT NULL,
    expires_at_us          BIGINT NOT NULL
);

CREATE TABLE sessions (
    id                     TEXT PRIMARY KEY,
    account                TEXT NOT NULL REFERENCES accounts (id),
    digest                 TEXT NOT NULL UNIQUE,
    code_given             BIGINT NOT NULL,
    signed_in_at_us        BIGINT NOT NULL,
    last_seen_at_us        BIGINT NOT NULL,
    stepped_up_until_us    BIGINT,
    address                TEXT,
    user_agent             TEXT
);

CREATE INDEX sessions_account ON sessions (account);

-- What came of each attempt to sign in to an account that there is; for its owner to see.
CREATE TABLE sign_ins (
    number                 BIGINT PRIMARY KEY,
    account                TEXT NOT NULL REFERENCES accounts (id),
    at_us                  BIGINT NOT NULL,
    outcome                TEXT NOT NULL,
    address                TEXT,
    user_agent             TEXT
);

CREATE INDEX sign_ins_account ON sign_ins (account, number);

CREATE TABLE api_keys (
    id                     TEXT PRIMARY KEY,
    account                TEXT NOT NULL REFERENCES accounts (id),
    digest                 TEXT NOT NULL UNIQUE,
    name                   TEXT NOT NULL,
    -- Words and networks, with a blank between them.
    scopes                 TEXT NOT NULL,
    networks               TEXT NOT NULL,
    created_at_us          BIGINT NOT NULL,
    expires_at_us          BIGINT NOT NULL,
    last_used_at_us        BIGINT,
    revoked_at_us          BIGINT,
    replaced_by            TEXT
);

CREATE INDEX api_keys_account ON api_keys (account);
