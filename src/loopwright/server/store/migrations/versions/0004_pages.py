"""What people and programs look at is found at once: inbox messages read already, and by recipient.

Old messages are read when somebody asks for them.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0004"
down_revision = "0003"

CHANGES = """
ALTER TABLE inbox_message
  ADD COLUMN text text,                              -- the first part of that kind, decoded
  ADD COLUMN html text,
  ADD COLUMN taken_apart boolean NOT NULL DEFAULT false; -- the two are known
CREATE INDEX inbox_message_to ON inbox_message (team_id, to_email, id);
"""


def upgrade() -> None:
    """Add the columns and the index."""
    run(CHANGES)
