"""What the overview shows, counted as it happens: events and sent emails by the hour, contacts by the day.

And emails that did not leave are noted whoever sent them, not those of campaigns alone.
"""

from datetime import UTC, datetime, timedelta

from loopwright.ids import new_id
from loopwright.server.store.migrations.scripts import run

revision = "0216"
down_revision = "0215"

CHANGES = """
CREATE TABLE tally (
    team_id text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    what    text COLLATE "C" NOT NULL, -- events, sent: by the hour; contacts: by the day
    since   timestamptz NOT NULL, -- the beginning of the hour or day, of UTC
    part    smallint NOT NULL, -- so that processes seldom wait for each other
    count   bigint NOT NULL,
    PRIMARY KEY (team_id, what, since, part)
) WITH (fillfactor = 50);

-- Hours and days of UTC have the same length each: `date_bin` needs no calendar, and a tenth of the time.
CREATE FUNCTION tally_events() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM added) THEN
        RETURN NULL;
    END IF;
    INSERT INTO tally AS known (team_id, what, since, part, count)
    SELECT team_id, 'events', date_bin('1 hour', received_at, '2000-01-01Z'), pg_backend_pid() % 16, count(*)
      FROM added GROUP BY 1, 3 ORDER BY 1, 3
    ON CONFLICT (team_id, what, since, part) DO UPDATE SET count = known.count + excluded.count;
    RETURN NULL;
END $$;
CREATE FUNCTION tally_sent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM added WHERE kind = 'email_sent') THEN
        RETURN NULL;
    END IF;
    INSERT INTO tally AS known (team_id, what, since, part, count)
    SELECT team_id, 'sent', date_bin('1 hour', happened_at, '2000-01-01Z'), pg_backend_pid() % 16, count(*)
      FROM added WHERE kind = 'email_sent' GROUP BY 1, 3 ORDER BY 1, 3
    ON CONFLICT (team_id, what, since, part) DO UPDATE SET count = known.count + excluded.count;
    RETURN NULL;
END $$;
CREATE FUNCTION tally_contacts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM changed) THEN
        RETURN NULL; -- as in most batches, all of whose contacts are known
    END IF;
    INSERT INTO tally AS known (team_id, what, since, part, count)
    SELECT team_id, 'contacts', date_bin('1 day', created_at, '2000-01-01Z'), pg_backend_pid() % 16,
           CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END
      FROM changed GROUP BY 1, 3 ORDER BY 1, 3
    ON CONFLICT (team_id, what, since, part) DO UPDATE SET count = known.count + excluded.count;
    RETURN NULL;
END $$;
CREATE TRIGGER tallied AFTER INSERT ON event
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION tally_events();
CREATE TRIGGER tallied AFTER INSERT ON fact
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION tally_sent();
CREATE TRIGGER tallied AFTER INSERT ON contact
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tally_contacts();
CREATE TRIGGER tallied_less AFTER DELETE ON contact
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION tally_contacts();

ALTER TABLE campaign_unsent RENAME TO email_unsent;
ALTER TABLE email_unsent RENAME CONSTRAINT campaign_unsent_team_id_fkey TO email_unsent_team_id_fkey;
ALTER TABLE email_unsent DROP CONSTRAINT campaign_unsent_pkey;
ALTER TABLE email_unsent ALTER COLUMN campaign_id DROP NOT NULL;
CREATE OR REPLACE FUNCTION note_unsent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM email_unsent WHERE team_id = OLD.team_id AND status = OLD.status AND email_id = OLD.id;
    END IF;
    IF NEW.status IN ('skipped', 'failed', 'unknown') THEN
        INSERT INTO email_unsent (campaign_id, status, email_id, team_id, reason)
        VALUES (NEW.campaign_id, NEW.status, NEW.id, NEW.team_id,
                CASE WHEN NEW.status = 'skipped' AND NEW.campaign_id IS NOT NULL THEN left(NEW.reason, 200)
                     ELSE '' END)
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
DROP TRIGGER unsent ON email;
DROP TRIGGER unsent_at_once ON email;
CREATE TRIGGER unsent AFTER UPDATE OF status ON email FOR EACH ROW
    WHEN (NEW.status <> OLD.status
          AND (NEW.status IN ('skipped', 'failed', 'unknown')
               OR OLD.status IN ('skipped', 'failed', 'unknown')))
    EXECUTE FUNCTION note_unsent();
CREATE TRIGGER unsent_at_once AFTER INSERT ON email FOR EACH ROW
    WHEN (NEW.status IN ('skipped', 'failed', 'unknown'))
    EXECUTE FUNCTION note_unsent();

-- What there is.
CREATE TEMPORARY TABLE unsent_before ON COMMIT DROP AS
SELECT status, id, team_id FROM email
 WHERE campaign_id IS NULL AND status IN ('skipped', 'failed', 'unknown');
INSERT INTO email_unsent (status, email_id, team_id, reason)
SELECT status, id, team_id, '' FROM unsent_before;
ALTER TABLE email_unsent ADD PRIMARY KEY (team_id, status, email_id);
CREATE INDEX email_unsent_of_campaign ON email_unsent (campaign_id, status, email_id)
    INCLUDE (team_id, reason) WHERE campaign_id IS NOT NULL;
INSERT INTO tally
SELECT team_id, 'contacts', date_bin('1 day', created_at, '2000-01-01Z'), 0, count(*)
  FROM contact GROUP BY 1, 3;
INSERT INTO tally
SELECT event.team_id, 'events', date_bin('1 hour', received_at, '2000-01-01Z'), 0, count(*)
  FROM team JOIN event ON event.team_id = team.id AND event.id >= '{lately}' GROUP BY 1, 3;
INSERT INTO tally
SELECT email.team_id, 'sent', date_bin('1 hour', sent_at, '2000-01-01Z'), 0, count(*)
  FROM team JOIN email ON email.team_id = team.id AND email.id >= '{lately}'
 WHERE sent_at IS NOT NULL GROUP BY 1, 3;
"""


def upgrade() -> None:
    """Add the table and its triggers, and count what the overview looks back at: two days by their ids."""
    lately = new_id(datetime.now(UTC) - timedelta(days=2))[:10]
    run(CHANGES.replace("{lately}", lately))
