"""Relays: since when an email is tried, and how each process finds the relay it sends to."""

from loopwright.server.store.migrations.scripts import run

revision = "0014"
down_revision = "0013"

CHANGES = """
ALTER TABLE email ADD COLUMN trying_since timestamptz;

CREATE TABLE relay_status (
    process     text COLLATE "C" PRIMARY KEY, -- one that sends email
    host        text NOT NULL,
    condition   text NOT NULL CHECK (condition IN ('up', 'slow', 'down')),
    reason      text NOT NULL,
    since       timestamptz NOT NULL,
    seen_at     timestamptz NOT NULL DEFAULT now()
);
"""


def upgrade() -> None:
    """Add both; nothing is rewritten."""
    run(CHANGES)
