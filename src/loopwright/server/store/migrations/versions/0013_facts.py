"""Facts: what has happened, written in the transaction of what they tell, by the month as events are."""

from loopwright.server.store.migrations.scripts import run

revision = "0013"
down_revision = "0012"

CHANGES = """
CREATE TABLE fact (
    id          text COLLATE "C" NOT NULL,
    team_id     text COLLATE "C" NOT NULL,
    kind        text COLLATE "C" NOT NULL,   -- email_sent, email_failed, email_bounced
    contact_id  text COLLATE "C",
    email_id    text COLLATE "C",
    detail      jsonb NOT NULL,              -- of email: reply, what a server said
    happened_at timestamptz NOT NULL
) PARTITION BY RANGE (happened_at);
CREATE TABLE fact_default PARTITION OF fact DEFAULT;
CREATE INDEX fact_of_email ON fact (email_id) WHERE email_id IS NOT NULL;
"""


def upgrade() -> None:
    """Make room for facts."""
    run(CHANGES)
