"""What the pages say."""

import re
from datetime import timedelta

import httpx2
import pytest

from loopwright.server.dashboard.views import PAGES
from support.content import write_message
from support.dashboard_rows import letter
from support.dashboard_site import PUBLIC_URL, Site, words
from support.factories import suppress

EVIL = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"


def links(page: str, prefix: str) -> list[str]:
    return re.findall(rf'href="({prefix}[^"]*)"', page)


async def test_an_empty_server_shows_how_to_begin(site: Site, operator: httpx2.AsyncClient) -> None:
    """The overview says how to send an event to this very server, without giving the key away."""
    page = (await operator.get("/")).text
    assert "Send your first event" in page
    assert f"{PUBLIC_URL}/api/v1/events/send" in page
    assert f'base_url="{PUBLIC_URL}/api"' in page
    assert site.key not in page


async def test_the_overview_counts_today(site: Site, operator: httpx2.AsyncClient) -> None:
    """Today's events and emails by status, and why some did not leave; yesterday does not count."""
    now = site.clock.now().replace(hour=12)
    site.clock.advance(now - site.clock.now())
    contact = await site.rows.contact("ada@example.com", at=now - timedelta(days=3))
    await site.rows.contact("grace@example.com", at=now)
    for _ in range(3):
        await site.rows.event("signup", contact, at=now)
    await site.rows.event("signup", contact, at=now - timedelta(days=1))
    for status, times in {"sent": 4, "queued": 3, "skipped": 2, "failed": 1}.items():
        for _ in range(times):
            await site.rows.email(
                "Hello", "ada@example.com", contact, at=now, status=status, reason=f"{status} because"
            )
    await site.rows.email("Old", "ada@example.com", contact, at=now - timedelta(days=1), status="failed")
    text = words((await operator.get("/")).text)
    assert "Events 3 New contacts 1 of 2 Emails sent 4 Queued 3 Skipped 2 Failed 1" in text
    assert "12:00: 3 events, 4 emails sent" in text
    assert "failed because" in text
    assert "skipped because" in text


async def test_an_event_shows_what_it_caused(site: Site, operator: httpx2.AsyncClient) -> None:
    """Event, run and email stand below each other, linked to the contact and to the inbox."""
    contact = await site.rows.contact("ada@example.com")
    at = site.clock.now()
    event = await site.rows.event("signup", contact, at=at, plan="pro", seats=3, trial=True)
    run = await site.rows.run(
        await site.rows.workflow("Welcome"), contact, event_id=event, at=at, status="removed", reason="paused"
    )
    await site.rows.email("Hello Ada", "ada@example.com", contact, at=at, run_id=run)
    await site.rows.email(
        "Later", "ada@example.com", contact, at=at, run_id=run, status="failed", reason="no such user"
    )
    page = (await operator.get("/events")).text
    text = words(page)
    assert "signup ada@example.com" in text
    assert "plan pro seats 3 trial true" in text
    assert "Welcome removed +0 s paused Hello Ada sent +0.4 s Later failed +0 s no such user" in text
    assert links(page, "/contacts/c") == [f"/contacts/{contact}"]
    [inbox] = links(page, "/inbox/c")
    assert "Hello Ada" in (await operator.get(inbox)).text


@pytest.mark.parametrize("search", ["SIGNUP", "up_t", "ADA@", " ada@example.com "])
async def test_events_are_found(site: Site, operator: httpx2.AsyncClient, search: str) -> None:
    """By name or by contact, in any letter case; `_` and `%` mean themselves."""
    ada = await site.rows.contact("ada@example.com")
    bob = await site.rows.contact("bob@example.com")
    await site.rows.event("Signup_team", ada)
    await site.rows.event("upstart", bob)
    text = words((await operator.get("/events", params={"q": search})).text)
    assert "Signup_team" in text
    assert "upstart" not in text


async def test_nothing_found_says_so(site: Site, operator: httpx2.AsyncClient) -> None:
    """A search without a result names what was looked for, and survives odd characters."""
    for path in ("/events", "/inbox", "/contacts"):
        page = (await operator.get(path, params={"q": f"{EVIL}\0"})).text
        assert "matches" in page
        assert EVIL not in page


async def test_the_list_goes_on(site: Site, operator: httpx2.AsyncClient) -> None:
    """Page by page every email is seen once, newest first, and the search goes along."""
    for number in range(120):
        await site.rows.received(f"Number {number}", "ada@example.com")
    await site.rows.received("Something else", "bob@example.com")
    seen: list[str] = []
    path = "/inbox?q=number"
    while path:
        page = (await operator.get(path)).text
        seen += re.findall(r"Number \d+", page)
        path = next(iter(links(page.replace("&amp;", "&"), r"/inbox\?[^\"]*before=")), "")
    assert seen == [f"Number {number}" for number in reversed(range(120))]


async def test_an_email_is_shown_in_all_its_forms(site: Site, operator: httpx2.AsyncClient) -> None:
    """HTML in a frame that runs nothing; text, headers, source and the file itself."""
    contact = await site.rows.contact("ada@example.com")
    workflow = await site.rows.workflow("Welcome")
    run = await site.rows.run(workflow, contact)
    await site.rows.email("Hello Ada", "ada@example.com", contact, run_id=run, workflow_id=workflow)
    [path] = links((await operator.get("/inbox")).text, "/inbox/c")

    page = (await operator.get(path)).text
    assert f'<iframe src="{path}/html"' in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "workflow Welcome" in words(page)
    assert links(page, "/contacts/c") == [f"/contacts/{contact}"]
    revision = await site.rows.pool.fetchrow(
        "SELECT revision_id AS id, message_id FROM email WHERE subject = 'Hello Ada' AND team_id = $1",
        site.rows.team_id,
    )
    assert revision is not None
    assert f"Content revision {revision['id']} of" in words(page)
    assert "changed since" not in words(page)
    await write_message(site.rows.pool, site.rows.team_id, revision["message_id"])
    page = (await operator.get(path)).text
    assert f"Content revision {revision['id']} of" in words(page)
    assert "changed since" in words(page)

    html = await operator.get(f"{path}/html")
    policy = html.headers["content-security-policy"]
    assert policy.startswith("sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none';")
    assert "script-src" not in policy
    assert "<h1" in html.text

    assert "your engine is warming up" in (await operator.get(f"{path}?view=text")).text
    assert "List-Unsubscribe-Post" in (await operator.get(f"{path}?view=headers")).text
    assert "Content-Type: multipart/alternative" in (await operator.get(f"{path}?view=source")).text
    assert "<iframe" in (await operator.get(f"{path}?view=nonsense")).text

    raw = await operator.get(f"{path}/raw")
    assert raw.content == await site.rows.pool.fetchval(
        "SELECT raw FROM inbox_message WHERE team_id = $1", site.rows.team_id
    )
    assert raw.headers["content-type"] == "message/rfc822"
    assert raw.headers["content-disposition"].startswith("attachment;")


async def test_an_email_says_how_large_its_html_is(site: Site, operator: httpx2.AsyncClient) -> None:
    """And when mail programs will not show all of it."""
    for html, said in (("x" * 2_000, "Size 2.0 KB of HTML"), ("\u00e9" * 60_000, "its HTML has 120,00")):
        message = await site.rows.received(
            "S", "ada@example.com", raw=letter("S", "ada@example.com", html=html)
        )
        page = words((await operator.get(f"/inbox/{message}")).text)
        assert said in page
        assert ("Gmail hides what comes after 102 KB" in page) == (len(html) > 50_000)


async def test_an_email_without_html_shows_its_text(site: Site, operator: httpx2.AsyncClient) -> None:
    """There is no empty frame."""
    message = await site.rows.received("Plain", "ada@example.com", raw=b"Subject: Plain\r\n\r\njust text")
    page = (await operator.get(f"/inbox/{message}")).text
    assert "just text" in page
    assert "<iframe" not in page
    assert (await operator.get(f"/inbox/{message}/html")).status_code == 404
    broken = await site.rows.received("", "ada@example.com", raw=b"")
    assert "(no subject)" in (await operator.get(f"/inbox/{broken}")).text


async def test_a_contact_shows_all_that_is_known(site: Site, operator: httpx2.AsyncClient) -> None:
    """Properties with their types, lists by name, subscription, suppression and what happened."""
    rows = site.rows
    news = await rows.mailing_list("Product news")
    beta = await rows.mailing_list("Beta", is_public=False)
    await rows.property("trialEnds", "date")
    await rows.property("seats", "number")
    contact = await rows.contact(
        "ada@example.com",
        first_name="Ada",
        user_id="usr_1",
        subscribed=False,
        opt_in_status="pending",
        properties={"trialEnds": "2026-12-01T00:00:00.000Z"},
        mailing_lists={news: "subscribed", beta: "opted_out", "cgone": "subscribed"},
    )
    await suppress(rows.pool, rows.team_id, "ada@example.com", now=site.clock.now())
    workflow = await rows.workflow("Welcome")
    await rows.run(workflow, contact)
    await rows.email("Receipt", "ada@example.com", contact, kind="transactional")
    event = await rows.event("signup", contact)
    run = await rows.run(workflow, contact, event_id=event)
    await rows.email("Hi", "ada@example.com", contact, run_id=run, status="skipped", reason="unsubscribed")
    text = words((await operator.get(f"/contacts/{contact}")).text)
    for said in (
        "Marketing email unsubscribed",
        "Double opt-in pending",
        "Suppressed hard bounce",
        "Product news subscribed",
        "Beta private opted out",
        "firstName Ada",
        "userId usr_1",
        "trialEnds date 2026-12-01",
        "seats number \N{EN DASH}",
    ):
        assert said in text
    order = ["Timeline", "signup", "Hi skipped", "Transactional email", "Receipt", "Contact added", "Welcome"]
    places = [text.index(word) for word in order[:-1]]
    assert places == sorted(places)


async def test_a_long_life_is_told_in_pages(site: Site, operator: httpx2.AsyncClient) -> None:
    """A timeline goes on like every list."""
    contact = await site.rows.contact("ada@example.com")
    for number in range(55):
        await site.rows.event(f"step_{number}.", contact)
    first = (await operator.get(f"/contacts/{contact}")).text
    [older] = links(first, rf"/contacts/{contact}\?before=")
    second = (await operator.get(older)).text
    seen = re.findall(r"step_\d+\.", first) + re.findall(r"step_\d+\.", second)
    assert seen == [f"step_{number}." for number in reversed(range(55))]


@pytest.mark.parametrize("search", ["ADA", "usr_1"])
async def test_contacts_are_found(site: Site, operator: httpx2.AsyncClient, search: str) -> None:
    """By address or user id; who has neither is not."""
    await site.rows.contact("ada@example.com", user_id="USR_1")
    await site.rows.contact("bob@example.com", user_id="usrx1")
    text = words((await operator.get("/contacts", params={"q": search})).text)
    assert "ada@example.com" in text
    assert "bob@example.com" not in text


async def test_everything_is_escaped(site: Site, operator: httpx2.AsyncClient) -> None:
    """Whatever strangers put into events, contacts and emails is shown, not run."""
    rows = site.rows
    await rows.property("evil", "string")
    contact = await rows.contact(
        "x@example.com", first_name=EVIL, user_id=EVIL, notes=EVIL, properties={"evil": EVIL, EVIL: 1}
    )
    event = await rows.event(EVIL, contact, at=site.clock.now(), **{EVIL: EVIL})
    run = await rows.run(await rows.workflow(EVIL), contact, event_id=event, reason=EVIL)
    await rows.email(EVIL, EVIL, contact, run_id=run, status="failed", reason=EVIL)
    message = await rows.received(EVIL, EVIL, raw=f"Subject: {EVIL}\r\n\r\n{EVIL}".encode())
    paths = ["/", "/inbox", "/events", "/contacts", f"/contacts/{contact}", f"/inbox/{message}"]
    paths.append(f"/events/{event}")
    for path in [*paths, f"/inbox/{message}?view=headers", f"/inbox/{message}?view=source"]:
        page = (await operator.get(path)).text
        assert "alert(1)" in page, path
        assert "<script>" not in page, path
        assert "<img src=x" not in page, path


@pytest.mark.parametrize("odd", ["nobody", "%00", "%F0%9F%92%8C", "x" * 300, "a'b", "%25"])
async def test_odd_addresses_are_not_found(operator: httpx2.AsyncClient, odd: str) -> None:
    """Nothing but a page that says so."""
    for path in PAGES:
        if "{" in path:
            answer = await operator.get(re.sub(r"{\w+}", odd, path))
            assert answer.status_code == 404


@pytest.mark.parametrize("path", ["/", "/inbox", "/events", "/contacts", "/sign-in", "/contacts/nobody"])
async def test_pages_bring_their_own_walls(operator: httpx2.AsyncClient, path: str) -> None:
    """No inline script, no foreign host, no framing, no sniffing, nothing kept by caches."""
    headers = (await operator.get(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "same-origin"


async def test_static_files_are_kept_by_browsers(stranger: httpx2.AsyncClient) -> None:
    """Their address changes with their content, so they may be kept for good."""
    page = (await stranger.get("/sign-in")).text
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page):
        answer = await stranger.get(path)
        assert answer.status_code == 200
        assert "immutable" in answer.headers["cache-control"]
    assert (await stranger.get("/static/../views.py")).status_code == 404
    assert (await stranger.get("/static/%2e%2e/views.py")).status_code == 404


async def test_other_methods_are_refused(operator: httpx2.AsyncClient) -> None:
    """Pages are read; only the two forms are sent."""
    assert (await operator.post("/events")).status_code == 405
    assert (await operator.get("/sign-out")).status_code == 405
    assert (await operator.head("/events")).status_code == 200
