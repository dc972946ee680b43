"""Themes and components: read for content that names them, and changed for all emails that use them.

A change makes a rendition of each email it reaches, in the transaction of the change. Emails that were
accepted before keep the one they named. Whoever writes content holds the team's design until the content is
written, and whoever changes the design has it alone, so no rendition is of a version that is gone.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime

from msgspec.json import encode
from msgspec.structs import replace

from loopwright.ids import new_id
from loopwright.server.mail import design as shared
from loopwright.server.mail.design import Design, SharedComponent
from loopwright.server.mail.lmx import check
from loopwright.server.mail.style import DEFAULTS
from loopwright.server.mail.tags import STYLE
from loopwright.server.mail.variables import ALLOWED, EmailKind, Variable
from loopwright.server.refusal import BadRequest, NotFound, Unprocessable
from loopwright.server.store import designs, messages, transactional
from loopwright.server.store.database import Connection
from loopwright.server.store.designs import ComponentRow, Styles, ThemeRow
from loopwright.server.store.messages import RevisionRow, UserRow
from loopwright.wire.failures import COMPONENT_NOT_FOUND, COMPONENT_UNSUPPORTED, THEME_NOT_FOUND
from loopwright.wire.misfits import shown

from .message import check_message, component_problems, misplaced, required_variables

NO_STYLE: Mapping[str, str] = {}


async def load_design(tx: Connection, team_id: str, texts: Iterable[str]) -> Design:
    """What the team has of the themes and components that these pieces of LMX name, and its default theme."""
    # Of thousands of emails this takes a while, in which the others go on.
    wanted = await asyncio.to_thread(_named, list(texts))
    themes = await designs.load_themes(tx, team_id, {one for names in wanted for one in names.themes})
    components = {one for names in wanted for one in names.components}
    rows: Sequence[ComponentRow] = []
    if components:
        rows = await designs.load_components(tx, team_id, components)
    return Design(
        themes={one.id: as_attributes(one.styles) for one in themes},
        components={one.id: SharedComponent(one.name, one.lmx) for one in rows},
        default=next((as_attributes(one.styles) for one in themes if one.is_default), NO_STYLE),
    )


async def render_anew(
    tx: Connection, revisions: Sequence[RevisionRow], design: Design, *, now: datetime
) -> None:
    """Make the renditions of these revisions as they are with the design."""
    renditions = await asyncio.to_thread(_renditions, revisions, design, now)
    without = [one.id for one in revisions if one.id not in renditions]
    await messages.write_renditions(tx, renditions, without=without)


def as_attributes(styles: Styles) -> dict[str, str]:
    """A theme's styles as a Style has them."""
    return {name: f"{value:g}" if isinstance(value, int | float) else value for name, value in styles.items()}


def check_styles(styles: Mapping[str, str | float]) -> None:
    """Raises `BadRequest` that names every key that no theme has, and every value that a key cannot have."""
    problems = style_problems(styles)
    if problems:
        told = [f"styles.{name} {problem}" for name, problem in problems.items()]
        raise BadRequest("; ".join(told), code="styles_invalid", path="styles")


def style_problems(styles: Styles) -> dict[str, str]:
    """What is wrong with a theme's styles, by their names; each ends a sentence that begins with the name."""
    problems: dict[str, str] = {}
    for name, value in as_attributes(styles).items():
        if name not in STYLE:
            problems[name] = f"is no style; the styles are {', '.join(STYLE)}"
        elif (is_text := isinstance(DEFAULTS[name], str)) != isinstance(styles[name], str):
            wanted = "text" if is_text else "a number, without quotes"
            problems[name] = f"must be {wanted} (got {encode(styles[name]).decode()})"
        elif mistake := STYLE[name].mistake(value):
            problems[name] = f"{mistake} (got {shown(value)})"
    return problems


async def change_theme(
    tx: Connection, team_id: str, theme_id: str, name: str | None, styles: Styles, *, now: datetime
) -> tuple[ThemeRow, int]:
    """Give a theme another name, or lay `styles` over its own; answers how many emails the change reaches.

    An email's own value that equals the theme's new one goes: the email follows the theme again. Raises
    `NotFound`, and `BadRequest` for styles that cannot be.
    """
    check_styles(styles)
    await designs.lock_design_alone(tx, team_id)
    theme = await designs.lock_theme(tx, team_id, theme_id)
    if theme is None:
        raise NotFound(THEME_NOT_FOUND, code="theme_not_found")
    changed = replace(theme, name=name or theme.name, styles={**theme.styles, **styles}, updated_at=now)
    return changed, await write_theme(tx, team_id, theme, changed, now=now)


async def write_theme(
    tx: Connection, team_id: str, theme: ThemeRow, changed: ThemeRow, *, now: datetime
) -> int:
    """Write a theme that is locked, with the design, by what it is to become; answers for how many emails."""
    await designs.update_theme(tx, team_id, changed)
    if changed.styles == theme.styles:
        return 0
    found = await messages.load_theme_users(tx, team_id, theme.id, is_default=theme.is_default)
    rewritten = await asyncio.to_thread(_rewritten, found, changed, now)
    stored = {one.id for one in found}
    await messages.write_revisions(tx, [one for one in rewritten if one.id not in stored])
    design = await load_design(tx, team_id, [one.content.lmx for one in rewritten])
    await render_anew(tx, rewritten, design, now=now)
    return len(rewritten)


async def create_component(tx: Connection, team_id: str, component: ComponentRow) -> None:
    """Add a component. Raises `Unprocessable` with every mistake of its body."""
    _check_body(component.lmx)
    await designs.insert_component(tx, team_id, component)


async def change_component(
    tx: Connection, team_id: str, component_id: str, name: str | None, lmx: str | None, *, now: datetime
) -> tuple[ComponentRow, int]:
    """Give a component another name or body; answers how many emails the change reaches.

    Raises `NotFound`, and `Unprocessable` when the body is wrong, or would break an email that uses it.
    """
    if lmx is not None:
        _check_body(lmx)
    await designs.lock_design_alone(tx, team_id)
    component = await designs.lock_component(tx, team_id, component_id)
    if component is None:
        raise NotFound(COMPONENT_NOT_FOUND, code="component_not_found")
    body = component.lmx if lmx is None else lmx
    changed = replace(component, name=name or component.name, lmx=body, updated_at=now)
    await designs.update_component(tx, team_id, changed)
    if changed.lmx == component.lmx:
        return changed, 0
    found = await messages.load_component_users(tx, team_id, component_id)
    users = [one for one in found if shared.has_component(one.revision.content.lmx, component_id)]
    _refuse_unusable(changed, users)
    design = await load_design(tx, team_id, [one.revision.content.lmx for one in users])
    _refuse_misplaced(users, design)
    await _keep_variables(tx, team_id, users, design, now=now)
    await render_anew(tx, [one.revision for one in users], design, now=now)
    return changed, len(users)


def _check_body(lmx: str) -> None:
    problems = component_problems(lmx)
    if problems:
        raise Unprocessable("; ".join(f"lmx, {one}" for one in problems), code="component_invalid")


def _refuse_unusable(component: ComponentRow, users: Sequence[UserRow]) -> None:
    """Raises `Unprocessable` with the variables that an email which uses the component cannot have."""
    used = _variables(component.lmx)
    kinds: set[tuple[EmailKind, bool]] = {(one.kind, one.is_of_no_event) for one in users}
    for kind, is_of_no_event in kinds:
        allowed = [one for one in ALLOWED[kind] if one != "event" or not is_of_no_event]
        wrong = sorted(one for one in used if one.kind not in allowed)
        if wrong:
            raise Unprocessable(
                COMPONENT_UNSUPPORTED.format(kinds=_KIND_NAMES[wrong[0].kind]),
                code="component_unsupported",
                details=[f"{one.kind}.{one.name}" for one in wrong],
            )


def _refuse_misplaced(users: Sequence[UserRow], design: Design) -> None:
    """Raises `Unprocessable` when an email cannot hold a component's new blocks where it stands."""
    problems = [told for one in users for told in misplaced(one.revision.content.lmx, one.kind, design)]
    if problems:
        raise Unprocessable(
            f"an email that uses the component cannot hold it; {problems[0]}", code="component_misplaced"
        )


_KIND_NAMES = {
    "contact": "contact properties",
    "event": "event properties",
    "data": "data variables",
    "system": "system variables",
}


def _variables(lmx: str) -> Collection[Variable]:
    kinds: tuple[EmailKind, ...] = ("marketing", "transactional")
    return {one for kind in kinds for one in check(lmx, kind=kind).variables}


async def _keep_variables(
    tx: Connection, team_id: str, users: Sequence[UserRow], design: Design, *, now: datetime
) -> None:
    """Write what published emails ask for now. Raises `Unprocessable` for one that would ask for more."""
    for one in users:
        if one.transactional_id is None:
            continue
        email = await transactional.lock_transactional(tx, team_id, one.transactional_id)
        assert email is not None
        content = one.revision.content
        names = check_message(content, "transactional", design).data_variables
        required = required_variables(names, content)
        if extra := sorted(set(required) - set(email.required_variables)):
            raise Unprocessable(
                f"the published transactional email {email.name} would ask for {', '.join(extra)}, which its "
                "sends do not give; leave them out, or give that email a fallback first",
                code="component_asks_for_more",
                details=[f"data.{name}" for name in extra],
            )
        await transactional.set_variables(
            tx, team_id, one.transactional_id, data_variables=names, required_variables=required, now=now
        )


def _named(texts: Sequence[str]) -> list[shared.Named]:
    return [shared.named(text) for text in texts]


def _renditions(revisions: Sequence[RevisionRow], design: Design, now: datetime) -> dict[str, RevisionRow]:
    """The renditions of those revisions that the design changes, by the revision's id."""
    found: dict[str, RevisionRow] = {}
    for one in revisions:
        lmx = shared.expand(one.content.lmx, design)
        if lmx != one.content.lmx:
            content = replace(one.content, lmx=lmx)
            found[one.id] = replace(one, id=new_id(now), created_at=now, content=content)
    return found


def _rewritten(revisions: Sequence[RevisionRow], theme: ThemeRow, now: datetime) -> list[RevisionRow]:
    """Those revisions that have the theme, with a new one in place of each whose LMX changes."""
    found: list[RevisionRow] = []
    attributes = as_attributes(theme.styles)
    for one in revisions:
        if not shared.has_theme(one.content.lmx, theme.id, is_default=theme.is_default):
            continue
        lmx = shared.follow(one.content.lmx, theme.id, attributes)
        if lmx == one.content.lmx:
            found.append(one)
        else:
            content = replace(one.content, lmx=lmx)
            found.append(replace(one, id=new_id(now), content=content, created_at=now))
    return found
