"""Runs of which a contact has one at a time in a workflow, and facts about contacts, found by the contact.

The index passes over facts about emails, which are found by the email.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0120"
down_revision = "0110"

CHANGES = """
ALTER TABLE run ADD COLUMN single boolean NOT NULL DEFAULT false;
CREATE UNIQUE INDEX run_single ON run (workflow_id, contact_id) WHERE single AND status = 'active';
CREATE INDEX fact_of_contact ON fact (contact_id, id) WHERE email_id IS NULL;
"""


def upgrade() -> None:
    """Add the column and the indexes."""
    run(CHANGES)
