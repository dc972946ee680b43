"""Unsubscribing, through a whole server: the link that arrived by SMTP, over HTTP, into the contact's row."""

import asyncio
import time
from email import message_from_bytes

import httpx2
import pytest

from loopwright.server.store.contacts import ContactRow, load_contact
from loopwright.server.store.definitions import ListDefinitionRow, save_lists
from loopwright.server.store.emails import EmailRow
from support.live import LiveServer
from support.mail_office import NOW, Office

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


async def delivered_link(office: Office, email: EmailRow) -> str:
    """The link in the header of the email, once the server has delivered it to its inbox."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if received := await office.received(email):
            return str(message_from_bytes(received[0].raw)["List-Unsubscribe"]).strip("<>")
        await asyncio.sleep(0.02)
    pytest.fail(f"the email did not arrive: {await office.reload(email)}")


async def now(office: Office, contact: ContactRow) -> ContactRow:
    async with office.pool.acquire() as tx:
        found = await load_contact(tx, contact.team_id, contact.id)
    assert found is not None
    return found


async def make_list(office: Office, name: str) -> str:
    row = ListDefinitionRow(
        id="clist", team_id=office.team.id, slug="news", name=name, description=None, is_public=True
    )
    async with office.pool.acquire() as tx:
        await save_lists(tx, [row], now=NOW)
    return row.id


async def test_looking_changes_nothing_and_one_click_leaves(office: Office, live_server: LiveServer) -> None:
    """GET shows who and what; POST, as a mail program sends it, unsubscribes; twice is as good as once."""
    contact = await office.contact("ada@example.com")
    link = await delivered_link(office, await office.email(await office.message(), contact))
    assert link.startswith(live_server.base_url.removesuffix("/api/v1").removesuffix("/api"))
    async with httpx2.AsyncClient() as http:
        for _ in range(3):
            page = await http.get(link)
            assert page.status_code == 200
            assert "ada@example.com" in page.text
            assert '<form method="post">' in page.text
            assert (await http.head(link)).status_code == 200
        assert (await now(office, contact)).subscribed
        for _ in range(2):
            answer = await http.post(link, data=ONE_CLICK)
            assert answer.status_code == 200
            assert "You are unsubscribed" in answer.text
            assert not (await now(office, contact)).subscribed
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]


async def test_an_email_of_a_list_leaves_that_list_only(office: Office, live_server: LiveServer) -> None:
    """The contact stays in the audience and is off the list; the page calls the list by its name, escaped."""
    list_id = await make_list(office, 'News <b>&"')
    contact = await office.contact("ada@example.com", mailing_lists={list_id: "subscribed"})
    email = await office.email(await office.message(), contact, mailing_list_id=list_id)
    link = await delivered_link(office, email)
    async with httpx2.AsyncClient() as http:
        page = await http.get(link)
        assert "Leave “News &lt;b&gt;&amp;&quot;”?" in page.text
        assert "<b>" not in page.text
        # The page's own button sends an empty form.
        assert (await http.post(link, content=b"")).status_code == 200
    left = await now(office, contact)
    assert left.subscribed
    assert left.mailing_lists[list_id] != "subscribed"


async def test_a_forged_link_opens_nothing(office: Office, live_server: LiveServer) -> None:
    """Another email's signature, a changed one, nonsense: 404 without details, and nothing changes."""
    contact = await office.contact("ada@example.com")
    message = await office.message()
    link = await delivered_link(office, await office.email(message, contact))
    other = await office.email(message, contact)
    base, _, token = link.rpartition("/")
    team_id, email_id, signature = token.split(".")
    forged = [
        f"{team_id}.{other.id}.{signature}",
        f"{team_id}.{email_id}.{signature[:-2]}xx",
        f"{team_id}.{email_id}.",
        f"x.{email_id}.{signature}",
        "nonsense",
        "a.b.c",
        "%00.%ff.%F0%9F%92%A9",
        "%00.%00.%00",
    ]
    async with httpx2.AsyncClient() as http:
        for token in forged:
            for answer in (
                await http.get(f"{base}/{token}"),
                await http.post(f"{base}/{token}", data=ONE_CLICK),
            ):
                assert answer.status_code == 404, token
                assert "ada@example.com" not in answer.text
                assert email_id not in answer.text
    assert (await now(office, contact)).subscribed


async def test_a_deleted_contact_can_still_click(office: Office, live_server: LiveServer) -> None:
    """Nobody who wants to leave is shown an error."""
    contact = await office.contact("ada@example.com")
    link = await delivered_link(office, await office.email(await office.message(), contact))
    async with office.pool.acquire() as tx:
        await tx.execute("DELETE FROM contact WHERE id = $1", contact.id)
    async with httpx2.AsyncClient() as http:
        assert (await http.post(link, data=ONE_CLICK)).status_code == 200
