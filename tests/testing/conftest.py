"""What the tests of the kit share."""

from collections.abc import Callable
from pathlib import Path

import pytest

Apply = Callable[[str | Path], None]


@pytest.fixture
def month(loops_definitions: Apply) -> None:
    """A workflow with seven letters in thirty days, a branch and an experiment; and a transactional email."""
    loops_definitions("definitions/month")
