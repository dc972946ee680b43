"""Emails that did not leave, chosen and sent again."""

from loopwright.server.store.retries import Choice, count_unsent, queue_again
from support.factories import repeat_as_sent
from support.mail_office import NOW, Office

READ = """
    SELECT seq_tup_read + idx_tup_fetch FROM pg_stat_xact_user_tables WHERE relname = 'email'
"""


async def test_those_that_were_sent_are_not_read(office: Office) -> None:
    """However many there are: the few that did not leave are found by what is noted of them."""
    emails = [await office.email(await office.message()) for _ in range(4)]
    await repeat_as_sent(office.pool, emails[3].id, 2000)
    for email, status in zip(emails, ("failed", "failed", "skipped"), strict=False):
        await office.pool.execute("UPDATE email SET status = $1 WHERE id = $2", status, email.id)
    await office.pool.execute("DELETE FROM email_queue")
    await office.pool.execute("ANALYZE email; ANALYZE email_unsent")
    choice = Choice(team_id=office.team.id, statuses=("failed",))
    async with office.pool.acquire() as tx, tx.transaction():
        before = await tx.fetchval(READ)
        assert await count_unsent(tx, choice) == 2
        assert await queue_again(tx, choice, now=NOW) == 2
        assert await tx.fetchval(READ) - before < 100
    assert [(await office.reload(email)).status for email in emails[:3]] == ["queued", "queued", "skipped"]
    assert await office.pool.fetchval("SELECT count(*) FROM email_queue") == 2
