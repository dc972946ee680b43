"""Emails that the relay has taken, counted for themselves: the next migration's function does.

Deliveries are what a provider tells of, where one does: then they say nothing of how many have left.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0217"
down_revision = "0216"

CHANGES = """
ALTER TABLE email_counter ADD COLUMN relayed bigint NOT NULL DEFAULT 0;
-- Where a provider tells, sends are the nearest that was kept: few of them were refused.
UPDATE email_counter SET relayed = CASE WHEN team.provider_delivers THEN sends ELSE deliveries END
  FROM team WHERE team.id = email_counter.team_id;
"""


def upgrade() -> None:
    """Add the column."""
    run(CHANGES)
