"""Brakes: what is sent and what comes back, by campaign and workflow, five minutes at a time.

Kept for as long as brakes look back. A suppressed address is no send, and what a provider's own list of them
has answered is no bounce here.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0167"
down_revision = "0166"

CHANGES = """
CREATE TABLE brake_counter (
    team_id      text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    owner_id     text COLLATE "C" NOT NULL, -- a campaign or a workflow
    since        timestamptz NOT NULL, -- the beginning of its five minutes
    part         smallint NOT NULL, -- so that processes seldom wait for each other
    sends        integer NOT NULL,
    complaints   integer NOT NULL,
    hard_bounces integer NOT NULL,
    PRIMARY KEY (owner_id, since, part)
) WITH (fillfactor = 50);
CREATE INDEX brake_counter_age ON brake_counter (since);
CREATE TABLE brake (
    team_id  text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    owner_id text COLLATE "C" PRIMARY KEY,
    kind     text NOT NULL, -- campaign, workflow
    state    text NOT NULL CHECK (state IN ('armed', 'warned', 'braked')),
    reason   text NOT NULL,
    since    timestamptz NOT NULL, -- of the state
    armed_at timestamptz NOT NULL -- what was before does not count
);
CREATE INDEX brake_list ON brake (team_id) WHERE state <> 'armed';

CREATE FUNCTION count_for_brakes() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM added WHERE kind IN ('email_sent', 'email_bounced', 'email_complained')) THEN
        RETURN NULL;
    END IF;
    INSERT INTO brake_counter AS known (team_id, owner_id, since, part, sends, complaints, hard_bounces)
    SELECT added.team_id, coalesce(email.campaign_id, email.workflow_id),
           date_bin('5 minutes', added.happened_at, '2000-01-01Z'), pg_backend_pid() % 4,
           count(*) FILTER (WHERE added.kind = 'email_sent'
                               OR added.kind = 'email_bounced' AND email.status = 'failed'),
           count(*) FILTER (WHERE added.kind = 'email_complained'),
           count(*) FILTER (WHERE added.kind = 'email_bounced')
      FROM added JOIN email ON email.team_id = added.team_id AND email.id = added.email_id
     WHERE added.kind IN ('email_sent', 'email_bounced', 'email_complained') AND email.preview IS NULL
       AND coalesce(email.campaign_id, email.workflow_id) IS NOT NULL
       AND added.detail ->> 'code' IS DISTINCT FROM 'suppressed'
     GROUP BY 1, 2, 3, 4
     ORDER BY 2, 3
    ON CONFLICT (owner_id, since, part) DO UPDATE
       SET sends = known.sends + excluded.sends,
           complaints = known.complaints + excluded.complaints,
           hard_bounces = known.hard_bounces + excluded.hard_bounces;
    RETURN NULL;
END $$;
CREATE TRIGGER braking AFTER INSERT ON fact
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_for_brakes();
"""


def upgrade() -> None:
    """Add the tables and the trigger."""
    run(CHANGES)
