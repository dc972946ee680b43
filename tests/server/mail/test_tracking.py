"""Tracking through a whole server: what is mailed, what comes back over HTTP, and what is counted."""

import asyncio
import random
import re
import time
from email import message_from_bytes
from email.policy import default
from typing import Any

import httpx2
import pytest
from starlette.applications import Starlette

from loopwright.server.mail.links import Tracking
from loopwright.server.store.contacts import ContactRow
from loopwright.server.store.email_retention import delete_emails
from loopwright.server.store.visits import HITS_KEPT
from loopwright.server.tracking.door import routes
from support.factories import add_fact, add_team, suppress
from support.live import LiveServer
from support.mail_office import NOW, Office
from support.smtp_peer import Peer
from support.stored_emails import EmailRow

BROWSER = {"user-agent": "Mozilla/5.0 (X11; Linux x86_64) Gecko/20100101 Firefox/140.0"}
LMX = (
    '<Paragraph><Link href="https://acme.example/{contact.userId}">One</Link> '
    '<Link href="https://acme.example/two">Two</Link> '
    '<Link href="https://acme.example/{event.plan}" notrack="true">Three</Link> '
    '<Link href="https://acme.example/{event.plan}">Four</Link></Paragraph>'
)


async def delivered(office: Office, email: EmailRow) -> str:
    """The HTML of an email once the server has delivered it to its inbox."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if received := await office.received(email):
            message = message_from_bytes(received[0].raw, policy=default)
            html = message.get_body(("html",))
            assert html is not None
            return str(html.get_content())
        await asyncio.sleep(0.02)
    pytest.fail(f"the email did not arrive: {await office.reload(email)}")


class Mailed:
    """A tracked email that has arrived."""

    def __init__(self, office: Office, contact: ContactRow, email: EmailRow, html: str) -> None:
        self.office, self.contact, self.email, self.html = office, contact, email, html
        self.links = re.findall(r'href="([^"]+/c/[^"]+)"', html)
        self.picture = re.findall(r'src="([^"]+/o/[^"]+)"', html)[0]

    async def hits(self) -> list[tuple[Any, ...]]:
        rows = await self.office.pool.fetch(
            "SELECT link, verdict FROM email_hit WHERE email_id = $1 ORDER BY id", self.email.id
        )
        return [tuple(row) for row in rows]

    async def facts(self) -> list[str]:
        rows = await self.office.pool.fetch(
            "SELECT kind FROM fact WHERE email_id = $1 AND kind <> 'email_sent' ORDER BY id", self.email.id
        )
        return [row["kind"] for row in rows]

    async def counts(self) -> tuple[int, ...]:
        row = await self.office.pool.fetchrow(
            "SELECT sum(sends)::int, sum(opens)::int, sum(clicks)::int"
            " FROM email_counter WHERE owner_id = $1",
            self.email.message_id,
        )
        return tuple(row or ())


@pytest.fixture
async def mailed(office: Office, live_server: LiveServer) -> Mailed:
    await office.pool.execute("UPDATE team SET tracking = true")
    contact = await office.contact("ada@example.com", user_id="u 1")
    email = await office.email(await office.message(LMX), contact, event_properties={"plan": "pro"})
    html = await delivered(office, email)
    await office.pool.execute("UPDATE email SET sent_at = sent_at - interval '1 hour'")
    return Mailed(office, contact, email, html)


async def test_links_lead_on_and_tell_of_the_first_who_follows_them(mailed: Mailed) -> None:
    """The address is not in the query; a send that is opened and clicked again and again counts once."""
    assert len(mailed.links) == 4
    assert not any("?" in link or "acme" in link for link in mailed.links)
    assert 'href="https://acme.example/pro"' in mailed.html
    async with httpx2.AsyncClient(headers=BROWSER, follow_redirects=False) as http:
        for _ in range(2):
            picture = await http.get(mailed.picture)
            assert (picture.status_code, picture.headers["content-type"]) == (200, "image/gif")
            assert picture.headers["cache-control"].startswith("no-store")
            first = await http.get(mailed.links[0])
            assert (first.status_code, first.headers["location"]) == (302, "https://acme.example/u%201")
        second = await http.get(mailed.links[1])
        assert second.headers["location"] == "https://acme.example/two"
        assert (await http.post(mailed.links[1])).status_code == 405
    assert await mailed.hits() == [(0, "human"), (1, "human"), (0, "human"), (1, "human"), (2, "human")]
    assert await mailed.facts() == ["email_opened", "email_clicked", "email_clicked"]
    assert await mailed.counts() == (1, 1, 1)


async def test_machines_get_the_same_answer_and_are_no_fact(mailed: Mailed) -> None:
    """A scanner is led on like anybody, and the person who comes after it is the first."""
    async with httpx2.AsyncClient(follow_redirects=False) as http:
        head = await http.head(mailed.links[1], headers=BROWSER)
        bot = await http.get(mailed.links[1], headers={"user-agent": "LinkScanner/1.0"})
        assert (await mailed.facts(), await mailed.counts()) == ([], (1, 0, 0))
        person = await http.get(mailed.links[1], headers=BROWSER)
        answers = [(one.status_code, one.headers["location"], one.content) for one in (head, bot, person)]
        assert len(set(answers)) == 1
    assert await mailed.hits() == [(2, "machine"), (2, "machine"), (2, "human")]
    assert await mailed.facts() == ["email_clicked"]


async def test_altered_tokens_get_a_plain_404_and_leave_nothing(
    mailed: Mailed, live_server: LiveServer
) -> None:
    """Whatever is changed: no redirect, no hit."""
    root = live_server.base_url.removesuffix("/api")
    link = mailed.links[1]
    foreign = Tracking(root, b"guessed", mailed.email.team_id, mailed.email.id)
    altered = [link[:-1] + ("A" if link[-1] != "A" else "B"), link.replace(".2.", ".1."), link[:-2]]
    altered += [foreign.click("2"), foreign.open_pixel, link.replace("/c/", "/o/")]
    altered += [mailed.picture.replace("/o/", "/c/"), f"{root}/c/x", f"{root}/o/x.y.0.{'A' * 16}"]
    async with httpx2.AsyncClient(headers=BROWSER, follow_redirects=False) as http:
        for one in altered:
            answer = await http.get(one)
            assert (answer.status_code, answer.text) == (404, "There is nothing here."), one
    assert await mailed.hits() == []


async def test_whoever_follows_a_link_that_nobody_sees(mailed: Mailed) -> None:
    """It is in the page, leads nowhere, and gives away whoever follows all links."""
    [hidden] = [link for link in mailed.links if ".9999." in link]
    async with httpx2.AsyncClient(headers=BROWSER, follow_redirects=False) as http:
        answer = await http.get(hidden)
        assert (answer.status_code, answer.text) == (200, "Nothing to see here.")
        assert (await http.get(mailed.links[1])).status_code == 302
    assert await mailed.hits() == [(9999, "machine"), (2, "machine")]
    assert await mailed.facts() == []


async def test_hits_by_verdict_link_and_hour(mailed: Mailed, live_server: LiveServer) -> None:
    """Every hit counts, and each link is told by where it leads."""
    async with httpx2.AsyncClient(headers=BROWSER, follow_redirects=False) as reader:
        for link in (mailed.picture, mailed.picture, mailed.links[0], mailed.links[1]):
            await reader.get(link)
        await reader.head(mailed.links[1])
    root = live_server.base_url.removesuffix("/api/v1").removesuffix("/api")
    await add_team(live_server.pool, "cother", key="another key")
    ours, theirs = ({"authorization": f"Bearer {key}"} for key in (live_server.api_key, "another key"))
    path = f"{root}/loopwright/v1/email-messages/{mailed.email.message_id}/visits"
    async with httpx2.AsyncClient() as http:
        found = (await http.get(path, headers=ours)).json()
        long_ago = await http.get(path, headers=ours, params={"since": "2001-01-01", "until": "2001-02-01"})
        assert long_ago.json()["hours"] == []
        assert (await http.get(path, headers=ours, params={"since": "2001-01-01"})).status_code == 400
        assert (await http.get(path, headers=theirs)).json()["message"] == "Email message not found."
    human, nobody = {"human": 1, "machine": 0, "unsure": 0}, {"human": 0, "machine": 0, "unsure": 0}
    assert found["opens"] == {**human, "human": 2}
    assert found["clicks"] == {"human": 2, "machine": 1, "unsure": 0}
    assert found["hidden"] == nobody
    assert [(one["link"], one["address"], one["clicks"]) for one in found["links"]] == [
        (1, "https://acme.example/{contact.userId}", human),
        (2, "https://acme.example/two", {**human, "machine": 1}),
    ]
    assert sum(one["opens"]["human"] for one in found["hours"]) == 2
    assert sum(one["clicks"]["machine"] for one in found["hours"]) == 1


@pytest.mark.slow
async def test_ten_thousand_altered_tokens(mailed: Mailed) -> None:
    """Each character by another, cut, lengthened, joined from two: never a redirect, and never a hit."""
    chance = random.Random(20261126)
    app = Starlette(routes=list(routes(mailed.office.pool, mailed.office.clock)))
    genuine = [link[link.index("/c/") :] for link in mailed.links]
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://here", headers=BROWSER) as http:
        for _ in range(10_000):
            path = chance.choice(genuine)
            place = chance.randrange(3, len(path))
            other = chance.choice("abcdefghijklmnopqrstuvwxyzABCDEFXYZ0123456789_-.%")
            altered = chance.choice(
                [
                    path[:place] + other + path[place + 1 :],
                    path[:place],
                    path + other,
                    path[:place] + path[place + 1 :],
                ]
            )
            if altered in genuine:
                continue
            answer = await http.get(altered)
            assert answer.status_code == 404, altered
            assert "location" not in answer.headers
    assert await mailed.hits() == []


async def test_fifty_hits_are_kept_and_the_rest_counted(mailed: Mailed) -> None:
    """A link that somebody hammers does not fill the database."""
    async with httpx2.AsyncClient(headers=BROWSER, follow_redirects=False) as http:
        for _ in range(HITS_KEPT + 3):
            assert (await http.get(mailed.picture)).status_code == 200
    visit = await mailed.office.pool.fetchrow("SELECT hits, human FROM email_visit")
    assert tuple(visit or ()) == (HITS_KEPT + 3, HITS_KEPT + 3)
    assert len(await mailed.hits()) == HITS_KEPT


@pytest.mark.parametrize("keeps", [False, True], ids=["dropped", "hashed"])
async def test_who_it_was_is_dropped_or_hashed(mailed: Mailed, keeps: bool) -> None:
    """Never kept as it was."""
    await mailed.office.pool.execute("UPDATE team SET hash_visitors = $1", keeps)
    async with httpx2.AsyncClient(headers=BROWSER, follow_redirects=False) as http:
        await http.get(mailed.links[0])
    row = await mailed.office.pool.fetchrow("SELECT visitor, agent, hit::text AS whole FROM email_hit AS hit")
    assert row is not None
    assert [row["visitor"] is not None, row["agent"] is not None] == [keeps, keeps]
    assert "127.0.0.1" not in row["whole"]
    assert "Firefox" not in row["whole"]


async def test_links_work_when_the_email_has_had_its_time(mailed: Mailed) -> None:
    """Keys verify for ever, and what stands in the links is kept with them."""
    async with mailed.office.pool.acquire() as tx:
        far = NOW.replace(year=2100)
        assert await delete_emails(tx, far, 10) == 1
    async with httpx2.AsyncClient(headers=BROWSER, follow_redirects=False) as http:
        found = [(await http.get(link)).headers["location"] for link in mailed.links[:3]]
    assert found == [f"https://acme.example/{end}" for end in ("u%201", "two", "pro")]
    assert await mailed.counts() == (1, 0, 1)


async def test_nothing_is_tracked_unless_the_team_says_so(office: Office, live_server: LiveServer) -> None:
    """Off at first; transactional email never is."""
    contact = await office.contact("ada@example.com", user_id="u1")
    message_id = await office.message(LMX)
    email = await office.email(message_id, contact, event_properties={"plan": "pro"})
    html = await delivered(office, email)
    assert "/c/" not in html
    assert "/o/" not in html
    await office.pool.execute("UPDATE team SET tracking = true")
    plain = await office.message('<Paragraph><Link href="https://acme.example/x">X</Link></Paragraph>')
    html = await delivered(office, await office.email(plain, to_email="grace@example.com"))
    assert "/c/" not in html
    assert "/o/" not in html


COUNTED = ("sends", "deliveries", "hard_bounces", "spam_reports", "unsubscribes", "soft_bounces")


async def counted(office: Office, message_id: str) -> tuple[int, ...]:
    """Of the emails of a message: `COUNTED`, one after the other."""
    sums = ", ".join(f"coalesce(sum({name}), 0)::int" for name in COUNTED)
    row = await office.pool.fetchrow(f"SELECT {sums} FROM email_counter WHERE owner_id = $1", message_id)
    return tuple(row or ())


async def test_every_fact_counts_once_for_each_send(office: Office) -> None:
    """Bounces, complaints and those who leave, whoever tells of them; a refused recipient was a send."""
    message_id = await office.message()
    one = await office.email(message_id, await office.contact("a@elsewhere.org"))
    two = await office.email(message_id, await office.contact("b@elsewhere.org"))
    await office.pool.execute("UPDATE email SET status = 'failed' WHERE id = $1", two.id)
    told = ["email_sent", "email_bounced", "email_bounced", "email_complained", "email_unsubscribed"]
    for kind in [*told, "email_soft_bounced", "email_soft_bounced"]:
        await add_fact(office.pool, office.team.id, kind, email_id=one.id, now=NOW)
    await add_fact(office.pool, office.team.id, "email_bounced", email_id=two.id, now=NOW)
    await add_fact(office.pool, office.team.id, "contact_added", now=NOW)
    assert await counted(office, message_id) == (2, 1, 2, 1, 1, 1)


async def test_an_email_that_is_tried_again_is_one_send(office: Office) -> None:
    """One that was refused and then sent counts once, and so does one that is refused twice."""
    message_id = await office.message()
    ids = [
        (await office.email(message_id, await office.contact(f"{name}@elsewhere.org"))).id for name in "ab"
    ]
    for _ in range(2):
        await office.pool.execute("UPDATE email SET status = 'failed'")
        for email_id in ids:
            await add_fact(office.pool, office.team.id, "email_bounced", email_id=email_id, now=NOW)
    await office.pool.execute("UPDATE email SET status = 'sent' WHERE id = $1", ids[0])
    await add_fact(office.pool, office.team.id, "email_sent", email_id=ids[0], now=NOW)
    assert await counted(office, message_id) == (2, 1, 2, 0, 0, 0)


async def test_a_suppressed_recipient_is_a_hard_bounce(office: Office, peer: Peer) -> None:
    """It was no send; that it was suppressed is told apart from what a server said."""
    message_id = await office.message()
    email = await office.email(message_id, await office.contact("a@elsewhere.org"))
    await suppress(office.pool, office.team.id, "a@elsewhere.org")
    await office.deliver(peer.url)
    assert (await office.reload(email)).status == "skipped"
    assert await office.pool.fetchval("SELECT kind FROM fact WHERE email_id = $1", email.id) == (
        "email_suppressed"
    )
    assert await counted(office, message_id) == (0, 0, 1, 0, 0, 0)
    await office.pool.execute("UPDATE email SET status = 'failed'")  # lifted, sent again, and bounced
    await add_fact(office.pool, office.team.id, "email_bounced", email_id=email.id, now=NOW)
    assert await counted(office, message_id) == (1, 0, 1, 0, 0, 0)
