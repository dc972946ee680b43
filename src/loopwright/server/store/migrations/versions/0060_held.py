"""Held emails: they stay in the queue without a time, and an index finds those of a team.

Whatever ends one takes it out of the queue, as it does with those that have a time.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0060"
down_revision = "0052"

CHANGES = """
CREATE INDEX email_queue_held ON email_queue (team_id, lane, email_id) WHERE due_at = 'infinity';

CREATE OR REPLACE TRIGGER left_queue AFTER UPDATE OF status ON email
   FOR EACH ROW WHEN (OLD.status IN ('queued', 'held') AND NEW.status IN ('sent', 'skipped', 'failed'))
   EXECUTE FUNCTION leave_queue();
"""


def upgrade() -> None:
    """Add the index, and widen the trigger."""
    run(CHANGES)
