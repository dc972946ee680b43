"""The pages of transactional emails."""

import re
from datetime import timedelta

import httpx2
from msgspec.structs import replace

from loopwright.server.content import publishing
from loopwright.server.content.sample import ITEMS
from loopwright.server.dashboard.transactional import changes
from loopwright.server.mail.links import icons_root
from loopwright.server.store.messages import EMPTY
from support.content import PLAIN, draft_anew, publish, write_transactional
from support.dashboard_site import FROM_HERE, PUBLIC_URL, Site, words

EVIL = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"


async def write(site: Site, name: str, **given: object) -> str:
    return await write_transactional(site.rows.pool, site.rows.team_id, name, now=site.clock.now(), **given)


async def test_the_list_says_what_is_sent_and_what_is_a_draft(
    site: Site, operator: httpx2.AsyncClient
) -> None:
    """Newest first, with group, state and the last change, which a draft's new text is, too."""
    pool, team = site.rows.pool, site.rows.team_id
    assert "No transactional email yet" in (await operator.get("/transactional")).text
    receipt = await write(site, "Receipt")
    await publish(pool, team, receipt, now=site.clock.now())
    site.clock.advance(timedelta(hours=1))
    await write(site, "Reset")
    text = words((await operator.get("/transactional")).text)
    assert re.search(r"Reset Unsorted draft .* Receipt Unsorted published", text)
    assert "published draft" not in text
    await draft_anew(pool, team, receipt, now=site.clock.now() + timedelta(days=2))
    page = (await operator.get("/transactional")).text
    assert "Receipt Unsorted published draft" in words(page)
    assert f"{site.clock.now() + timedelta(days=2):%Y-%m-%dT%H:%M:%S}" in page


async def test_they_are_found_by_name(site: Site, operator: httpx2.AsyncClient) -> None:
    """In any letter case; `%` means itself."""
    await write(site, "Receipt 5%")
    await write(site, "Reset 50")
    text = words((await operator.get("/transactional", params={"q": "reCEIPT 5%"})).text)
    assert "Receipt 5%" in text
    assert "Reset" not in text
    assert "No transactional email matches" in (await operator.get("/transactional?q=nothing")).text


async def test_the_list_goes_on(site: Site, operator: httpx2.AsyncClient) -> None:
    """Page by page every one is seen once."""
    names = [f"Email {number}." for number in range(51)]
    for name in names:
        await write(site, name)
    first = (await operator.get("/transactional")).text
    [older] = re.findall(r'href="(/transactional\?before=[^"]*)"', first)
    seen = [re.findall(r"Email \d+\.", (await operator.get(path)).text) for path in ("/transactional", older)]
    assert seen[0] + seen[1] == names[::-1]


async def test_one_shows_what_it_says_with_sample_values(site: Site, operator: httpx2.AsyncClient) -> None:
    """Variables have their fallback, else their name in brackets; those without one are required."""
    email = await write(
        site,
        "Receipt",
        subject="Order {data.order}",
        preview_text="For {data.name}",
        lmx="<Paragraph>Dear {data.name}, you paid {data.total}.</Paragraph>",
        data_fallbacks={"name": "customer"},
    )
    page = (await operator.get(f"/transactional/{email}")).text
    text = words(page)
    assert f'<iframe src="/transactional/{email}/html?version=draft"' in page
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in page
    assert "Subject Order [order]" in text
    assert "Preview For customer" in text
    assert "Data variables name else customer order required total required" in text
    assert "Guardian Found nothing." in text
    html = await operator.get(f"/transactional/{email}/html")
    assert "Dear customer, you paid [total]." in html.text
    assert html.headers["content-security-policy"].startswith("sandbox ")
    assert "script-src" not in html.headers["content-security-policy"]
    assert "Dear customer" in (await operator.get(f"/transactional/{email}?view=text")).text
    assert "Dear {data.name}" in (await operator.get(f"/transactional/{email}?view=lmx")).text


async def test_lists_have_sample_items(site: Site, operator: httpx2.AsyncClient) -> None:
    """Each field by its name, more than once; senders give the whole list. Icons come from this server."""
    email = await write(
        site,
        "Receipt",
        lmx='<For variable="{data.items}"><Paragraph>{data.items[].name}: {data.items[].no}</Paragraph></For>'
        '<For variable="{data.gifts}"><Paragraph>A gift</Paragraph></For>'
        '<Icons><Icon name="github" href="https://github.com/ada" /></Icons>',
        data_fallbacks={"gifts": ""},
    )
    text = words((await operator.get(f"/transactional/{email}")).text)
    assert "Data variables gifts else nothing items required Guardian" in text
    html = (await operator.get(f"/transactional/{email}/html")).text
    assert html.count("[name]: [no]") == html.count("A gift") == ITEMS
    assert f'src="{icons_root(PUBLIC_URL)}/' in html


async def test_versions_are_told_apart(site: Site, operator: httpx2.AsyncClient) -> None:
    """A draft beside the published version has its own page, and shows what it changes."""
    email = await write(site, "Receipt", lmx="<Paragraph>Old words</Paragraph>")
    pool, team = site.rows.pool, site.rows.team_id
    await publish(pool, team, email)
    path = f"/transactional/{email}"
    assert "version=draft" not in (await operator.get(path)).text
    assert "Old words" in (await operator.get(f"{path}/html?version=draft")).text
    await draft_anew(pool, team, email, lmx="<Paragraph>New words</Paragraph>")
    assert "what is sent" in words((await operator.get(path)).text)
    assert "a draft, which nobody gets" in words((await operator.get(f"{path}?version=draft")).text)
    assert "Old words" in (await operator.get(f"{path}/html")).text
    assert "New words" in (await operator.get(f"{path}/html?version=draft")).text
    page = (await operator.get(f"{path}?version=draft&view=changes")).text
    assert re.search(r"<del>-.*Old words.*</del><ins>\+.*New words.*</ins>", page)
    assert "Changes" not in (await operator.get(path)).text


async def test_guardian_says_what_stands_in_the_way(site: Site, operator: httpx2.AsyncClient) -> None:
    """Errors, warnings and empty fields; an empty draft has nothing to show."""
    email = await write(site, "Receipt", lmx='<Button href="">Pay now</Button>', subject="")
    text = words((await operator.get(f"/transactional/{email}")).text)
    assert "Before it can be published it needs: subject." in text
    assert "error Buttons without address" in text
    assert "Pay now" in text
    async with site.rows.pool.acquire() as tx, tx.transaction():
        empty, _ = await publishing.create(tx, site.rows.team_id, "Empty", None, now=site.clock.now())
    text = words((await operator.get(f"/transactional/{empty}")).text)
    assert "it needs: subject, fromEmail, lmx." in text
    assert "Nothing is written yet." in text


async def test_everything_is_escaped(site: Site, operator: httpx2.AsyncClient) -> None:
    """Whatever is written into an email is shown, not run."""
    email = await write(
        site,
        EVIL,
        subject=f"{EVIL}{{data.x}}",
        from_name=EVIL,
        preview_text=EVIL,
        lmx="<Paragraph>{data.x} &lt;img src=x onerror=alert(2)&gt;</Paragraph>",
        data_fallbacks={"x": EVIL},
    )
    await publish(site.rows.pool, site.rows.team_id, email)
    await draft_anew(site.rows.pool, site.rows.team_id, email, subject=EVIL, from_name=EVIL)
    path = f"/transactional/{email}"
    for one in ("", "?view=text", "?view=lmx", "?version=draft&view=changes", "?version=draft", "/html"):
        page = (await operator.get(f"{path}{one}")).text
        assert "<script>alert" not in page, one
        assert "<img src=x" not in page, one
    assert "<script>alert" not in (await operator.get("/transactional")).text


def test_changes_are_lines_of_fields_and_markup() -> None:
    """What is the same far away is left out."""
    same = "<Paragraph>Same</Paragraph>" * 9
    before = replace(PLAIN, lmx=f"<H1>One</H1>{same}")
    assert changes(before, before) == []
    assert changes(replace(EMPTY, subject="One"), replace(EMPTY, subject="Two"))[1:3] == [
        "-subject: One",
        "+subject: Two",
    ]
    told = changes(before, replace(before, lmx=f"<H1>Two</H1>{same}"))
    assert "-<H1>One</H1>" in told
    assert "+<H1>Two</H1>" in told
    assert len([line for line in told if "Same" in line]) == 2


async def test_a_draft_is_published_by_its_button(site: Site, operator: httpx2.AsyncClient) -> None:
    """With a relay it needs a domain of the team's own; then it is what is sent, and the button is gone."""
    email = await write(site, "Receipt")
    path = f"/transactional/{email}"
    assert f"{path}/publish" in (await operator.get(path)).text
    page = await operator.post(f"{path}/publish", headers=FROM_HERE, follow_redirects=True)
    assert "It cannot be published: the team has no sending domain" in words(page.text)
    await site.rows.pool.execute(
        "UPDATE team SET sending_domain = 'mail.acme.org' WHERE id = $1", site.rows.team_id
    )
    page = await operator.post(f"{path}/publish", headers=FROM_HERE, follow_redirects=True)
    assert page.url.query == b"done=published&version=published"
    assert "The draft is published" in page.text
    assert f"{path}/publish" not in page.text
    again = await operator.post(f"{path}/publish", headers=FROM_HERE, follow_redirects=False)
    assert again.headers["location"] == f"{path}?version=published"


async def test_a_draft_that_cannot_work_is_not_published(site: Site, operator: httpx2.AsyncClient) -> None:
    """The page says so, beside what Guardian found; nobody else publishes it either."""
    email = await write(site, "Receipt", subject="")
    path = f"/transactional/{email}/publish"
    page = await operator.post(path, headers=FROM_HERE, follow_redirects=True)
    assert page.status_code == 422
    assert "It cannot be published: subject is empty" in words(page.text)
    assert "Before it can be published it needs: subject" in words(page.text)
    assert (await operator.post(path, headers={"sec-fetch-site": "cross-site"})).status_code == 403
    async with httpx2.AsyncClient(base_url=site.base_url) as stranger:
        answer = await stranger.post(path, headers=FROM_HERE)
        assert answer.headers["location"] == "/sign-in"
    nowhere = await operator.post("/transactional/cnobody/publish", headers=FROM_HERE)
    assert nowhere.status_code == 404
