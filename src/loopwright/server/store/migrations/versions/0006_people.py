"""What a look at readiness writes, and the way to emails by the address they went to, a contact's or not."""

from loopwright.server.store.migrations.scripts import run

revision = "0006"
down_revision = "0005"

CHANGES = """
-- Each row fills a page: whoever adds one finds out whether there is room. It is emptied as a whole.
CREATE TABLE write_probe (
    written_at timestamptz NOT NULL,
    filler     text STORAGE PLAIN NOT NULL
) WITH (autovacuum_enabled = off);

CREATE INDEX email_to ON email (team_id, to_email COLLATE "C", id);
"""


def upgrade() -> None:
    """Add the table and the index."""
    run(CHANGES)
