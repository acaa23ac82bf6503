-- Passkeys as a second factor: public keys, so that nothing here lets anybody in. Times are
-- microseconds of Unix time.

CREATE TABLE passkeys (
    id                     TEXT PRIMARY KEY,
    account                TEXT NOT NULL REFERENCES accounts (id),
    -- What the authenticator calls it, in base64 for addresses; no two accounts share one.
    credential_id          TEXT NOT NULL UNIQUE,
    name                   TEXT NOT NULL,
    -- A JSON object: the public key, and the counter of signatures that was seen last.
    credential             TEXT NOT NULL,
    created_at_us          BIGINT NOT NULL,
    last_used_at_us        BIGINT
);

CREATE INDEX passkeys_account ON passkeys (account);

-- What a browser was asked to sign. One at a time for each session and ceremony; it is gone once
-- somebody answers, and with its session.
CREATE TABLE passkey_challenges (
    session                TEXT NOT NULL REFERENCES sessions (id) ON DELETE CASCADE,
    ceremony               TEXT NOT NULL,
    -- A JSON object: what the answer is held against.
    state                  TEXT NOT NULL,
    expires_at_us          BIGINT NOT NULL,
    PRIMARY KEY (session, ceremony)
);
