-- Every look at a record out of sample. Rows are only ever added: each holds the hash of the one
-- before, and the database refuses to change or remove one.

CREATE TABLE trials (
    number         BIGINT PRIMARY KEY,
    link           TEXT NOT NULL,
    document       TEXT NOT NULL
);

-- What every trigger below calls that keeps rows as they are; its argument says why.
CREATE FUNCTION bist_refuse() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION USING MESSAGE = TG_ARGV[0], ERRCODE = 'restrict_violation';
END;
$$;

CREATE TRIGGER trials_are_not_changed BEFORE UPDATE ON trials
FOR EACH ROW
EXECUTE FUNCTION bist_refuse('trials are never changed');

CREATE TRIGGER trials_are_not_removed BEFORE DELETE ON trials
FOR EACH ROW
EXECUTE FUNCTION bist_refuse('trials are never removed');

CREATE TRIGGER trials_are_not_emptied BEFORE TRUNCATE ON trials
FOR EACH STATEMENT
EXECUTE FUNCTION bist_refuse('trials are never removed');
