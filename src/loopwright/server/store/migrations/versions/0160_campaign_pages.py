"""What a campaign's page shows of emails that did not leave, kept as it happens.

An index of `email` by its status would be touched whenever one is sent, so what did not leave is noted
beside it; that is seldom.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0160"
down_revision = "0150"

CHANGES = """
CREATE TABLE campaign_unsent (
    campaign_id text COLLATE "C" NOT NULL,
    status      text COLLATE "C" NOT NULL, -- skipped, failed, unknown
    email_id    text COLLATE "C" NOT NULL,
    team_id     text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    reason      text NOT NULL, -- of those that were skipped
    PRIMARY KEY (campaign_id, status, email_id) INCLUDE (team_id, reason)
);
CREATE FUNCTION note_unsent() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' THEN
        DELETE FROM campaign_unsent
         WHERE team_id = OLD.team_id AND campaign_id = OLD.campaign_id AND status = OLD.status
           AND email_id = OLD.id;
    END IF;
    IF NEW.status IN ('skipped', 'failed', 'unknown') THEN
        INSERT INTO campaign_unsent (campaign_id, status, email_id, team_id, reason)
        VALUES (NEW.campaign_id, NEW.status, NEW.id, NEW.team_id,
                CASE NEW.status WHEN 'skipped' THEN left(NEW.reason, 200) ELSE '' END)
        ON CONFLICT DO NOTHING;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER unsent AFTER UPDATE OF status ON email FOR EACH ROW
    WHEN (NEW.campaign_id IS NOT NULL AND NEW.status <> OLD.status
          AND (NEW.status IN ('skipped', 'failed', 'unknown')
               OR OLD.status IN ('skipped', 'failed', 'unknown')))
    EXECUTE FUNCTION note_unsent();
CREATE TRIGGER unsent_at_once AFTER INSERT ON email FOR EACH ROW
    WHEN (NEW.campaign_id IS NOT NULL AND NEW.status IN ('skipped', 'failed', 'unknown'))
    EXECUTE FUNCTION note_unsent();
INSERT INTO campaign_unsent (campaign_id, status, email_id, team_id, reason)
SELECT campaign_id, status, id, team_id, CASE status WHEN 'skipped' THEN left(reason, 200) ELSE '' END
  FROM email WHERE campaign_id IS NOT NULL AND status IN ('skipped', 'failed', 'unknown');
"""


def upgrade() -> None:
    """Add the tables and their triggers, and note and count what there is."""
    run(CHANGES)
