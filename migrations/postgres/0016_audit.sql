-- The audit: who did what, each record with a MAC over itself and the one before it, and the end of
-- the chain with a MAC of its own. The key is a secret. Personal data stand beside the chain, which
-- has a digest of them, and may be taken out.

CREATE TABLE audit_log (
    seq           BIGINT PRIMARY KEY,
    at_us         BIGINT NOT NULL,
    actor         TEXT NOT NULL,
    action        TEXT NOT NULL,
    subject       TEXT NOT NULL,
    details       TEXT NOT NULL,
    about         TEXT,
    personal      TEXT,
    salt          TEXT,
    personal_mac  TEXT,
    request_id    TEXT,
    mac           TEXT NOT NULL
);

CREATE INDEX audit_log_subject ON audit_log (subject, seq);

CREATE INDEX audit_log_personal ON audit_log (about) WHERE personal IS NOT NULL;

-- One row, with the number 1, from the moment on at which there is a key.
CREATE TABLE audit_head (
    id             BIGINT PRIMARY KEY,
    records_count  BIGINT NOT NULL,
    last_mac       TEXT NOT NULL,
    mac            TEXT NOT NULL
);

-- Of a record, only the personal part may be taken out.
CREATE TRIGGER audit_records_are_not_changed BEFORE UPDATE ON audit_log
FOR EACH ROW
WHEN (NEW.personal IS NOT NULL OR NEW.salt IS NOT NULL
  OR NEW.seq <> OLD.seq OR NEW.at_us <> OLD.at_us OR NEW.actor <> OLD.actor
  OR NEW.action <> OLD.action OR NEW.subject <> OLD.subject OR NEW.details <> OLD.details
  OR NEW.about IS DISTINCT FROM OLD.about OR NEW.personal_mac IS DISTINCT FROM OLD.personal_mac
  OR NEW.request_id IS DISTINCT FROM OLD.request_id OR NEW.mac <> OLD.mac)
EXECUTE FUNCTION bist_refuse('audit records are never changed');

CREATE TRIGGER audit_records_are_not_removed BEFORE DELETE ON audit_log
FOR EACH ROW
EXECUTE FUNCTION bist_refuse('audit records are never removed');

CREATE TRIGGER audit_records_are_not_emptied BEFORE TRUNCATE ON audit_log
FOR EACH STATEMENT
EXECUTE FUNCTION bist_refuse('audit records are never removed');

CREATE TRIGGER audit_head_moves_on BEFORE UPDATE ON audit_head
FOR EACH ROW
WHEN (NEW.id <> OLD.id OR NEW.records_count <= OLD.records_count)
EXECUTE FUNCTION bist_refuse('the end of the audit is never set back');

CREATE TRIGGER audit_head_is_not_removed BEFORE DELETE ON audit_head
FOR EACH ROW
EXECUTE FUNCTION bist_refuse('the end of the audit is never removed');

CREATE TRIGGER audit_head_is_not_emptied BEFORE TRUNCATE ON audit_head
FOR EACH STATEMENT
EXECUTE FUNCTION bist_refuse('the end of the audit is never removed');
