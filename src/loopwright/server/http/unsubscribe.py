"""GET and POST /unsubscribe/{token}: the links in marketing email, for people and mail programs (RFC 8058).

Looking at the page changes nothing, as mail programs and virus scanners follow links. Leaving is a POST, by
the page's button or the mail program's own. Whoever holds a genuine token may do both; others learn nothing.
"""

from collections.abc import Awaitable, Callable, Sequence
from html import escape

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from loopwright.server.mail.links import is_genuine, read_token
from loopwright.server.refusal import NotFound, Unavailable
from loopwright.server.store.database import Pool
from loopwright.server.store.emails import SubscriptionRow, load_subscription

from .page import page, patient, try_again, unknown_link

Unsubscribe = Callable[[str, str, str | None], Awaitable[None]]


def routes(pool: Pool, unsubscribe: Unsubscribe) -> Sequence[BaseRoute]:
    """The page and its button. `unsubscribe` takes a contact off a list (team, contact, list), or, without a
    list, out of the audience; it may be called again for a contact that has left already."""

    async def show(request: Request) -> Response:
        subscription = await _subscription(pool, request)
        return _question(subscription) if subscription else unknown_link()

    async def leave(request: Request) -> Response:
        subscription = await _subscription(pool, request)
        if subscription is None:
            return unknown_link()
        if subscription.contact_id:
            try:
                await unsubscribe(subscription.team_id, subscription.contact_id, subscription.mailing_list_id)
            except NotFound:
                pass  # a deleted contact gets no marketing either
            except Unavailable:
                return try_again("You are still subscribed.")
        return _farewell(subscription)

    return [
        Route("/unsubscribe/{token}", patient(show), methods=["GET"]),
        Route("/unsubscribe/{token}", patient(leave), methods=["POST"]),
    ]


async def _subscription(pool: Pool, request: Request) -> SubscriptionRow | None:
    """What the request's token opens, once its signature is verified."""
    ticket = read_token(request.path_params["token"])
    if ticket is None:
        return None
    async with pool.acquire() as tx:
        found = await load_subscription(tx, ticket.team_id, ticket.email_id)
    if found is None or not is_genuine(ticket, found.secret, mailing_list_id=found.mailing_list_id):
        return None
    return found


def _question(subscription: SubscriptionRow) -> Response:
    who = f"<strong>{escape(subscription.to_email)}</strong>"
    if subscription.mailing_list_id:
        title, button = f"Leave “{_list(subscription)}”?", "Leave this list"
        text = f"{who} will no longer get emails that {escape(subscription.sender)} sends to this list."
    else:
        title, button = f"Unsubscribe from {escape(subscription.sender)}?", "Unsubscribe"
        text = f"{who} will no longer get newsletters and other marketing email."
    note = "Emails about your account, such as receipts, still reach you."
    form = f'<form method="post"><button>{button}</button></form>'
    return page(title, f"<h1>{title}</h1><p>{text}</p>{form}<small>{note}</small>")


def _farewell(subscription: SubscriptionRow) -> Response:
    left = f"“{_list(subscription)}”" if subscription.mailing_list_id else escape(subscription.sender)
    who = f"<strong>{escape(subscription.to_email)}</strong>"
    text = f"{who} will no longer get marketing email from {left}. You can close this page."
    return page("You are unsubscribed", f"<h1>You are unsubscribed</h1><p>{text}</p>")


def _list(subscription: SubscriptionRow) -> str:
    return escape(subscription.list_name or "this mailing list")
