"""Queued emails of a paused workflow are held: they stand in the queue without a time, until it goes on.

A process of the release before lets them go with other held email, as soon as nothing else is missing.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0190"
down_revision = "0181"

CHANGES = """
ALTER TABLE email_queue ADD COLUMN paused_workflow_id text COLLATE "C"; -- the workflow that holds it
CREATE INDEX email_queue_paused ON email_queue (paused_workflow_id, email_id)
 WHERE paused_workflow_id IS NOT NULL;
CREATE INDEX email_queue_lacking ON email_queue (team_id, lane, email_id)
 WHERE due_at = 'infinity' AND paused_workflow_id IS NULL;
"""


def upgrade() -> None:
    """Add the column, and an index for either kind of held email."""
    run(CHANGES)
