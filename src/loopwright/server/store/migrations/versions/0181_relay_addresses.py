"""Which public address each process that sends email writes its links with."""

from loopwright.server.store.migrations.scripts import run

revision = "0181"
down_revision = "0180"

CHANGES = """
ALTER TABLE relay_status ADD COLUMN public_url text NOT NULL DEFAULT '';
"""


def upgrade() -> None:
    """Add the column; processes of the release before note nothing in it."""
    run(CHANGES)
