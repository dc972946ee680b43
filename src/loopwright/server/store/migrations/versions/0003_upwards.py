"""Indexes that grow at their end, and one index of contacts less.

New ids are the greatest. At the end of an index PostgreSQL fills a page before it begins the next one; at the
beginning it leaves each half full. Whoever wants the newest first reads backwards. Contacts are asked for by
team and id, never by id alone, so that their key serves the team's list too.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0003"
down_revision = "0002"

CHANGES = """
ALTER TABLE contact DROP CONSTRAINT contact_pkey, ADD PRIMARY KEY (team_id, id);
DROP INDEX contact_newest;
DROP INDEX event_newest;
CREATE INDEX event_newest ON event (team_id, id);
DROP INDEX email_newest;
CREATE INDEX email_newest ON email (team_id, id);
DROP INDEX inbox_message_newest;
CREATE INDEX inbox_message_newest ON inbox_message (team_id, id);
"""


def upgrade() -> None:
    """Build the indexes anew."""
    run(CHANGES)
