"""The queue of emails: what waits to be sent, whose turn it is, and which sender has it.

A row of `email` is long and has many indexes; what changes while it waits is kept beside it, in rows that
are short and go when it is sent. A trigger fills the queue, so that whoever stores an email that waits, a
process of the release before included, has it sent. That process sends by jobs: it holds the email's row
meanwhile, and its result takes the email out of the queue. That goes in a later release.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0011"
down_revision = "0010"

CHANGES = """
ALTER TABLE email
    DROP CONSTRAINT email_status_check,
    DROP CONSTRAINT email_pinned,
    ALTER COLUMN attachments SET DEFAULT '[]'; -- only the release before reads and writes them here
ALTER TABLE email
    ADD CONSTRAINT email_status_check CHECK (
        status IN ('held', 'queued', 'sending', 'sent', 'unknown', 'skipped', 'failed')),
    ADD CONSTRAINT email_pinned CHECK (
        revision_id IS NOT NULL OR status IN ('sent', 'skipped', 'failed'));

CREATE TABLE email_queue (
    email_id     text COLLATE "C" PRIMARY KEY,
    team_id      text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    lane         smallint NOT NULL,          -- 0 transactional, 1 workflow, 2 campaign
    due_at       timestamptz NOT NULL,       -- not before, by the server's clock
    token        text,                       -- of the sender that has taken it
    leased_until timestamptz                 -- by the database's clock: then others may take it
) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_cost_delay = 0);
CREATE INDEX email_queue_turn ON email_queue (lane, due_at, email_id);

CREATE TABLE email_attachment (
    email_id     text COLLATE "C" NOT NULL REFERENCES email ON DELETE CASCADE,
    team_id      text COLLATE "C" NOT NULL,
    place        smallint NOT NULL,          -- from 1, in the order they were given
    filename     text NOT NULL,
    content_type text NOT NULL,
    data         text NOT NULL,              -- base64
    PRIMARY KEY (email_id, place)
);
ALTER TABLE email_attachment ALTER COLUMN data SET STORAGE EXTERNAL;

INSERT INTO email_attachment
SELECT email.id, email.team_id, file.place, file.value ->> 'filename', file.value ->> 'contentType',
       file.value ->> 'data'
  FROM email, jsonb_array_elements(email.attachments) WITH ORDINALITY AS file (value, place)
 WHERE email.status = 'queued';

INSERT INTO email_queue (email_id, team_id, lane, due_at)
SELECT id, team_id, CASE kind WHEN 'transactional' THEN 0 ELSE 1 END, created_at
  FROM email WHERE status = 'queued';

-- Until now only its job knew when an email was to be tried again. Jobs under way finish.
DO $$ BEGIN
    IF to_regclass('pgqueuer') IS NOT NULL THEN
        UPDATE email_queue SET due_at = execute_after
          FROM pgqueuer
         WHERE entrypoint = 'deliver_email' AND status = 'queued' AND execute_after > due_at
           AND email_id = convert_from(payload, 'UTF8')::jsonb ->> 'email_id';
        DELETE FROM pgqueuer WHERE entrypoint = 'deliver_email' AND status <> 'picked';
    END IF;
END $$;

CREATE FUNCTION queue_emails() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO email_attachment
    SELECT added.id, added.team_id, file.place, file.value ->> 'filename', file.value ->> 'contentType',
           file.value ->> 'data'
      FROM added, jsonb_array_elements(added.attachments) WITH ORDINALITY AS file (value, place);
    INSERT INTO email_queue (email_id, team_id, lane, due_at)
    SELECT id, team_id, CASE kind WHEN 'transactional' THEN 0 ELSE 1 END, created_at
      FROM added WHERE status = 'queued';
    PERFORM pg_notify('loopwright_email', lane::text)
       FROM (SELECT DISTINCT CASE kind WHEN 'transactional' THEN 0 ELSE 1 END AS lane
               FROM added WHERE status = 'queued') AS lanes;
    RETURN NULL;
END $$;
CREATE TRIGGER queued AFTER INSERT ON email
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION queue_emails();

CREATE FUNCTION leave_queue() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM email_queue WHERE email_id = NEW.id;
    RETURN NULL;
END $$;
CREATE TRIGGER left_queue AFTER UPDATE OF status ON email
   FOR EACH ROW WHEN (OLD.status = 'queued' AND NEW.status IN ('sent', 'skipped', 'failed'))
   EXECUTE FUNCTION leave_queue();
"""


def upgrade() -> None:
    """Build the queue, and take into it what waits."""
    run(CHANGES)
