"""The warm-up plan of a team: caps for marketing email that grow with use.

What was sent lately is read from the counters of brakes. An email in the queue is admitted from the moment a
sender may begin it, so that what is in hand counts for every process; one that was told to wait is not.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0215"
down_revision = "0209"

CHANGES = """
CREATE TABLE warm_up (
    team_id  text COLLATE "C" PRIMARY KEY REFERENCES team ON DELETE CASCADE,
    per_day  integer NOT NULL, -- on the first day
    per_hour integer NOT NULL,
    growth   integer NOT NULL, -- percent, after a day of use
    until    integer NOT NULL, -- so many a day are enough
    cap      integer NOT NULL, -- what `day` may have
    day      date NOT NULL
);
ALTER TABLE email_queue ADD COLUMN admitted boolean; -- NULL where no plan was asked
CREATE INDEX email_queue_warming ON email_queue (team_id, lane, due_at) WHERE admitted IS NOT NULL;
CREATE INDEX brake_counter_of_team ON brake_counter (team_id, since);
"""


def upgrade() -> None:
    """Add the table, the column and the indexes."""
    run(CHANGES)
