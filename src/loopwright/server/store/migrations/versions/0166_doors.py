"""Doors for feedback: what a team has set up for its provider to tell by, and mailboxes that are read."""

from loopwright.server.store.migrations.scripts import run

revision = "0166"
down_revision = "0165"

CHANGES = """
CREATE TABLE feedback_door (
    id                 text COLLATE "C" PRIMARY KEY,
    team_id            text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    provider           text NOT NULL, -- ses, postmark, mailgun, sendgrid, resend, imap
    path_hash          bytea UNIQUE, -- of the secret in its address; none for a mailbox
    sealed_credentials bytea NOT NULL,
    tells_delivered    boolean NOT NULL,
    last_at            timestamptz, -- when it told something last
    last_problem       text NOT NULL DEFAULT '', -- what went wrong since
    place              bigint NOT NULL DEFAULT 0, -- of a mailbox: its validity and the last message read
    place_of           bigint NOT NULL DEFAULT 0,
    created_at         timestamptz NOT NULL
);
CREATE INDEX feedback_door_list ON feedback_door (team_id, id);

-- Deliveries are told by providers where one of a team's doors does so.
CREATE FUNCTION who_tells_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE team SET provider_delivers = EXISTS (
               SELECT FROM feedback_door AS door WHERE door.team_id = team.id AND door.tells_delivered)
     WHERE id = coalesce(NEW.team_id, OLD.team_id);
    RETURN NULL;
END $$;
CREATE TRIGGER deliveries AFTER INSERT OR DELETE OR UPDATE OF tells_delivered ON feedback_door
    FOR EACH ROW EXECUTE FUNCTION who_tells_deliveries();
"""


def upgrade() -> None:
    """Add the table."""
    run(CHANGES)
