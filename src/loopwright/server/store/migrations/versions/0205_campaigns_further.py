"""Campaigns that go on after their end: to those who joined since, and once more to those who got nothing.

Recipients belong to the wave in which they were noted. Emails that are tried again are queued by the batch,
as new ones are, from a place in the campaign's row on. Whoever sees to campaigns hears of those that begin,
go on or are cancelled.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0205"
down_revision = "0191"

CHANGES = """
ALTER TABLE team ADD COLUMN time_zone text NOT NULL DEFAULT 'UTC'; -- of times without an offset
ALTER TABLE campaign
    ADD COLUMN wave         smallint NOT NULL DEFAULT 1,
    ADD COLUMN unconfirmed  bigint NOT NULL DEFAULT 0, -- who would be recipients, had they confirmed
    ADD COLUMN retry_status text NOT NULL DEFAULT '', -- emails of this status are sent again
    ADD COLUMN retry_to     text COLLATE "C"; -- those up to this id have been; NULL once all have
ALTER TABLE email ADD COLUMN again boolean NOT NULL DEFAULT false; -- was over, and is to be sent all the same
ALTER TABLE campaign_recipient ADD COLUMN wave smallint NOT NULL DEFAULT 1;

CREATE FUNCTION tell_of_campaign() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('loopwright_campaign', '');
    RETURN NULL;
END $$;
CREATE TRIGGER told AFTER UPDATE OF status, stopped, starts_at, retry_to ON campaign FOR EACH ROW
    WHEN (NEW.status IN ('Scheduled', 'Sending')
          AND (NEW.status, NEW.stopped, NEW.starts_at, NEW.retry_to)
              IS DISTINCT FROM (OLD.status, OLD.stopped, OLD.starts_at, OLD.retry_to))
    EXECUTE FUNCTION tell_of_campaign();
"""


def upgrade() -> None:
    """Add the columns, and the trigger."""
    run(CHANGES)
