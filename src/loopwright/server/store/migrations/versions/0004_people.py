"""What a look at readiness writes, and the ways to all that is held about one address.

Emails and messages are found by the address they went to, whether or not it was a contact's.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0004"
down_revision = "0003"

CHANGES = """
-- Each row fills a page: whoever adds one finds out whether there is room. It is emptied as a whole.
CREATE TABLE write_probe (
    written_at timestamptz NOT NULL,
    filler     text STORAGE PLAIN NOT NULL
) WITH (autovacuum_enabled = off);

CREATE INDEX email_to ON email (team_id, to_email, id);
CREATE INDEX inbox_message_to ON inbox_message (team_id, to_email, id);
"""


def upgrade() -> None:
    """Add the table and the indexes."""
    run(CHANGES)
