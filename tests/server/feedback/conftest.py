"""Feedback on the test's own database: an ingest that commits, and the way in to it."""

from datetime import UTC, datetime

import pytest

from loopwright.server.feedback.intake import Intake
from loopwright.server.ingest.batch import Ingest
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow
from support.clock import HandClock
from support.feedback import Post

NOW = datetime(2026, 5, 17, 12, tzinfo=UTC)


@pytest.fixture
def clock() -> HandClock:
    """The time of everything."""
    return HandClock(NOW)


@pytest.fixture
def post(pool: Pool, team: TeamRow, clock: HandClock, ingest: Ingest) -> Post:
    """Sends emails, and has things told of them."""
    return Post(pool, team, clock, Intake(pool, ingest, clock))
