"""What the links of an email need once its row is gone."""

from loopwright.server.store.migrations.scripts import run

revision = "0061"
down_revision = "0060"

CHANGES = """
CREATE TABLE email_link (
    email_id        text COLLATE "C" PRIMARY KEY, -- of an email that has left, and was removed since
    team_id         text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    contact_id      text COLLATE "C",
    mailing_list_id text COLLATE "C",
    revision_id     text COLLATE "C" REFERENCES email_revision
);
CREATE INDEX email_link_of_contact ON email_link (contact_id) WHERE contact_id IS NOT NULL;
"""


def upgrade() -> None:
    """Add the table."""
    run(CHANGES)
