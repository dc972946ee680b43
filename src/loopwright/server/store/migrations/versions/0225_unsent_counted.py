"""A campaign's emails that did not leave, counted as it happens: its page counted millions at every view.

Each backend has rows of its own, so that none waits for another, in whatever order it comes to campaigns.
What is skipped from the start is noted, and counted, by the statement, which makes a thousand.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0225"
down_revision = "0222"

CHANGES = """
CREATE TABLE campaign_unsent_count (
    campaign_id text COLLATE "C" NOT NULL,
    status      text COLLATE "C" NOT NULL,
    reason      text NOT NULL, -- of those that were skipped
    part        int NOT NULL, -- the backend
    team_id     text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    emails      bigint NOT NULL,
    PRIMARY KEY (campaign_id, status, reason, part)
) WITH (fillfactor = 50);

CREATE FUNCTION count_unsent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM changed WHERE campaign_id IS NOT NULL) THEN
        RETURN NULL;
    END IF;
    INSERT INTO campaign_unsent_count AS known (campaign_id, status, reason, part, team_id, emails)
    SELECT campaign_id, status, reason, pg_backend_pid(), team_id,
           CASE TG_OP WHEN 'INSERT' THEN count(*) ELSE -count(*) END
      FROM changed WHERE campaign_id IS NOT NULL GROUP BY 1, 2, 3, 5
    ON CONFLICT (campaign_id, status, reason, part) DO UPDATE SET emails = known.emails + excluded.emails;
    RETURN NULL;
END $$;
CREATE TRIGGER counted AFTER INSERT ON email_unsent
    REFERENCING NEW TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_unsent();
CREATE TRIGGER counted_less AFTER DELETE ON email_unsent
    REFERENCING OLD TABLE AS changed FOR EACH STATEMENT EXECUTE FUNCTION count_unsent();

CREATE FUNCTION note_unsent_at_once() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM added WHERE status IN ('skipped', 'failed', 'unknown')) THEN
        RETURN NULL;
    END IF;
    INSERT INTO email_unsent (campaign_id, status, email_id, team_id, reason)
    SELECT campaign_id, status, id, team_id,
           CASE WHEN status = 'skipped' AND campaign_id IS NOT NULL THEN left(reason, 200) ELSE '' END
      FROM added WHERE status IN ('skipped', 'failed', 'unknown')
    ON CONFLICT DO NOTHING;
    RETURN NULL;
END $$;
DROP TRIGGER unsent_at_once ON email;
CREATE TRIGGER unsent_at_once AFTER INSERT ON email
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION note_unsent_at_once();

INSERT INTO campaign_unsent_count (campaign_id, status, reason, part, team_id, emails)
SELECT campaign_id, status, reason, 0, team_id, count(*)
  FROM email_unsent WHERE campaign_id IS NOT NULL GROUP BY 1, 2, 3, 5;
"""


def upgrade() -> None:
    """Add the table and its triggers, and count what there is."""
    run(CHANGES)
