"""Room in each page of emails for all of its rows to be written anew: none had it for a third of the updates.

An email is written anew when a connection takes it in hand, and when it has left. Where its page had no room
for that, six indexes got an entry more, and the table grew.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0226"
down_revision = "0225"

CHANGES = """
ALTER TABLE email SET (fillfactor = 50);
"""


def upgrade() -> None:
    """Leave that room in pages to come."""
    run(CHANGES)
