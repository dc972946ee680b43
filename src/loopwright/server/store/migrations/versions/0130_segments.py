"""Segments: filters with a name. Who is in one is asked of the contacts, every time."""

from loopwright.server.store.migrations.scripts import run

revision = "0130"
down_revision = "0122"

CHANGES = """
CREATE TABLE segment (
    id          text COLLATE "C" PRIMARY KEY,
    team_id     text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    name        text NOT NULL,
    description text,
    filter      jsonb NOT NULL,  -- {"match": "all", "conditions": [...]}
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL,
    UNIQUE (team_id, name)
);
CREATE INDEX segment_list ON segment (team_id, id);
"""


def upgrade() -> None:
    """Add the table."""
    run(CHANGES)
