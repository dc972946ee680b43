"""Room in the pages of `email` and its queue, so that what changes in a row stays beside it.

Each email is changed twice and each row of the queue once, a page's rows nearly at once. Where the page is
full, the new row goes elsewhere and into every index: seven of them for `email`. Pages written before stay
as they are.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0070"
down_revision = "0061"

CHANGES = """
ALTER TABLE email SET (fillfactor = 70);
ALTER TABLE email_queue SET (fillfactor = 50);
"""


def upgrade() -> None:
    """Leave room in pages from now on."""
    run(CHANGES)
