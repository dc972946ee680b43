"""What a team's emails share: groups, themes, components and images; and emails as they look with them."""

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
    team_id      text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    revision_id  text COLLATE "C" PRIMARY KEY REFERENCES email_revision ON DELETE CASCADE,
    rendition_id text COLLATE "C" NOT NULL REFERENCES email_revision ON DELETE CASCADE
);
CREATE INDEX rendition_rendition ON rendition (rendition_id);

-- Images by what they hold, so that a team has each once and its address never shows another.
CREATE TABLE image (
    team_id      text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    digest       bytea NOT NULL,  -- SHA-256
    content_type text NOT NULL,
    data         bytea NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (digest, team_id)
);
ALTER TABLE image ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE TABLE upload (
    id           text COLLATE "C" PRIMARY KEY,
    team_id      text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    content_type text NOT NULL,
    size         integer NOT NULL,  -- bytes, as announced
    data         bytea,             -- until it is completed
    digest       bytea,
    created_at   timestamptz NOT NULL,
    completed_at timestamptz,
    FOREIGN KEY (digest, team_id) REFERENCES image
);
ALTER TABLE upload ALTER COLUMN data SET STORAGE EXTERNAL;
CREATE INDEX upload_pending ON upload (team_id) WHERE completed_at IS NULL;
CREATE INDEX upload_completed ON upload (team_id, completed_at);
"""


def upgrade() -> None:
    """Add the tables, and what every team has from the first day."""
    run(CHANGES)
