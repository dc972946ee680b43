"""The preference center, through a whole server: the link that came by SMTP, over HTTP, into the row."""

import asyncio
import re
import time
from email import message_from_bytes

import httpx2
import pytest
from msgspec.structs import replace

from loopwright.server.store.contacts import ContactRow, load_contact
from loopwright.server.store.definitions import ListDefinitionRow, save_lists
from loopwright.server.store.suppressions import suppress
from loopwright.server.store.teams import insert_team
from support.live import LiveServer
from support.mail_office import NOW, Office
from support.plain_http import NO_TLS
from support.stored_emails import EmailRow

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


async def make_list(office: Office, name: str, *, is_public: bool = True, team_id: str | None = None) -> str:
    """Have a mailing list, and answer with its id."""
    id_ = "c" + re.sub(r"\W", "", name.lower())
    row = ListDefinitionRow(
        id=id_,
        team_id=team_id or office.team.id,
        slug=id_,
        name=name,
        description="Once a <month>" if is_public else None,
        is_public=is_public,
    )
    async with office.pool.acquire() as tx:
        await save_lists(tx, [row], now=NOW)
    return id_


def switches(page: httpx2.Response) -> dict[str, bool]:
    """The page's switches by list, in their order, and whether they are on."""
    boxes = re.findall(r'<input type="checkbox" name="on" value="(\w+)"( checked)?>', page.text)
    return {list_id: bool(checked) for list_id, checked in boxes}


async def save(http: httpx2.AsyncClient, link: str, was: list[str], on: list[str]) -> httpx2.Response:
    """Send the form as a browser does: the switches that are on, and those that were when it was opened."""
    return await http.post(link, data={"was": was, "on": on, "choice": "save"})


async def test_looking_changes_nothing_and_one_click_leaves(office: Office, live_server: LiveServer) -> None:
    """GET shows who and what; POST, as a mail program sends it, unsubscribes; twice is as good as once."""
    contact = await office.contact("ada@example.com")
    link = await delivered_link(office, await office.email(await office.message(), contact))
    assert link.startswith(live_server.base_url.removesuffix("/api/v1").removesuffix("/api"))
    async with httpx2.AsyncClient(verify=NO_TLS) as http:
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
    async with httpx2.AsyncClient(verify=NO_TLS) as http:
        page = await http.get(link)
        assert "Leave “News &lt;b&gt;&amp;&quot;”?" in page.text
        assert "<b>" not in page.text
        # The button of pages that were opened before there were switches sends an empty form.
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
    async with httpx2.AsyncClient(verify=NO_TLS) as http:
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
    async with httpx2.AsyncClient(verify=NO_TLS) as http:
        page = await http.get(link)
        assert "no longer in the audience" in page.text
        assert "<form" not in page.text
        for form in (ONE_CLICK, {"choice": "unsubscribe"}, {"choice": "subscribe"}, {"choice": "save"}):
            assert (await http.post(link, data=form)).status_code == 200


async def test_the_page_has_a_switch_for_each_list_of_the_contact(
    office: Office, live_server: LiveServer
) -> None:
    """All public lists, and private ones it is on or has left itself; never those of other teams."""
    zeta, alpha = await make_list(office, "Zeta"), await make_list(office, "Alpha & <Co>")
    private = {
        name: await make_list(office, name, is_public=False) for name in ("On", "Left", "Off", "Never")
    }
    async with office.pool.acquire() as tx:
        await insert_team(tx, replace(office.team, id="cother", name="Other"), now=NOW)
    await make_list(office, "Foreign", team_id="cother")
    states = {private["On"]: "subscribed", private["Left"]: "opted_out", private["Off"]: "unsubscribed"}
    contact = await office.contact("ada@example.com", mailing_lists={**states, zeta: "subscribed"})
    link = await delivered_link(office, await office.email(await office.message(), contact))
    email = await office.email(await office.message(), contact, mailing_list_id=zeta)
    async with httpx2.AsyncClient(verify=NO_TLS) as http:
        page = await http.get(link)
        assert list(switches(page).items()) == [(alpha, False), ("cleft", False), ("con", True), (zeta, True)]
        assert "Alpha &amp; &lt;Co&gt;<small>Once a &lt;month&gt;</small>" in page.text
        assert next(iter(switches(await http.get(await delivered_link(office, email))))) == zeta


async def test_switching_a_list_off_and_on(office: Office, live_server: LiveServer) -> None:
    """Off is the contact's own doing, and so is on; what was not switched stays as the team has it."""
    news, tips, offers = [await make_list(office, name) for name in ("News", "Tips", "Offers")]
    contact = await office.contact(
        "ada@example.com", mailing_lists={news: "subscribed", tips: "unsubscribed"}
    )
    link = await delivered_link(office, await office.email(await office.message(), contact))
    async with httpx2.AsyncClient(verify=NO_TLS) as http:
        page = await save(http, link, was=[news], on=[])
        assert "Saved." in page.text
        assert not switches(page)[news]
        assert (await now(office, contact)).mailing_lists == {news: "opted_out", tips: "unsubscribed"}
        assert switches(await save(http, link, was=[], on=[news, offers]))[news]
        after = await now(office, contact)
        assert after.mailing_lists == {news: "subscribed", tips: "unsubscribed", offers: "subscribed"}
        assert after.subscribed


async def test_a_page_that_was_left_open_undoes_nothing(office: Office, live_server: LiveServer) -> None:
    """A list left by one click meanwhile stays left, though its switch still looks on."""
    news, tips = await make_list(office, "News"), await make_list(office, "Tips")
    contact = await office.contact("ada@example.com", mailing_lists={news: "subscribed"})
    link = await delivered_link(
        office, await office.email(await office.message(), contact, mailing_list_id=news)
    )
    async with httpx2.AsyncClient(verify=NO_TLS) as http:
        await http.post(link, data=ONE_CLICK)
        await save(http, link, was=[news], on=[news, tips])
    assert (await now(office, contact)).mailing_lists == {news: "opted_out", tips: "subscribed"}


async def test_only_switches_that_were_offered_count(office: Office, live_server: LiveServer) -> None:
    """A made-up form joins no private list, no other team's and none that is not there."""
    secret = await make_list(office, "Secret", is_public=False)
    async with office.pool.acquire() as tx:
        await insert_team(tx, replace(office.team, id="cother", name="Other"), now=NOW)
    foreign = await make_list(office, "Foreign", team_id="cother")
    contact = await office.contact("ada@example.com")
    link = await delivered_link(office, await office.email(await office.message(), contact))
    async with httpx2.AsyncClient(verify=NO_TLS) as http:
        assert (await save(http, link, was=[], on=[secret, foreign, "cnone", "\0<"])).status_code == 200
        assert (await http.post(link, data={"choice": "dance"})).status_code == 200
        large = await http.post(link, data={"choice": "unsubscribe", "x": "x" * 100_000})
        assert (large.status_code, "Nothing has changed" in large.text) == (413, True)
    unchanged = await now(office, contact)
    assert (unchanged.subscribed, unchanged.mailing_lists) == (True, {})


async def test_leaving_everything_and_coming_back(office: Office, live_server: LiveServer) -> None:
    """An email of a list leads there too; the lists are as they were."""
    news = await make_list(office, "News")
    contact = await office.contact("ada@example.com", mailing_lists={news: "subscribed"})
    link = await delivered_link(
        office, await office.email(await office.message(), contact, mailing_list_id=news)
    )
    async with httpx2.AsyncClient(verify=NO_TLS) as http:
        assert "You are unsubscribed" in (await http.post(link, data={"choice": "unsubscribe"})).text
        assert not (await now(office, contact)).subscribed
        page = await http.get(link)
        assert "Subscribe again" in page.text
        assert switches(page) == {}
        page = await http.post(link, data={"choice": "subscribe"})
        assert "You are subscribed again." in page.text
        assert switches(page) == {news: True}
    back = await now(office, contact)
    assert (back.subscribed, back.mailing_lists) == (True, {news: "subscribed"})


async def test_a_mail_program_may_send_a_form_with_parts(office: Office, live_server: LiveServer) -> None:
    """RFC 8058 lets it choose between the two kinds of form."""
    contact = await office.contact("ada@example.com")
    link = await delivered_link(office, await office.email(await office.message(), contact))
    async with httpx2.AsyncClient(verify=NO_TLS) as http:
        form = {name: (None, value) for name, value in ONE_CLICK.items()}
        assert "You are unsubscribed" in (await http.post(link, files=form)).text
    assert not (await now(office, contact)).subscribed


@pytest.mark.parametrize(
    ("status", "suppressed", "reason"),
    [
        pytest.param(None, True, "came back", id="suppressed"),
        pytest.param("pending", False, "was not confirmed", id="pending"),
    ],
)
async def test_who_gets_nothing_anyway_is_told_why(
    office: Office, live_server: LiveServer, status: str | None, suppressed: bool, reason: str
) -> None:
    """No switch could bring them email; saying no for good works all the same."""
    news = await make_list(office, "News")
    contact = await office.contact("ada@example.com", mailing_lists={news: "subscribed"})
    link = await delivered_link(office, await office.email(await office.message(), contact))
    async with office.pool.acquire() as tx:
        await tx.execute("UPDATE contact SET opt_in_status = $1", status)
        if suppressed:
            await suppress(tx, office.team.id, contact.email, reason="hard_bounce", now=NOW)
    async with httpx2.AsyncClient(verify=NO_TLS) as http:
        page = await http.get(link)
        assert reason in page.text
        assert switches(page) == {}
        await http.post(link, data={"choice": "unsubscribe"})
        assert not (await now(office, contact)).subscribed


async def test_the_email_that_made_somebody_leave_is_known(office: Office, live_server: LiveServer) -> None:
    """Each leaving is told once: whoever is gone already does not leave again. Coming back is told, too."""
    list_id = await make_list(office, "News")
    contact = await office.contact("ada@example.com", mailing_lists={list_id: "subscribed"})
    message_id = await office.message()
    email = await office.email(message_id, contact, mailing_list_id=list_id)
    link = await delivered_link(office, email)
    async with httpx2.AsyncClient(verify=NO_TLS) as http:
        for _ in range(2):
            assert (await http.post(link, data=ONE_CLICK)).status_code == 200
        await http.post(link, data={"choice": "unsubscribe"})
        await http.post(link, data={"choice": "subscribe"})
    told = await office.pool.fetch(
        "SELECT kind FROM fact WHERE email_id = $1 AND kind LIKE 'email_%subscribed' ORDER BY id", email.id
    )
    assert [row["kind"] for row in told] == ["email_unsubscribed", "email_unsubscribed", "email_resubscribed"]
    left = await office.pool.fetch(
        "SELECT DISTINCT xmin::text FROM fact"
        " WHERE contact_id = $1 AND kind IN ('list_left', 'contact_unsubscribed', 'email_unsubscribed')",
        contact.id,
    )
    assert len(left) == 2  # a transaction each, for the wish and what it tells
    counted = "SELECT sum(unsubscribes)::int FROM email_counter WHERE owner_id = $1"
    assert await office.pool.fetchval(counted, message_id) == 1
