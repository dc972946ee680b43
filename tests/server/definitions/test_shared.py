"""Themes, components and images of a folder: named by slug there, ids and addresses in a team."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from loopwright.server.definitions.apply import Manner, apply_definitions
from loopwright.server.definitions.change import Change
from loopwright.server.definitions.mistakes import InvalidDefinitions
from loopwright.server.definitions.parse import parse
from loopwright.server.store.database import Pool
from loopwright.server.store.designs import load_components, load_themes, update_theme
from loopwright.server.store.teams import TeamRow
from support.factories import add_team
from support.workflows import utc_now

PNG = b"\x89PNG\r\n\x1a\n and the rest"
URL = "https://mail.acme.example"
FILES = {
    "themes/brand.toml": 'name = "Brand"\n[styles]\nbackgroundColor = "#112233"\nborderRadius = 8\n',
    "components/footer.toml": 'name = "Footer"\nbody = "footer.lmx"\n',
    "components/footer.lmx": (
        '<Image src="images/logo.png" alt="Acme"/>\n<Paragraph>Bye {data.name}</Paragraph>\n'
    ),
    "transactional/hello.toml": 'name = "Hello"\nsubject = "Hi"\nfrom = "hello"\nbody = "hello.lmx"\n',
    "transactional/hello.lmx": (
        '<Style themeId="brand"/>\n<Image src="images/logo.png"/>\n<Component componentId="footer"/>\n'
    ),
}
IMAGES = {"images/logo.png": PNG}


class Team:
    """A team that folders are applied to."""

    def __init__(self, pool: Pool, team_id: str) -> None:
        self.pool, self.id = pool, team_id
        self.now = utc_now()

    async def apply(
        self, files: dict[str, str], images: dict[str, bytes] = IMAGES, **given: Any
    ) -> list[Change]:
        """Apply a folder, a second later than the last one."""
        self.now += timedelta(seconds=1)
        async with self.pool.acquire() as tx, tx.transaction():
            manner = Manner(public_url=URL, **given)
            return await apply_definitions(tx, self.id, parse(files, images), manner, now=self.now)

    async def lmx(self, *, rendered: bool) -> str:
        """What the email says, or what it is rendered from."""
        found: str = await self.pool.fetchval(
            """
            SELECT shown.lmx FROM transactional_email AS email
              JOIN email_message AS message ON message.id = email.published_message_id
              LEFT JOIN rendition ON rendition.revision_id = message.content_revision_id
              JOIN email_revision AS shown
                ON shown.id = CASE WHEN $2 THEN coalesce(rendition_id, message.content_revision_id)
                                   ELSE message.content_revision_id END
             WHERE email.team_id = $1
            """,
            self.id,
            rendered,
        )
        return found


@pytest.fixture
def mine(pool: Pool, team: TeamRow) -> Team:
    return Team(pool, team.id)


def actions(changes: list[Change]) -> dict[str, str]:
    return {f"{one.kind} {one.slug}": one.action for one in changes}


async def test_a_folder_makes_what_its_emails_share(mine: Team) -> None:
    """Before the emails, which name it by id and address from then on; the second time nothing changes."""
    first = await mine.apply(FILES)
    assert actions(first) == {
        "image images/logo.png": "created",
        "theme brand": "created",
        "component footer": "created",
        "transactional email hello": "created",
    }
    ids = {one.slug: one.id for one in first}
    lmx = await mine.lmx(rendered=False)
    assert f'themeId="{ids["brand"]}"' in lmx
    assert f'componentId="{ids["footer"]}"' in lmx
    assert f'src="{URL}/images/' in lmx
    shown = await mine.lmx(rendered=True)
    assert 'backgroundColor="#112233"' in shown
    assert "Bye {data.name}" in shown
    assert await mine.pool.fetchval("SELECT required_variables FROM transactional_email") == ["name"]
    assert set(actions(await mine.apply(FILES)).values()) == {"unchanged"}


async def test_the_same_folder_applies_to_any_team(mine: Team) -> None:
    """Each has ids of its own, and neither sees the other's."""
    await add_team(mine.pool, "cother")
    other = Team(mine.pool, "cother")
    one, two = await mine.apply(FILES), await other.apply(FILES)
    assert actions(two) == actions(one)
    assert not {one.id for one in one if one.id} & {one.id for one in two if one.id}
    assert {one.id for one in two if one.kind == "theme"}.pop() in await other.lmx(rendered=False)


async def test_a_change_reaches_the_emails_that_have_it(mine: Team) -> None:
    """A theme says all of its styles; what it says no more is gone."""
    await mine.apply(FILES)
    files = FILES | {
        "themes/brand.toml": 'name = "Brand"\n[styles]\nbackgroundColor = "#445566"\n',
        "components/footer.lmx": "<Paragraph>So long {data.name}</Paragraph>",
    }
    changes = await mine.apply(files)
    assert [(one.slug, one.action, one.detail) for one in changes if one.kind in ("theme", "component")] == [
        ("brand", "changed", "emails that have it: 1"),
        ("footer", "changed", "emails that hold it: 1"),
    ]
    shown = await mine.lmx(rendered=True)
    assert 'backgroundColor="#445566"' in shown
    assert "borderRadius" not in shown
    assert "So long" in shown


async def test_what_others_changed_is_drift(mine: Team) -> None:
    """Nothing is written over without `overwrite`."""
    changes = await mine.apply(FILES)
    theme_id = next(one.id for one in changes if one.kind == "theme")
    async with mine.pool.acquire() as tx:
        theme = next(one for one in await load_themes(tx, mine.id, [theme_id]) if one.id == theme_id)
        await update_theme(tx, mine.id, replace(theme, styles={"backgroundColor": "#abcdef"}))
    with pytest.raises(InvalidDefinitions, match=r"themes/brand.toml:1: this theme was changed elsewhere"):
        await mine.apply(FILES)
    assert actions(await mine.apply(FILES, overwrite=True))["theme brand"] == "changed"


async def test_a_component_that_an_email_cannot_bear_is_refused(mine: Team) -> None:
    """With its file, and nothing is changed."""
    changes = await mine.apply(FILES)
    component_id = next(one.id for one in changes if one.kind == "component")
    broken = FILES | {"components/footer.lmx": "<Paragraph>{contact.firstName}</Paragraph>"}
    only = {name: text for name, text in broken.items() if not name.startswith("transactional/")}
    with pytest.raises(InvalidDefinitions, match=r"components/footer.toml:1: .*contact"):
        await mine.apply(only)
    async with mine.pool.acquire() as tx:
        (component,) = await load_components(tx, mine.id, [component_id])
    assert "Bye" in component.lmx
