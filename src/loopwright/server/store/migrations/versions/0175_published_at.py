"""When a transactional email was published: later drafts and another name do not change it."""

from loopwright.server.store.migrations.scripts import run

revision = "0175"
down_revision = "0168"

CHANGES = """
ALTER TABLE transactional_email ADD COLUMN published_at timestamptz; -- the last time; null while it never was
UPDATE transactional_email SET published_at = updated_at WHERE published_message_id IS NOT NULL;
ALTER TABLE transactional_email
    ADD CONSTRAINT transactional_email_published_check
        CHECK (published_message_id IS NULL OR published_at IS NOT NULL);
"""


def upgrade() -> None:
    """Add the column; what is published already was so when it was last changed."""
    run(CHANGES)
