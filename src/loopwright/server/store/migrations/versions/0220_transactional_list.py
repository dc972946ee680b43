"""Lists of transactional emails are read and counted by an index of their own, as other content is."""

from loopwright.server.store.migrations.scripts import run

revision = "0220"
down_revision = "0218"

CHANGES = """
CREATE INDEX transactional_email_list ON transactional_email (team_id, id);
"""


def upgrade() -> None:
    """Make the index."""
    run(CHANGES)
