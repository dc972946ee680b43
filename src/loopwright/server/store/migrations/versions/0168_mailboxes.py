"""Mailboxes are read by one process at a time."""

from loopwright.server.store.migrations.scripts import run

revision = "0168"
down_revision = "0167"

CHANGES = """
ALTER TABLE feedback_door ADD COLUMN leased_until timestamptz; -- by when its reader is done, or dead
"""


def upgrade() -> None:
    """Add the column."""
    run(CHANGES)
