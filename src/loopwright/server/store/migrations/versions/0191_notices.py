"""Where a team is written to when something of its own needs somebody, as a workflow that loses contacts."""

from loopwright.server.store.migrations.scripts import run

revision = "0191"
down_revision = "0190"

CHANGES = """
CREATE TABLE team_notice (
    team_id  text COLLATE "C" PRIMARY KEY REFERENCES team ON DELETE CASCADE,
    to_email text COLLATE "C" NOT NULL
);
"""


def upgrade() -> None:
    """Add the table, empty."""
    run(CHANGES)
