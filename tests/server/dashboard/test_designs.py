"""The pages of themes and components."""

import re
from datetime import timedelta

import httpx2
import pytest

from support.content import write_message
from support.dashboard_site import Site, words

EVIL = "<script>alert(1)</script>\"'&<img src=x onerror=alert(2)>"


async def write(site: Site, table: str, name: str, **columns: object) -> str:
    now = site.clock.now()
    return await site.rows.add(table, at=now, name=name, created_at=now, updated_at=now, **columns)


async def theme(site: Site, name: str, **styles: str | float) -> str:
    return await write(site, "theme", name, styles=styles, is_default=False)


async def component(site: Site, name: str, lmx: str) -> str:
    return await write(site, "component", name, lmx=lmx)


async def default_theme(site: Site) -> str:
    found: str = await site.rows.pool.fetchval(
        "SELECT id FROM theme WHERE team_id = $1 AND is_default", site.rows.team_id
    )
    return found


async def test_a_theme_shows_its_styles_in_an_email(site: Site, operator: httpx2.AsyncClient) -> None:
    """Colours as swatches, the rest as text, and an email that has them; what is not set is left out."""
    one = await theme(
        site, "Autumn", textBaseColor="#3a2c12", textBaseFontSize=17, heading1Color="", bodyColor="#fff8ec"
    )
    assert "Autumn" in words((await operator.get("/themes")).text)
    page = (await operator.get(f"/themes/{one}")).text
    text = words(page)
    assert "Colors bodyColor #fff8ec textBaseColor #3a2c12 Letters and spaces textBaseFontSize 17" in text
    assert re.findall(r'fill="(#[^"]*)"', page) == ["#fff8ec", "#3a2c12"]
    assert f'<iframe src="/themes/{one}/html"' in page
    html = await operator.get(f"/themes/{one}/html")
    assert "#3a2c12" in html.text
    assert html.headers["content-security-policy"].startswith("sandbox ")


async def test_a_theme_counts_the_emails_that_have_it(site: Site, operator: httpx2.AsyncClient) -> None:
    """Those that name it; those that name none have the default one."""
    pool, team = site.rows.pool, site.rows.team_id
    one, default = await theme(site, "Autumn"), await default_theme(site)
    for lmx in (f'<Style themeId="{one}" />', f"<Paragraph>{one}</Paragraph>", "<H1>Hello</H1>"):
        await write_message(pool, team, lmx=lmx)
    assert "Used by 1 email Id" in words((await operator.get(f"/themes/{one}")).text)
    text = words((await operator.get(f"/themes/{default}")).text)
    assert "default Used by 2 emails Id" in text
    assert words((await operator.get("/themes")).text).count("default") == 1


@pytest.mark.parametrize("variable", ["data.name", "contact.firstName", "event.plan"])
async def test_a_component_is_shown_alone(site: Site, operator: httpx2.AsyncClient, variable: str) -> None:
    """With the variables of whichever emails can have it, and how many do."""
    one = await component(site, "Signature", f"<Paragraph>Until soon, {{{variable}}}!</Paragraph>")
    pool, team = site.rows.pool, site.rows.team_id
    await write_message(pool, team, lmx=f'<Component componentId="{one}" />')
    await write_message(pool, team, lmx=f"<Paragraph>{one}</Paragraph>")
    assert "Signature" in words((await operator.get("/components")).text)
    page = (await operator.get(f"/components/{one}")).text
    assert "Used by 1 email Id" in words(page)
    assert f"Until soon, {{{variable}}}!" in page
    name = variable.partition(".")[2]
    assert f"Until soon, [{name}]!" in (await operator.get(f"/components/{one}/html")).text


async def test_lists_go_on(site: Site, operator: httpx2.AsyncClient) -> None:
    """Page by page every one is seen once, newest first; without any the page says so."""
    assert "No component yet" in (await operator.get("/components")).text
    names = [f"Number {number}." for number in range(51)]
    for name in names:
        site.clock.advance(timedelta(seconds=1))
        await theme(site, name)
        await component(site, name, "<Divider />")
    for path in ("/themes", "/components"):
        first = (await operator.get(path)).text
        [older] = re.findall(rf'href="({path}\?before=[^"]*)"', first)
        second = (await operator.get(older)).text
        assert re.findall(r"Number \d+\.", first) + re.findall(r"Number \d+\.", second) == names[::-1]


async def test_everything_is_escaped(site: Site, operator: httpx2.AsyncClient) -> None:
    """Names, styles and bodies are shown, not run."""
    ids = {
        "themes": await theme(site, EVIL, bodyColor=EVIL, bodyFontFamily=EVIL),
        "components": await component(site, EVIL, "<Paragraph>&lt;img src=x onerror=1&gt;</Paragraph>"),
    }
    for family, one in ids.items():
        for path in (f"/{family}", f"/{family}/{one}"):
            page = (await operator.get(path)).text
            assert "<script>alert" not in page, path
            assert "<img src=x" not in page, path
    assert (await operator.get(f"/themes/{ids['themes']}/html")).status_code == 404
    assert "<img src=x" not in (await operator.get(f"/components/{ids['components']}/html")).text
