"""Who was in a workflow that lets each contact in once, when the run itself has had its time."""

from loopwright.server.store.migrations.scripts import run

revision = "0180"
down_revision = "0175"

CHANGES = """
CREATE TABLE run_entry (
    team_id     text NOT NULL REFERENCES team ON DELETE CASCADE,
    workflow_id text NOT NULL REFERENCES workflow ON DELETE CASCADE,
    contact_id  text NOT NULL,
    noted_at    timestamptz NOT NULL,
    PRIMARY KEY (workflow_id, contact_id)
);
CREATE INDEX run_entry_of_contact ON run_entry (contact_id);
"""


def upgrade() -> None:
    """Add the table, empty."""
    run(CHANGES)
