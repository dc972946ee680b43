"""Every tag of LMX as screenshots: light, dark, forced dark, on a phone, and what Outlook is told.

Run by `make mail-gallery`; the pictures are for eyes, so look at them. Chromium stands in for mail programs.
For "forced" it darkens a page that says nothing about dark mode, as programs do that drop style sheets; for
"outlook" the conditional comments are read, without the style sheets that Word would not follow.
"""

import asyncio
import re
import shutil
import sys
from pathlib import Path

from playwright.async_api import Browser, Route, ViewportSize, async_playwright

from loopwright.server.mail.design import NOTHING, expand
from loopwright.server.mail.icon_names import FOLDER
from loopwright.server.mail.layout import Footer
from loopwright.server.mail.render import fill, prepare
from loopwright.server.mail.template import Values
from loopwright.server.store.messages import Content

HERE = Path(__file__).parent
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
FORCED = "--blink-settings=forceDarkModeEnabled=true"
FOOTER = Footer(company="Acme Ltd", address="1 Square\nLondon", list_name="News")
VALUES = Values(
    contact={"firstName": "Ada", "plan": "pro", "note": "WordsWithoutBlanks" * 8, "size": "600x120"},
    event={"items": [{"name": "Tea", "price": "4.50"}, {"name": "Milk", "price": "1.20"}]},
    system={
        "unsubscribe_link": "https://acme.example/unsubscribe",
        "icons_root": "https://icons.example",
    },
)
DESKTOP, PHONE = ViewportSize(width=760, height=900), ViewportSize(width=390, height=844)


def rendered(name: str) -> str:
    """The page of a sample."""
    content = Content(
        subject=name,
        preview_text="",
        from_name="",
        from_email="",
        reply_to_email="",
        cc_email="",
        bcc_email="",
        language_code={"arabic": "ar", "hebrew": "he"}.get(name, "en"),
        email_format="styled",
        lmx=expand((HERE / f"{name}.lmx").read_text(encoding="utf-8"), NOTHING),
        contact_fallbacks={},
        event_fallbacks={},
        data_fallbacks={},
    )
    return fill(prepare(content, FOOTER), VALUES).html


def as_outlook(html: str) -> str:
    """The page with what only Outlook reads, and without what it does not."""
    html = re.sub(r"<!--\[if !mso\]><!-->.*?<!--<!\[endif\]-->", "", html, flags=re.DOTALL)
    html = re.sub(r"<!--\[if [^\]]*(?:mso|IE)[^\]]*\]>(.*?)<!\[endif\]-->", r"\1", html, flags=re.DOTALL)
    html = re.sub(r"<style.*?</style>", "", html, flags=re.DOTALL)
    return re.sub(r"max-width:\d+px;|border-radius:\d+px;|(?<=height:auto;)width:100%;", "", html)


def without_dark_mode(html: str) -> str:
    """The page as a program shows it that drops what it says about dark mode."""
    html = re.sub(r'<meta name="(?:supported-)?color-schemes?"[^>]*>', "", html)
    return re.sub(r":root \{[^}]*\}|@media \(prefers-color-scheme: dark\).*?(?=</style>)", "", html)


async def picture(route: Route) -> None:
    """An image of the size in its name."""
    width, height = re.findall(r"(\d+)x(\d+)", route.request.url)[0]
    svg = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}">'
        '<rect width="100%" height="100%" fill="#7aa5d8"/>'
        f'<text x="50%" y="55%" text-anchor="middle" font-size="20">{width} x {height}</text></svg>'
    )
    await route.fulfill(body=svg, content_type="image/svg+xml")


async def icon(route: Route) -> None:
    """An icon, as the server gives it."""
    await route.fulfill(path=FOLDER / Path(route.request.url).name)


async def shoot(browser: Browser, html: str, file: Path, *, dark: bool, phone: bool = False) -> None:
    """Write a picture of the whole page."""
    page = await browser.new_page(
        viewport=PHONE if phone else DESKTOP, color_scheme="dark" if dark else "light", is_mobile=phone
    )
    await page.route("https://images.example/*", picture)
    await page.route("https://icons.example/*", icon)
    await page.set_content(html)
    await page.screenshot(path=file, full_page=True)
    await page.close()


async def main(folder: Path) -> None:
    """Write all pictures into the folder."""
    names = sorted(path.stem for path in HERE.glob("*.lmx"))
    path = shutil.which("chromium")
    async with async_playwright() as playwright:
        usual = await playwright.chromium.launch(executable_path=path, args=FLAGS)
        forced = await playwright.chromium.launch(executable_path=path, args=[*FLAGS, FORCED])
        for name in names:
            html = rendered(name)
            await shoot(usual, html, folder / f"{name}-light.png", dark=False)
            await shoot(usual, html, folder / f"{name}-dark.png", dark=True)
            await shoot(usual, html, folder / f"{name}-phone.png", dark=False, phone=True)
            await shoot(usual, as_outlook(html), folder / f"{name}-outlook.png", dark=False)
            await shoot(forced, without_dark_mode(html), folder / f"{name}-forced.png", dark=False)
        await usual.close()
        await forced.close()
    sys.stdout.write(f"{len(names) * 5} pictures are in {folder}\n")


if __name__ == "__main__":
    Path(sys.argv[1]).mkdir(parents=True, exist_ok=True)
    asyncio.run(main(Path(sys.argv[1])))
