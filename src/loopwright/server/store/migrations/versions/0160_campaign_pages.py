"""What a campaign's page shows, kept as it happens: emails that did not leave, and who followed which link.

An index of `email` by its status would be touched whenever one is sent, so what did not leave is noted
beside it; that is seldom. Links are counted for whom the emails are of, as in `email_counter`, by the emails
in which somebody of that verdict followed them; link 0 is the picture, which tells of opens.
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

CREATE TABLE link_counter (
    team_id  text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    owner_id text COLLATE "C" NOT NULL, -- the message of a workflow's node or of a campaign
    link     smallint NOT NULL,
    part     smallint NOT NULL,
    human    bigint NOT NULL,
    machine  bigint NOT NULL,
    unsure   bigint NOT NULL,
    PRIMARY KEY (team_id, owner_id, link, part)
) WITH (fillfactor = 50);
CREATE FUNCTION count_links() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO link_counter AS known (team_id, owner_id, link, part, human, machine, unsure)
    SELECT NEW.team_id, email.message_id, NEW.link, pg_backend_pid() % 16,
           (NEW.human > 0 AND (TG_OP = 'INSERT' OR OLD.human = 0))::int,
           (NEW.machine > 0 AND (TG_OP = 'INSERT' OR OLD.machine = 0))::int,
           (NEW.unsure > 0 AND (TG_OP = 'INSERT' OR OLD.unsure = 0))::int
      FROM email WHERE email.team_id = NEW.team_id AND email.id = NEW.email_id
    ON CONFLICT (team_id, owner_id, link, part) DO UPDATE
       SET human = known.human + excluded.human, machine = known.machine + excluded.machine,
           unsure = known.unsure + excluded.unsure;
    RETURN NULL;
END $$;
CREATE TRIGGER first_counted AFTER INSERT ON email_visit FOR EACH ROW EXECUTE FUNCTION count_links();
CREATE TRIGGER counted AFTER UPDATE ON email_visit FOR EACH ROW
    WHEN (NEW.human > 0 AND OLD.human = 0 OR NEW.machine > 0 AND OLD.machine = 0
          OR NEW.unsure > 0 AND OLD.unsure = 0)
    EXECUTE FUNCTION count_links();
INSERT INTO link_counter (team_id, owner_id, link, part, human, machine, unsure)
SELECT visit.team_id, email.message_id, visit.link, 0, count(*) FILTER (WHERE human > 0),
       count(*) FILTER (WHERE machine > 0), count(*) FILTER (WHERE unsure > 0)
  FROM email_visit AS visit JOIN email ON email.team_id = visit.team_id AND email.id = visit.email_id
 GROUP BY 1, 2, 3;
"""


def upgrade() -> None:
    """Add the tables and their triggers, and note and count what there is."""
    run(CHANGES)
