"""Sessions that end on the server, and keys that another fixed one replaces."""

from loopwright.server.store.migrations.scripts import run

revision = "0005"
down_revision = "0004"

CHANGES = """
-- Given by --api-key: the next one that is given takes its place.
ALTER TABLE api_key ADD COLUMN is_fixed boolean NOT NULL DEFAULT false;

CREATE TABLE dashboard_session (
    token_hash bytea PRIMARY KEY,            -- SHA-256 of what the cookie holds
    team_id    text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    key_id     text COLLATE "C" NOT NULL REFERENCES api_key ON DELETE CASCADE,
    expires_at timestamptz NOT NULL
);
CREATE INDEX dashboard_session_key ON dashboard_session (key_id);
"""


def upgrade() -> None:
    """Add both."""
    run(CHANGES)
