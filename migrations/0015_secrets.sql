-- Secrets: each value sealed under a data key of its own, the data keys and the register under the
-- master key, which is not here. The register names all of them with their revisions, so that a row
-- that was changed, taken out or brought back is noticed.

CREATE TABLE secrets (
    name          TEXT PRIMARY KEY,
    revision      BIGINT NOT NULL,
    set_at_us     BIGINT NOT NULL,
    wrapped_key   TEXT NOT NULL,
    sealed_value  TEXT NOT NULL
);

-- One row, with the number 1, from the first secret on.
CREATE TABLE secret_register (
    id         BIGINT PRIMARY KEY,
    key_check  TEXT NOT NULL,
    entries    TEXT NOT NULL
);
