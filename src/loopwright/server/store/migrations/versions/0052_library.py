"""What a team's emails share: groups, themes and components; and what the emails look like with them."""

from loopwright.server.store.migrations.scripts import run

revision = "0052"
down_revision = "0051"

CHANGES = """
CREATE TABLE content_group (
    id          text COLLATE "C" PRIMARY KEY,
    team_id     text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    kind        text NOT NULL CHECK (kind IN ('campaign', 'transactional', 'workflow')),
    name        text NOT NULL,
    description text NOT NULL,
    created_at  timestamptz NOT NULL,
    updated_at  timestamptz NOT NULL
);
CREATE INDEX content_group_list ON content_group (team_id, kind, id);

-- Each kind has one from the first day, for whatever has no other; its id is made of the team's.
INSERT INTO content_group
SELECT left(team.id, 24) || left(kind, 1), team.id, kind, 'Unsorted', '', created_at, created_at
  FROM team, unnest(ARRAY['campaign', 'transactional', 'workflow']) AS kind;

-- NULL is the group for whatever has no other.
ALTER TABLE transactional_email ADD COLUMN group_id text COLLATE "C" REFERENCES content_group;

CREATE TABLE theme (
    id         text COLLATE "C" PRIMARY KEY,
    team_id    text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    name       text NOT NULL,
    styles     jsonb NOT NULL,  -- {"bodyColor": "#ffffff", "bodyXPadding": 32, ...}
    is_default boolean NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX theme_list ON theme (team_id, id);
CREATE UNIQUE INDEX theme_default ON theme (team_id) WHERE is_default;
INSERT INTO theme
SELECT left(team.id, 24) || 'd', team.id, 'Default', '{}', true, created_at, created_at FROM team;

CREATE TABLE component (
    id         text COLLATE "C" PRIMARY KEY,
    team_id    text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    name       text NOT NULL,
    lmx        text NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL
);
CREATE INDEX component_list ON component (team_id, id);

-- A revision with its theme and components put in is a revision too, which nobody can edit. Emails name the
-- rendition that is current when they are accepted; a revision that needs none is its own.
CREATE TABLE rendition (
    revision_id  text COLLATE "C" PRIMARY KEY REFERENCES email_revision ON DELETE CASCADE,
    rendition_id text COLLATE "C" NOT NULL REFERENCES email_revision ON DELETE CASCADE
);
CREATE INDEX rendition_rendition ON rendition (rendition_id);
"""


def upgrade() -> None:
    """Add the tables, and what every team has from the first day."""
    run(CHANGES)
