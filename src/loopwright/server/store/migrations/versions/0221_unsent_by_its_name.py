"""The emails of campaigns that did not leave by the name that they had before.

A process of the release before reads them by it; nobody else does, and the next release takes it away.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0221"
down_revision = "0220"

CHANGES = """
CREATE VIEW campaign_unsent AS
SELECT campaign_id, status, email_id, team_id, reason FROM email_unsent WHERE campaign_id IS NOT NULL;
"""


def upgrade() -> None:
    """Add the view."""
    run(CHANGES)
