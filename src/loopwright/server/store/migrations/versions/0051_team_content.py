"""What a team may put into its emails beside the content: copies to other addresses, and files."""

from loopwright.server.store.migrations.scripts import run

revision = "0051"
down_revision = "0050"

CHANGES = """
ALTER TABLE team
    ADD COLUMN copies boolean NOT NULL DEFAULT false,     -- emails may have CC and BCC addresses
    ADD COLUMN attachments boolean NOT NULL DEFAULT true; -- sends may bring files along
"""


def upgrade() -> None:
    """Add the settings."""
    run(CHANGES)
