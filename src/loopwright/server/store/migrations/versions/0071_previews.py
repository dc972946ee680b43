"""Previews: emails to addresses of the team's own, with values that the request gave."""

from loopwright.server.store.migrations.scripts import run

revision = "0071"
down_revision = "0070"

CHANGES = """
ALTER TABLE email ADD COLUMN preview jsonb; -- {"kind": "marketing", "contact": {"firstName": "Ada"}}
"""


def upgrade() -> None:
    """Add the column."""
    run(CHANGES)
