"""Themes and components: what emails share, how it renders, and how many emails use it."""

import asyncio

from msgspec.structs import replace
from starlette.responses import HTMLResponse, Response

from loopwright.server.content.designs import as_attributes, load_design
from loopwright.server.content.sample import Sample, sample
from loopwright.server.dashboard import answers
from loopwright.server.dashboard.pages.content import (
    ComponentPage,
    ComponentsPage,
    DesignLine,
    ThemePage,
    ThemesPage,
)
from loopwright.server.dashboard.requests import LINES, NothingHere, Visit, cut
from loopwright.server.mail.design import Design, has_component, has_theme
from loopwright.server.mail.links import icons_root
from loopwright.server.mail.parsed_email import framed
from loopwright.server.store.designs import (
    ComponentRow,
    ThemeRow,
    load_component_page,
    load_components,
    load_theme_page,
    load_themes,
)
from loopwright.server.store.messages import EMPTY, load_component_users, load_theme_users

SHOWING_A_THEME = """<H1>A heading</H1>
<Paragraph>Some <Strong>bold words</Strong> and <Link href="https://example.com">a link</Link></Paragraph>
<Button href="https://example.com">A button</Button>
<Divider />
<H2>A smaller heading</H2>
<Quote>A quotation</Quote>
<H3>The smallest heading</H3>
<UnorderedList><ListItem>One thing</ListItem><ListItem>Another thing</ListItem></UnorderedList>"""


async def show_themes(visit: Visit) -> Response:
    """GET /themes."""
    found = await load_theme_page(visit.tx, visit.team_id, before=visit.cursor, limit=LINES + 1)
    themes, older = cut(found, lambda theme: theme.id)
    return answers.page(
        ThemesPage(
            frame=visit.frame("Themes", "content"),
            lines=[DesignLine(one.id, one.name, one.updated_at, is_default=one.is_default) for one in themes],
            turn=visit.turn(older),
        )
    )


async def show_theme(visit: Visit) -> Response:
    """GET /themes/{theme_id}."""
    theme = await _theme(visit)
    found = await load_theme_users(visit.tx, visit.team_id, theme.id, is_default=theme.is_default)
    bodies = [one.content.lmx for one in found]
    styles = {name: value for name, value in sorted(as_attributes(theme.styles).items()) if value}
    return answers.page(
        ThemePage(
            frame=visit.frame(theme.name, "content"),
            theme=theme,
            colors={name: value for name, value in styles.items() if name.endswith("Color")},
            measures={name: value for name, value in styles.items() if not name.endswith("Color")},
            users=await asyncio.to_thread(
                lambda: sum(has_theme(lmx, theme.id, is_default=theme.is_default) for lmx in bodies)
            ),
        )
    )


async def show_theme_html(visit: Visit) -> Response:
    """GET /themes/{theme_id}/html: an email that has the theme, for the sandboxed frame."""
    design = Design(default=as_attributes((await _theme(visit)).styles))
    return _framed(await asyncio.to_thread(_sample, SHOWING_A_THEME, design, icons_root(visit.public_url)))


async def show_components(visit: Visit) -> Response:
    """GET /components."""
    found = await load_component_page(visit.tx, visit.team_id, before=visit.cursor, limit=LINES + 1)
    components, older = cut(found, lambda component: component.id)
    return answers.page(
        ComponentsPage(
            frame=visit.frame("Components", "content"),
            lines=[DesignLine(one.id, one.name, one.updated_at, is_default=False) for one in components],
            turn=visit.turn(older),
        )
    )


async def show_component(visit: Visit) -> Response:
    """GET /components/{component_id}."""
    component = await _component(visit)
    found = await load_component_users(visit.tx, visit.team_id, component.id)
    bodies = [one.revision.content.lmx for one in found]
    return answers.page(
        ComponentPage(
            frame=visit.frame(component.name, "content"),
            component=component,
            users=await asyncio.to_thread(lambda: sum(has_component(lmx, component.id) for lmx in bodies)),
        )
    )


async def show_component_html(visit: Visit) -> Response:
    """GET /components/{component_id}/html: an email that is the component alone, for the sandboxed frame."""
    component = await _component(visit)
    design = await load_design(visit.tx, visit.team_id, [component.lmx])
    return _framed(await asyncio.to_thread(_sample, component.lmx, design, icons_root(visit.public_url)))


def _sample(lmx: str, design: Design, icons: str) -> Sample:
    """An email of that body alone, of the kind that can have its variables; its icons are below `icons`."""
    content = replace(EMPTY, lmx=lmx)
    shown = sample(content, design, "transactional", icons)
    return shown if shown.rendered else sample(content, design, "marketing", icons)


def _framed(shown: Sample) -> Response:
    if shown.rendered is None:
        raise NothingHere
    return HTMLResponse(framed(shown.rendered.html), headers=answers.EMAIL_HEADERS)


async def _theme(visit: Visit) -> ThemeRow:
    wanted = visit.path_id("theme_id")
    for theme in await load_themes(visit.tx, visit.team_id, [wanted]):
        if theme.id == wanted:
            return theme
    raise NothingHere


async def _component(visit: Visit) -> ComponentRow:
    for component in await load_components(visit.tx, visit.team_id, [visit.path_id("component_id")]):
        return component
    raise NothingHere
