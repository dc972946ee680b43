"""When a transactional email was published: later drafts and another name do not change it.

What a process of the release before publishes has no such moment, and is told to be of its last change.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0175"
down_revision = "0168"

CHANGES = """
ALTER TABLE transactional_email ADD COLUMN published_at timestamptz; -- the last time; null while it never was
UPDATE transactional_email SET published_at = updated_at WHERE published_message_id IS NOT NULL;
"""


def upgrade() -> None:
    """Add the column; what is published already was so when it was last changed."""
    run(CHANGES)
