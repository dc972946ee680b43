"""How tests come by rows."""

import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
FACTORIES = TESTS / "support" / "factories.py"
INSERT = re.compile(r"\bINSERT\s+INTO\b|\bMERGE\s+INTO\b|\bcopy_records_to_table\b", re.IGNORECASE)


def test_rows_come_from_the_factories() -> None:
    """No other module inserts one, so that a new column is one change."""
    inserting = [path for path in TESTS.rglob("*.py") if INSERT.search(path.read_text())]
    assert [path for path in inserting if path not in (FACTORIES, Path(__file__))] == []
    assert FACTORIES in inserting, "the pattern finds nothing any more"
