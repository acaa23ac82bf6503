-- Every look at a record out of sample. Rows are only ever added: each holds the hash of the one
-- before, and the database refuses to change or remove one.

CREATE TABLE trials (
    number         BIGINT PRIMARY KEY,
    link           TEXT NOT NULL,
    document       TEXT NOT NULL
);

CREATE TRIGGER trials_are_not_changed BEFORE UPDATE ON trials
BEGIN
    SELECT RAISE(ABORT, 'trials are never changed');
END;

CREATE TRIGGER trials_are_not_removed BEFORE DELETE ON trials
BEGIN
    SELECT RAISE(ABORT, 'trials are never removed');
END;
