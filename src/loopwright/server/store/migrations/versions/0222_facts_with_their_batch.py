"""Facts are written by the statement that writes their batch: telling of something took four round trips."""

from loopwright.server.store.migrations.scripts import run

revision = "0222"
down_revision = "0221"

CHANGES = """
CREATE TYPE fact_record AS (
    id         text COLLATE "C",
    team_id    text COLLATE "C",
    kind       text COLLATE "C",
    contact_id text COLLATE "C",
    email_id   text COLLATE "C",
    detail     jsonb
);
"""


def upgrade() -> None:
    """Add the type."""
    run(CHANGES)
