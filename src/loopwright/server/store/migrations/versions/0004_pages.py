"""What people and programs look at is found at once: inbox messages are read already, events go by name.

Old messages are read when somebody asks for them. Months that hold many events get their index afterwards,
by housekeeping, while others write.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0004"
down_revision = "0003"

CHANGES = """
ALTER TABLE inbox_message
  ADD COLUMN text text,                              -- the first part of that kind, decoded
  ADD COLUMN html text,
  ADD COLUMN taken_apart boolean NOT NULL DEFAULT false; -- the two are known
CREATE INDEX inbox_message_to ON inbox_message (team_id, to_email COLLATE "C", id);

ALTER TABLE event ADD COLUMN kept_out jsonb; -- workflow id -> why it did not take the contact in
CREATE INDEX event_of_name ON ONLY event (team_id, name, id);
DO $$
DECLARE month regclass;
BEGIN
    FOR month IN SELECT inhrelid FROM pg_inherits
                  WHERE inhparent = 'event'::regclass AND pg_relation_size(inhrelid) < 10000000
    LOOP
        EXECUTE format('CREATE INDEX %I ON %s (team_id, name, id)', month || '_of_name', month);
        EXECUTE format('ALTER INDEX event_of_name ATTACH PARTITION %I', month || '_of_name');
    END LOOP;
END $$;
"""


def upgrade() -> None:
    """Add the columns and the index."""
    run(CHANGES)
