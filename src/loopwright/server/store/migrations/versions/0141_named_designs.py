"""Themes and components of definition files: the name they have there, and what files last wrote."""

from loopwright.server.store.migrations.scripts import run

revision = "0141"
down_revision = "0140"

CHANGES = """
ALTER TABLE theme
    ADD COLUMN slug text COLLATE "C",
    ADD COLUMN written jsonb, -- the styles
    ADD CONSTRAINT theme_slug UNIQUE (team_id, slug);
ALTER TABLE component
    ADD COLUMN slug text COLLATE "C",
    ADD COLUMN written text, -- the body
    ADD CONSTRAINT component_slug UNIQUE (team_id, slug);
"""


def upgrade() -> None:
    """Add the columns."""
    run(CHANGES)
