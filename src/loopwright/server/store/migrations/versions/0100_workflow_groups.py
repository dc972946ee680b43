"""Workflows are in groups, and are listed newest first."""

from loopwright.server.store.migrations.scripts import run

revision = "0100"
down_revision = "0071"

CHANGES = """
ALTER TABLE workflow ADD COLUMN group_id text COLLATE "C";  -- null: the group of whatever has no other
CREATE INDEX workflow_list ON workflow (team_id, id);
"""


def upgrade() -> None:
    """Add the column and the index."""
    run(CHANGES)
