"""GET and POST /opt-in/{token}: the link by which a form's contact confirms or declines.

Looking changes nothing, as mail programs and virus scanners follow links; the answer is one of two buttons.
"""

from collections.abc import Sequence
from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from loopwright.server.ingest.batch import Ingest
from loopwright.server.ingest.command import AnswerOptIn
from loopwright.server.mail.links import is_genuine_opt_in
from loopwright.server.refusal import NotFound
from loopwright.server.store.contacts import ContactRow, load_contact
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow, load_team

from .page import page, patient, read_form, unknown_link

PATH = "/opt-in/{token}"
FORM_BYTES = 100


def routes(pool: Pool, ingest: Ingest) -> Sequence[BaseRoute]:
    """The page and its buttons."""

    async def show(request: Request) -> Response:
        found = await _found(pool, request.path_params["token"])
        if found is None:
            return unknown_link()
        team, contact = found
        return _confirmed(team, contact) if _has_confirmed(contact) else _question(team, contact)

    async def decide(request: Request) -> Response:
        found = await _found(pool, request.path_params["token"])
        if found is None:
            return unknown_link()
        team, contact = found
        if _has_confirmed(contact):
            return _confirmed(team, contact)
        choice = (await read_form(request, FORM_BYTES)).get("choice", [""])[-1]
        if choice not in ("confirm", "decline"):
            return _question(team, contact)
        accepted = choice == "confirm"
        try:
            await ingest.submit(AnswerOptIn(team_id=team.id, contact_id=contact.id, accepted=accepted))
        except NotFound:
            return unknown_link()
        return _confirmed(team, contact) if accepted else _declined(team, contact)

    return [Route(PATH, patient(show), methods=["GET"]), Route(PATH, patient(decide), methods=["POST"])]


async def _found(pool: Pool, token: str) -> tuple[TeamRow, ContactRow] | None:
    """Whom the link was made for; None when it was not made by us, or the contact is gone."""
    pieces = token.split(".")
    if len(pieces) != 3 or not token.isascii() or not token.isprintable():
        return None
    team_id, contact_id, signature = pieces
    async with pool.acquire() as tx:
        try:
            team = await load_team(tx, team_id)
        except LookupError:
            return None
        if not is_genuine_opt_in(team.secret, team_id=team.id, contact_id=contact_id, signature=signature):
            return None
        contact = await load_contact(tx, team.id, contact_id)
    return (team, contact) if contact and contact.opt_in_status else None


def _has_confirmed(contact: ContactRow) -> bool:
    return contact.opt_in_status == "accepted"


def _question(team: TeamRow, contact: ContactRow) -> Response:
    title = f"Do you want email from {_sender(team)}?"
    text = f"Somebody, most likely you, entered <strong>{escape(contact.email)}</strong> on our web page."
    buttons = (
        '<button name="choice" value="confirm">Yes, I do</button>'
        '<button name="choice" value="decline" class="quiet">No, do not write to me</button>'
    )
    return page(title, f'<h1>{title}</h1><p>{text}</p><form method="post">{buttons}</form>')


def _confirmed(team: TeamRow, contact: ContactRow) -> Response:
    title = "Thank you, you are subscribed"
    text = (
        f"<strong>{escape(contact.email)}</strong> gets email from {_sender(team)} from now on. "
        "Every one of them has a link to unsubscribe."
    )
    return page(title, f"<h1>{title}</h1><p>{text}</p>")


def _declined(team: TeamRow, contact: ContactRow) -> Response:
    title = "We will not write to you"
    text = (
        f"<strong>{escape(contact.email)}</strong> gets no newsletters from {_sender(team)}, and is not "
        "asked again, whoever enters it on our web page. You can close this page. "
        "Should you think again, the link in our email still works."
    )
    return page(title, f"<h1>{title}</h1><p>{text}</p>")


def _sender(team: TeamRow) -> str:
    return escape(team.company or team.name)
