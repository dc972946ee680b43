"""Runs keep the way they came, and when they were due while a pause holds them; workflows when that began.

A process of the release before writes runs without a way; what it adds to one is missing from it.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0110"
down_revision = "0100"

CHANGES = """
ALTER TABLE workflow ADD COLUMN paused_at timestamptz; -- by people or programs; none while it sends
ALTER TABLE run ADD COLUMN way jsonb NOT NULL DEFAULT '[]', -- [[node, moment, why], ...] behind the trigger
                ADD COLUMN held_from timestamptz; -- when it was due, while a pause or a failure holds it
CREATE INDEX run_failing ON run (held_from) WHERE failures > 0 AND NOT held;
"""


def upgrade() -> None:
    """Add the columns."""
    run(CHANGES)
