"""Sending domains with the keys that sign for them, and what shows whether a sealing key is right."""

from loopwright.server.store.migrations.scripts import run

revision = "0020"
down_revision = "0014"

CHANGES = """
-- One row at most: something that the right key alone can open.
CREATE TABLE sealing (
    is_only     boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    check_value bytea NOT NULL,
    created_at  timestamptz NOT NULL
);

CREATE TABLE sending_domain (
    team_id       text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    name          text COLLATE "C" NOT NULL,
    bounce_domain text NOT NULL DEFAULT '',  -- where email that cannot be delivered comes back to; none yet
    created_at    timestamptz NOT NULL,
    PRIMARY KEY (team_id, name)
);

CREATE TABLE signing_key (
    id           text COLLATE "C" PRIMARY KEY,
    team_id      text COLLATE "C" NOT NULL,
    domain       text COLLATE "C" NOT NULL,
    selector     text NOT NULL,
    algorithm    text NOT NULL CHECK (algorithm IN ('rsa', 'ed25519')),
    sealed_key   bytea NOT NULL,             -- the private half
    record       text NOT NULL,              -- the public half, as it is published
    created_at   timestamptz NOT NULL,
    active_since timestamptz,                -- it waits until its record is published
    retired_at   timestamptz,
    UNIQUE (team_id, domain, selector),
    FOREIGN KEY (team_id, domain) REFERENCES sending_domain ON DELETE CASCADE
);
"""


def upgrade() -> None:
    """Add the tables."""
    run(CHANGES)
