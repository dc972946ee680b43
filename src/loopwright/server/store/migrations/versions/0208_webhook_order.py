"""Webhooks in strict order, contact by contact, where an endpoint wants it; and notices of one that fails."""

from loopwright.server.store.migrations.scripts import run

revision = "0208"
down_revision = "0207"

CHANGES = """
ALTER TABLE webhook_endpoint
    ADD COLUMN ordered boolean NOT NULL DEFAULT false, -- nothing overtakes what waits about the same contact
    ADD COLUMN noticed smallint NOT NULL DEFAULT 0;    -- notices that it will be disabled, since it fails
"""


def upgrade() -> None:
    """Add the columns."""
    run(CHANGES)
