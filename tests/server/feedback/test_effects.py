"""What follows from what is told of an email: each once, and no more than was told."""

import asyncio
from datetime import timedelta

import pytest

from loopwright.server.feedback.intake import Taken
from loopwright.server.feedback.report import Ignored, NotUnderstood, Reference, Report, Verdict
from loopwright.server.mail.links import unsubscribe_url
from loopwright.server.sealing import SealingKey
from loopwright.server.store.audience import REACHABLE
from loopwright.server.store.feedback import load_stopped, load_unknown, release_address
from loopwright.server.store.metrics import load_counts
from support.factories import add_endpoint, add_fact, add_team
from support.feedback import ADA, Post

DAY = timedelta(days=1)


async def is_subscribed(post: Post, contact_id: str = "cada") -> bool:
    return bool(await post.pool.fetchval("SELECT subscribed FROM contact WHERE id = $1", contact_id))


@pytest.mark.parametrize(
    ("verdict", "fact", "suppressed"),
    [
        pytest.param("hard", "email_bounced", [(ADA, "hard_bounce")], id="a hard bounce"),
        pytest.param("complaint", "email_complained", [(ADA, "complaint")], id="a complaint"),
        pytest.param("soft", "email_soft_bounced", [], id="a soft bounce"),
        pytest.param("blocked", "email_failed", [], id="we are blocked"),
        pytest.param("delivered", "email_delivered", [], id="delivered"),
    ],
)
async def test_what_follows(
    post: Post, verdict: Verdict, fact: str, suppressed: list[tuple[str, str]]
) -> None:
    """Hard bounces and complaints suppress the address and unsubscribe whoever has it; nothing else does."""
    email_id = await post.sent(contact_id=await post.contact())
    assert await post.tell(verdict, email_id, ADA) == Taken(told=1)
    assert await post.tell(verdict, email_id, ADA, door="ses") == Taken(known=1)
    assert await post.facts(email_id) == [fact]
    assert await post.suppressed() == suppressed
    assert await is_subscribed(post) is not bool(suppressed)


async def test_two_doors_at_once_tell_it_once(post: Post) -> None:
    """However many tell the same at the same time."""
    email_id = await post.sent(contact_id=await post.contact())
    taken = await asyncio.gather(*(post.tell("complaint", email_id, ADA) for _ in range(8)))
    assert sum(one.told for one in taken) == 1
    assert await post.facts(email_id) == ["email_complained"]


async def test_a_contact_with_another_address_stays_subscribed(post: Post) -> None:
    """The address that failed is suppressed, and is nobody's any more."""
    email_id = await post.sent(contact_id=await post.contact(email="new@elsewhere.org"))
    await post.tell("hard", email_id, ADA)
    assert await post.suppressed() == [(ADA, "hard_bounce")]
    assert await is_subscribed(post)


@pytest.mark.parametrize(
    ("recipients", "token", "words"),
    [
        pytest.param(["boss@elsewhere.org"], "", "boss@elsewhere.org", id="a copy's"),
        pytest.param([ADA], "cforged000000000000000000-aaaaaaaaaaaaaaaa", "no email of ours", id="unknown"),
    ],
)
async def test_what_is_not_applied_is_told_of(
    post: Post, recipients: list[str], token: str, words: str
) -> None:
    """Nothing changes, and people find why."""
    email_id = await post.sent(contact_id=await post.contact())
    assert await post.tell("hard", email_id, *recipients, token=token) == Taken(unknown=1)
    assert await post.suppressed() == []
    [reason] = await post.unknown()
    assert words in reason


async def test_nothing_follows_for_who_was_forgotten(post: Post) -> None:
    """The address of a deleted contact is kept no more, and none is suppressed in its place."""
    email_id = await post.sent()
    await post.pool.execute("UPDATE email SET to_email = ''")
    assert await post.tell("hard", email_id) == Taken(unknown=1)
    assert await post.suppressed() == []
    [reason] = await post.unknown()
    assert "deleted" in reason


async def test_a_forged_token_is_worth_nothing(post: Post) -> None:
    """The signature is the team's, whatever the letters' case."""
    email_id = await post.sent()
    genuine = post.token(email_id)
    last = "a" if genuine[-1] != "a" else "b"
    assert await post.tell("hard", email_id, token=genuine[:-1] + last) == Taken(unknown=1)
    assert await post.tell("hard", email_id, token=genuine.upper().lower()) == Taken(told=1)


async def test_message_id_and_link_name_an_email_too(post: Post) -> None:
    """For what comes without a token; a door of one team names none of another's."""
    await add_team(post.pool, "other")
    team = post.team
    by_id, by_link = await post.sent(), await post.sent(contact_id=await post.contact())
    link = unsubscribe_url(
        "https://x.test", team.secret, team_id=team.id, email_id=by_link, mailing_list_id=None
    )
    references = [
        Reference(mime_ids=["made@up", f"{by_id}@elsewhere.org"]),
        Reference(tickets=[link.rpartition("/")[2]]),
    ]
    reports = [Report(verdict="soft", reference=one) for one in references]
    take = post.intake.take
    assert await take(reports, door="imap", team_id="other", raw=b"", any_team=False) == Taken(unknown=2)
    assert await take(reports, door="imap", team_id=team.id, raw=b"", any_team=False) == Taken(told=2)


async def test_what_says_nothing_is_left_alone(post: Post) -> None:
    """An automatic reply is no bounce; what nobody understands is kept as it came."""
    take = post.intake.take
    ignored = await take(Ignored("auto_reply"), door="imap", team_id=post.team.id, raw=b"", any_team=True)
    assert ignored == Taken(ignored=1)
    await take(NotUnderstood("why\x00"), door="imap", team_id=post.team.id, raw=b"raw", any_team=True)
    [row] = await load_unknown(post.pool, post.team.id, limit=5)  # type: ignore[arg-type]
    assert (row.reason, row.raw, row.door) == ("why", b"raw", "imap")


async def reachable(post: Post) -> bool:
    """Whether marketing reaches the contact."""
    statement = f"SELECT EXISTS (SELECT FROM contact WHERE team_id = $1 AND {REACHABLE})"
    return bool(await post.pool.fetchval(statement, post.team.id))


async def soft_bounce(post: Post, contact_id: str, *, every: timedelta, times: int) -> None:
    for _ in range(times):
        await post.tell("soft", await post.sent(contact_id=contact_id), ADA)
        post.clock.advance(every)


async def test_five_soft_bounces_in_a_week_stop_marketing(post: Post) -> None:
    """And nothing else; people let it go on."""
    contact_id = await post.contact()
    await soft_bounce(post, contact_id, every=2 * DAY, times=4)
    assert await reachable(post)
    await soft_bounce(post, contact_id, every=2 * DAY, times=1)
    assert not await reachable(post)
    assert await is_subscribed(post)
    assert await post.suppressed() == []
    async with post.pool.acquire() as tx:
        [stopped] = await load_stopped(tx, post.team.id, limit=5)
        assert stopped.email == ADA
        assert await release_address(tx, post.team.id, ADA)
        assert not await release_address(tx, post.team.id, ADA)
    assert await reachable(post)


async def test_soft_bounces_of_a_few_days_stop_nothing(post: Post) -> None:
    """However many: a mailbox that is full today is emptied next week."""
    contact_id = await post.contact()
    await soft_bounce(post, contact_id, every=timedelta(hours=6), times=20)
    assert await reachable(post)


@pytest.mark.parametrize("told", [True, False], ids=["a provider tells of it", "nobody sends it back"])
async def test_a_delivery_between_begins_anew(post: Post, told: bool) -> None:
    """What the relay took five days ago was delivered, unless somebody says so before."""
    contact_id = await post.contact()
    await soft_bounce(post, contact_id, every=2 * DAY, times=4)
    between = await post.sent(contact_id=contact_id)
    if told:
        await post.tell("delivered", between, ADA)
    post.clock.advance(6 * DAY)
    await soft_bounce(post, contact_id, every=2 * DAY, times=1)
    assert await reachable(post)


async def test_a_mailbox_that_takes_it_in_the_end_is_none(post: Post) -> None:
    """Whoever defers, and takes the email at a later try, has it delivered."""
    contact_id = await post.contact()
    await soft_bounce(post, contact_id, every=2 * DAY, times=4)
    email_id = await post.sent(contact_id=contact_id, status="queued")
    for kind in ("email_soft_bounced", "email_sent"):
        await add_fact(post.pool, post.team.id, kind, email_id=email_id, now=post.clock.now())
    await soft_bounce(post, contact_id, every=2 * DAY, times=1)
    assert await reachable(post)


async def test_a_provider_that_tells_of_deliveries_is_believed(post: Post) -> None:
    """For others an email is delivered when the relay has taken it."""
    first = await post.sent()
    await post.tell("delivered", first, ADA)
    assert await deliveries(post) == 1
    await post.pool.execute("UPDATE team SET provider_delivers = true")
    second = await post.sent()
    assert await deliveries(post) == 1
    await post.tell("delivered", second, ADA)
    assert await deliveries(post) == 2


async def test_webhooks_tell_of_a_delivery_by_whoever_knows(post: Post) -> None:
    """By the relay's word or by the provider's, and never by both; bounces and complaints in any case."""
    await add_endpoint(post.pool, post.team.id, "https://hooks.test", sealing=SealingKey(bytes(32)))
    contact_id = await post.contact()
    first = await post.sent(contact_id=contact_id, workflow_id="cflow")
    await post.tell("complaint", first, ADA)
    await post.pool.execute("UPDATE team SET provider_delivers = true")
    second = await post.sent(contact_id=contact_id, workflow_id="cflow")
    await post.tell("soft", second, ADA)
    await post.tell("hard", second, ADA)
    third = await post.sent(contact_id=contact_id, workflow_id="cflow")
    await post.tell("delivered", third, ADA)
    rows = await post.pool.fetch("SELECT event_name FROM webhook_delivery ORDER BY sequence")
    assert [row["event_name"] for row in rows if row["event_name"].startswith("email.")] == [
        "email.delivered",
        "email.spamReported",
        "email.softBounced",
        "email.hardBounced",
        "email.delivered",
    ]


async def deliveries(post: Post) -> int:
    async with post.pool.acquire() as tx:
        return (await load_counts(tx, post.team.id, post.message_id)).deliveries
