"""The preference center in a real browser, opened by the link in an email of the whole server."""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from playwright.async_api import Browser, Locator, Page, expect

from loopwright import AsyncLoops
from loopwright.server.store.contacts import ContactRow, find_by_email
from loopwright.server.store.definitions import ListDefinitionRow, save_lists
from support.chromium import Complaints
from support.live import LiveServer
from support.workflows import until

SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
WIDTHS = (360, 1200)
LOOKS: tuple[Literal["light", "dark"], ...] = ("light", "dark")
EMAIL = "ada@example.com"


async def link_of_an_email(server: LiveServer, *lists: str) -> str:
    """Have the welcome email sent to a contact on `lists`, and answer with the unsubscribe link in it."""
    async with AsyncLoops(server.api_key, base_url=f"{server.base_url}/api") as loops:
        await loops.events.send("signup", email=EMAIL, mailing_lists=dict.fromkeys(lists, True))
    links: list[str] = []

    async def has_arrived() -> bool:
        for row in await server.pool.fetch("SELECT raw FROM inbox_message"):
            links.extend(re.findall(r"List-Unsubscribe: <(\S+)>", row["raw"].decode()))
        return bool(links)

    await until(has_arrived)
    return links[0]


async def stored(server: LiveServer) -> ContactRow:
    async with server.pool.acquire() as tx:
        found = await find_by_email(tx, await tx.fetchval("SELECT id FROM team"), EMAIL)
    assert found is not None
    return found


async def test_a_list_is_switched_on_and_off(browser: Browser, welcoming: LiveServer) -> None:
    """On a phone, without scripts, by touch and by keyboard; then everything off, and on again."""
    list_id = await welcoming.pool.fetchval("SELECT id FROM mailing_list")
    context = await browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    complaints = Complaints(context)
    page = await context.new_page()
    await page.goto(await link_of_an_email(welcoming))
    news = page.get_by_role("checkbox", name="Product news")
    await expect(news).not_to_be_checked()
    await page.get_by_text("Product news").click()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status")).to_have_text("Saved.")
    await expect(news).to_be_checked()
    assert (await stored(welcoming)).mailing_lists == {list_id: "subscribed"}

    await page.keyboard.press("Tab")
    await expect(news).to_be_focused()
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_have_text("Saved.")
    await expect(news).not_to_be_checked()
    assert (await stored(welcoming)).mailing_lists == {list_id: "opted_out"}

    await news.check()
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("button", name="Unsubscribe from everything").click()
    await expect(page.get_by_role("heading")).to_have_text("You are unsubscribed")
    assert not (await stored(welcoming)).subscribed
    await page.get_by_role("link", name="Choose what you get").click()
    await page.get_by_role("button", name="Subscribe again").click()
    await expect(news).to_be_checked()
    assert (await stored(welcoming)).subscribed
    assert complaints.said == []


async def test_every_state_has_its_picture_taken(browser: Browser, welcoming: LiveServer) -> None:
    """Pictures for people to look at; none is wider than its screen, whatever the lists are called."""
    list_id = await welcoming.pool.fetchval("SELECT id FROM mailing_list")
    await welcoming.pool.execute("UPDATE workflow SET mailing_list_id = $1", list_id)
    link = await link_of_an_email(welcoming, list_id)
    team_id = await welcoming.pool.fetchval("UPDATE team SET company = 'Acme Rockets' RETURNING id")
    names = ["Tips & tricks", "Events near you", "Donau" + "dampfschifffahrt" * 4]
    rows = [
        ListDefinitionRow(
            id=f"c{number}", team_id=team_id, slug=f"l{number}", name=name, description=None, is_public=True
        )
        for number, name in enumerate(names)
    ]
    async with welcoming.pool.acquire() as tx:
        await save_lists(tx, rows, now=datetime.now(UTC))
        await tx.execute("""UPDATE contact SET mailing_lists = mailing_lists || '{"c0": "subscribed"}'""")
    for width in WIDTHS:
        context = await browser.new_context(viewport={"width": width, "height": 800})
        page = await context.new_page()
        await page.goto(link)

        async def take(name: str, shown: Locator, width: int = width, page: Page = page) -> None:
            await expect(shown).to_be_visible()  # a click does not wait for the page that it leads to
            assert await page.evaluate("document.documentElement.scrollWidth") <= width, name
            for look in LOOKS:
                await page.emulate_media(color_scheme=look)
                path = SCREENSHOTS / f"preferences-{width}-{look}" / f"{name}.png"
                await page.screenshot(path=path, animations="disabled", full_page=True)

        choose = page.get_by_role("link", name="Choose what you get")
        again = page.get_by_role("button", name="Subscribe again")
        await take("list", page.get_by_role("button", name="Leave this list"))
        await page.get_by_role("button", name="Save").click()
        await take("saved", page.get_by_role("status").get_by_text("Saved."))
        await page.get_by_role("button", name="Unsubscribe from everything").click()
        await take("farewell", choose)
        await choose.click()
        await take("unsubscribed", again)
        await again.click()
        await take("back", page.get_by_role("button", name="Unsubscribe from everything"))
        await context.close()
