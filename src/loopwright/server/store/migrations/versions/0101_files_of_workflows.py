"""The revision of a workflow that definition files last wrote; any other one was made elsewhere."""

from loopwright.server.store.migrations.scripts import run

revision = "0101"
down_revision = "0100"

CHANGES = "ALTER TABLE workflow ADD COLUMN file_revision_id text;"


def upgrade() -> None:
    """Add the column; files that were applied before it are not known to have written anything."""
    run(CHANGES)
