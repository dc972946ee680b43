"""Pages of emails in a real Chromium: measured where a picture would have to be looked at."""

from typing import Any

import pytest
from playwright.async_api import Browser, Page
from tools.mail_gallery.__main__ import as_outlook, icon, picture, rendered

from loopwright.server.dashboard.answers import EMAIL_HEADERS
from loopwright.server.mail.dark import READABLE
from loopwright.server.mail.icon_names import IMAGE_PIXELS
from support.chromium import DESKTOP, PHONE

CONTRASTS = """
() => {
  const channels = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const luminance = ([r, g, b]) => {
    const linear = c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const [x, y, z] = [r, g, b].map(c => linear(c / 255));
    return 0.2126 * x + 0.7152 * y + 0.0722 * z;
  };
  const ground = element => {
    for (; element; element = element.parentElement) {
      const color = channels(getComputedStyle(element).backgroundColor);
      if (color.length === 3 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const found = [];
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, box = element.getBoundingClientRect();
    if (!walker.currentNode.data.trim() || box.width < 2 || box.height < 9) continue;
    if (getComputedStyle(element).display === "none" || getComputedStyle(element).opacity === "0") continue;
    const [a, b] = [luminance(channels(getComputedStyle(element).color)), luminance(ground(element))];
    found.push([walker.currentNode.data.trim(), (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05)]);
  }
  return found;
}
"""
SIDES = """
text => {
  const range = document.createRange();
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) if (walker.currentNode.data.includes(text)) {
    range.selectNodeContents(walker.currentNode);
    const box = range.getBoundingClientRect();
    return [box.left, box.right];
  }
}
"""

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def opened(browser: Browser, html: str, **given: Any) -> Page:
    page = await browser.new_page(**{**DESKTOP, **given})
    await page.route("https://images.example/*", picture)
    await page.route("https://icons.example/*", icon)
    await page.set_content(html)
    return page


@pytest.mark.parametrize("name", ["everything", "styled"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_every_text_is_readable(browser: Browser, name: str, scheme: str) -> None:
    """Each tag of LMX, on each ground that the gallery has."""
    page = await opened(browser, rendered(name), color_scheme=scheme)
    found = await page.evaluate(CONTRASTS)
    assert len(found) > 10
    assert [each for each in found if each[1] < READABLE] == []
    card = await page.evaluate("getComputedStyle(document.querySelector('.card')).backgroundColor")
    assert (card in ("rgb(255, 255, 255)", "rgb(253, 246, 227)")) == (scheme == "light")


async def test_outlook_darkens_with_the_same_rules(browser: Browser) -> None:
    """It sets an attribute around the page, and no media query holds there."""
    page = await opened(browser, rendered("everything"), color_scheme="light")
    await page.evaluate("document.documentElement.setAttribute('data-ogsc', '')")
    assert [each for each in await page.evaluate(CONTRASTS) if each[1] < READABLE] == []


@pytest.mark.parametrize(
    ("scheme", "mark", "shown"),
    [("light", None, "black"), ("dark", None, "white"), ("light", "data-ogsc", "white")],
    ids=["light", "dark", "Outlook's dark"],
)
async def test_black_icons_are_white_in_the_dark(
    browser: Browser, scheme: str, mark: str | None, shown: str
) -> None:
    page = await opened(browser, rendered("everything"), color_scheme=scheme)
    if mark:
        await page.evaluate("mark => document.documentElement.setAttribute(mark, '')", mark)
    widths = {
        color: await page.evaluate(f"document.querySelector('img[src$=\"github-{color}.png\"]').offsetWidth")
        for color in ("black", "white")
    }
    assert {color for color, width in widths.items() if width} == {shown}


async def test_the_inbox_shows_icons_of_a_server_without_tls(browser: Browser) -> None:
    """The page of an email is in a sandbox, and may load images from its own server none the less."""
    html = rendered("everything").replace("https://icons.example", "http://inbox.test/icons")
    page = await browser.new_page(**DESKTOP)
    await page.route("http://inbox.test/icons/*", icon)
    await page.route(
        "http://inbox.test/inbox/1/html",
        lambda route: route.fulfill(body=html, content_type="text/html", headers=EMAIL_HEADERS),
    )
    await page.goto("http://inbox.test/inbox/1/html")
    loaded = await page.evaluate("document.querySelector('img[src$=\"github-black.png\"]').naturalWidth")
    assert loaded == IMAGE_PIXELS


@pytest.mark.parametrize("name", ["everything", "styled", "long", "arabic", "hebrew"])
async def test_nothing_is_wider_than_its_place(browser: Browser, name: str) -> None:
    """The card is 600 pixels wide in Outlook, too, and a phone never scrolls sideways."""
    phone = await opened(browser, rendered(name), **PHONE)
    assert await phone.evaluate("document.documentElement.scrollWidth") == 390
    page = await opened(browser, as_outlook(rendered(name)))
    boxes = "[...document.querySelectorAll('table table, img, td')].map(e => e.getBoundingClientRect().width)"
    assert await page.evaluate(f"Math.max(...{boxes}.filter(w => w < 1000))") <= 600
    pictures = "[...document.images].filter(i => i.src.includes('images.example'))"
    assert await page.evaluate(f"{pictures}.every(i => i.getBoundingClientRect().width > 60)")


@pytest.mark.parametrize(
    "look", [rendered, lambda name: as_outlook(rendered(name))], ids=["browser", "outlook"]
)
async def test_right_to_left_text_stands_right(browser: Browser, look: Any) -> None:
    """Texts, bullets and columns; a text in another direction goes its own way."""
    page = await opened(browser, look("arabic"))

    async def sides(text: str) -> tuple[float, float]:
        left, right = await page.evaluate(SIDES, text)
        return left, right

    card = 1280 / 2 + 300
    assert (await sides("مرحبا"))[1] == pytest.approx(card - 32, abs=1)
    assert (await sides("الكلمة"))[1] == pytest.approx(card - 32 - 19, abs=1)
    assert (await sides("الخطوة الأولى"))[1] == pytest.approx(card - 32 - 24, abs=1)
    assert (await sides("A paragraph in English"))[0] == pytest.approx(1280 / 2 - 300 + 32, abs=1)
    assert (await sides("pip install"))[0] < 1280 / 2
    picture_box = await page.locator("img").bounding_box()
    assert picture_box is not None
    assert picture_box["x"] > (await sides("بجانب"))[1]


async def test_a_value_decides_where_an_author_wrote_none(browser: Browser) -> None:
    page = await opened(browser, rendered("hebrew"))
    left, _ = await page.evaluate(SIDES, "WordsWithout")
    assert left == pytest.approx(1280 / 2 - 300 + 32, abs=1)
    assert await page.evaluate("document.documentElement.lang + document.documentElement.dir") == "hertl"
