"""`loopwright emails`, on a real database."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from typer.testing import CliRunner

from loopwright.cli.program import program
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow
from support.dashboard_rows import Rows
from support.factories import repeat_email


@pytest.fixture
def retry(database_url: str) -> Any:
    """Runs `loopwright emails retry ... --json`, and answers with the number."""

    async def run(*arguments: str) -> int:
        runner = CliRunner(env={"LOOPWRIGHT_DATABASE_URL": database_url})
        words = ["emails", "retry", *arguments, "--json"]
        result = await asyncio.to_thread(runner.invoke, program, words)
        assert result.exit_code == 0, result.output
        answer = json.loads(result.stdout)
        assert answer["dryRun"] is ("--dry-run" in arguments)
        count: int = answer["emails"]
        return count

    return run


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ([], 2),
        (["--status", "skipped"], 1),
        (["--status", "all"], 3),
        (["--reason", "SPAM"], 1),
        (["--reason", "100%"], 0),
        (["--since", "2020-01-01"], 2),
        (["--until", "2020-01-01"], 0),
        (["--since", "2999-01-01T10:00"], 0),
        (["--since", "2020-01-01T10:00:00.5Z", "--until", "2999-01-01T10:00+02:00"], 2),
        (["--status", "all", "--reason", "unsubscribed"], 1),
        (["--status", "unknown"], 1),
        (["--campaign", "cnews"], 1),
        (["--campaign", "cother"], 0),
    ],
)
async def test_what_is_chosen_is_sent_again(
    retry: Any, pool: Pool, team: TeamRow, arguments: list[str], count: int
) -> None:
    """By status, reason and time; counted first, and nothing else is touched."""
    rows = Rows(pool, team.id)
    for status, reason in (
        ("failed", "554 looks like spam"),
        ("failed", "content with mistakes"),
        ("skipped", "the contact is unsubscribed"),
        ("sent", "a copy was refused: spam"),
    ):
        await rows.email("Hi", "ada@elsewhere.org", None, status=status, reason=reason)
    await rows.email("Hi", "bob@elsewhere.org", None, status="unknown", reason="its sender died")
    await pool.execute(
        """
        WITH of_campaign AS (UPDATE email SET campaign_id = 'cnews' WHERE reason LIKE '%spam%' RETURNING id)
        UPDATE email_unsent SET campaign_id = 'cnews' FROM of_campaign WHERE email_id = of_campaign.id
        """
    )
    assert await retry(*arguments, "--dry-run") == count
    assert await pool.fetchval("SELECT count(*) FROM email WHERE status = 'queued'") == 0
    assert await retry(*arguments) == count
    again = "SELECT count(*) FROM email WHERE status = 'queued' AND reason = '' AND attempts = 0"
    assert await pool.fetchval(again) == count
    assert await pool.fetchval("SELECT count(*) FROM email_queue") == count
    assert await retry(*arguments) == 0


async def test_a_moment_with_an_offset_is_that_moment(retry: Any, pool: Pool, team: TeamRow) -> None:
    """Whatever the machine's own time zone is."""
    await Rows(pool, team.id).email("Hi", "ada@elsewhere.org", None, status="failed", reason="no")
    at = datetime(2026, 5, 17, 10, 30, tzinfo=UTC)
    await pool.execute("UPDATE email SET created_at = $1", at)
    for moment, count in [("2026-05-17T12:30+02:00", 1), ("2026-05-17T10:31Z", 0), ("2026-05-17T10:30Z", 1)]:
        assert await retry("--dry-run", "--since", moment) == count


async def test_more_than_a_thousand_go_again_once_each(retry: Any, pool: Pool, team: TeamRow) -> None:
    """In several transactions; those of another team stay."""
    rows = Rows(pool, team.id)
    await rows.email("Hi", "ada@elsewhere.org", None, status="failed", reason="full")
    await repeat_email(pool, 2300)
    assert await retry("--reason", "full") == 2301
    assert await pool.fetchval("SELECT count(*) FROM email_queue") == 2301
