"""How far a server for tests has moved its clock; the row is there in databases that such a server made."""

from loopwright.server.store.migrations.scripts import run

revision = "0150"
down_revision = "0141"

CHANGES = """
CREATE TABLE test_clock (
    is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only),
    ahead   interval NOT NULL -- of the machine's clock
);
"""


def upgrade() -> None:
    """Add the table, empty."""
    run(CHANGES)
