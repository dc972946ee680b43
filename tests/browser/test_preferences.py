"""The preference center in a real browser, opened by the link in an email of the whole server."""

from collections.abc import Callable
from pathlib import Path
from shutil import copytree
from typing import Literal

import pytest
from playwright.async_api import Browser, Locator, Page, expect

from loopwright import AsyncLoops, Contact
from loopwright.testing import AsyncInbox
from support.chromium import Complaints
from support.examples import WELCOME

pytestmark = pytest.mark.asyncio(loop_scope="module")

Apply = Callable[[str | Path], None]
SCREENSHOTS = Path(__file__).parents[2] / "build" / "screenshots"
WIDTHS = (360, 1200)
LOOKS: tuple[Literal["light", "dark"], ...] = ("light", "dark")
EMAIL = "ada@example.com"
NAMES = ("Tips & tricks", "Events near you", "Donau" + "dampfschifffahrt" * 4)


async def link_of_an_email(loops: AsyncLoops, inbox: AsyncInbox, *lists: str) -> str:
    """Have the welcome email sent to a contact on `lists`, and answer with the unsubscribe link in it."""
    await loops.events.send("signup", email=EMAIL, mailing_lists=dict.fromkeys(lists, True))
    return str((await inbox.wait_for(to=EMAIL)).message["List-Unsubscribe"]).strip("<>")


async def stored(loops: AsyncLoops) -> Contact:
    found = await loops.contacts.find(email=EMAIL)
    assert found is not None
    return found


async def test_a_list_is_switched_on_and_off(
    browser: Browser, aloops: AsyncLoops, ainbox: AsyncInbox, loops_definitions: Apply
) -> None:
    """On a phone, without scripts, by touch and by keyboard; then everything off, and on again."""
    loops_definitions(WELCOME)
    [product_news] = await aloops.mailing_lists.list()
    context = await browser.new_context(viewport={"width": 360, "height": 740}, java_script_enabled=False)
    complaints = Complaints(context)
    page = await context.new_page()
    await page.goto(await link_of_an_email(aloops, ainbox))
    news = page.get_by_role("checkbox", name="Product news")
    await expect(news).not_to_be_checked()
    await page.get_by_text("Product news").click()
    await page.get_by_role("button", name="Save").click()
    await expect(page.get_by_role("status")).to_have_text("Saved.")
    await expect(news).to_be_checked()
    assert (await stored(aloops)).mailing_lists == {product_news.id: True}

    await page.keyboard.press("Tab")
    await expect(news).to_be_focused()
    await page.keyboard.press("Space")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("status")).to_have_text("Saved.")
    await expect(news).not_to_be_checked()
    assert (await stored(aloops)).mailing_lists == {}

    await news.check()
    await page.get_by_role("button", name="Save").click()
    await page.get_by_role("button", name="Unsubscribe from everything").click()
    await expect(page.get_by_role("heading")).to_have_text("You are unsubscribed")
    assert not (await stored(aloops)).subscribed
    await page.get_by_role("link", name="Choose what you get").click()
    await page.get_by_role("button", name="Subscribe again").click()
    await expect(news).to_be_checked()
    assert (await stored(aloops)).subscribed
    assert complaints.said == []


async def test_every_state_has_its_picture_taken(
    browser: Browser, aloops: AsyncLoops, ainbox: AsyncInbox, loops_definitions: Apply, tmp_path: Path
) -> None:
    """Pictures for people to look at; none is wider than its screen, whatever the lists are called."""
    folder = copytree(WELCOME, tmp_path / "emails")
    workflow, lists = folder / "workflows" / "welcome.toml", folder / "lists.toml"
    workflow.write_text(f'mailing_list = "product-news"\n{workflow.read_text()}')
    further = [f'[l{number}]\nname = "{name}"\npublic = true\n' for number, name in enumerate(NAMES)]
    lists.write_text("\n".join([lists.read_text(), *further]))
    loops_definitions(folder)
    ids = {one.name: one.id for one in await aloops.mailing_lists.list()}
    link = await link_of_an_email(aloops, ainbox, ids["Product news"], ids["Tips & tricks"])
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
