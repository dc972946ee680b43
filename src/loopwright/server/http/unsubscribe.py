"""GET and POST /unsubscribe/{token}: the links in marketing email, for people and mail programs (RFC 8058).

Looking at the page changes nothing, as mail programs and virus scanners follow links. Leaving is a POST, by
the page's button or the mail program's own. Whoever holds a genuine token may do both; others learn nothing.
"""

from collections.abc import Awaitable, Callable, Sequence
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import BaseRoute, Route

from loopwright.server.mail.links import is_genuine, read_token
from loopwright.server.refusal import NotFound, Unavailable
from loopwright.server.store.database import Pool
from loopwright.server.store.emails import SubscriptionRow, load_subscription

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}

STYLE = """
:root { color-scheme: light dark; --ink: #1c2026; --soft: #5f6773; --page: #f3f4f6; --card: #fff;
  --key: #15181d; --on-key: #fff; --line: #e3e6ea }
@media (prefers-color-scheme: dark) { :root { --ink: #eceef1; --soft: #a3abb8; --page: #101317;
  --card: #1a1e24; --key: #eceef1; --on-key: #15181d; --line: #2b313a } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px;
  background: var(--page); color: var(--ink);
  font: 16px/1.55 -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, Arial, sans-serif }
main { width: 100%; max-width: 440px; padding: 36px 32px; background: var(--card);
  border: 1px solid var(--line); border-radius: 14px; text-align: center }
h1 { margin: 0 0 12px; font-size: 22px; line-height: 1.3 }
p { margin: 0 0 24px; color: var(--soft); overflow-wrap: anywhere }
p:last-child { margin: 0 }
strong { color: var(--ink); font-weight: 600 }
button { width: 100%; padding: 13px 22px; border: 0; border-radius: 8px; background: var(--key);
  color: var(--on-key); font: inherit; font-weight: 600; cursor: pointer }
button:focus-visible { outline: 3px solid #6aa1ff; outline-offset: 2px }
small { display: block; margin-top: 16px; color: var(--soft) }
"""

Unsubscribe = Callable[[str, str, str | None], Awaitable[None]]


def routes(pool: Pool, unsubscribe: Unsubscribe) -> Sequence[BaseRoute]:
    """The page and its button. `unsubscribe` takes a contact off a list (team, contact, list), or, without a
    list, out of the audience; it may be called again for a contact that has left already."""

    async def show(request: Request) -> Response:
        subscription = await _subscription(pool, request)
        return _question(subscription) if subscription else _unknown()

    async def leave(request: Request) -> Response:
        subscription = await _subscription(pool, request)
        if subscription is None:
            return _unknown()
        if subscription.contact_id:
            try:
                await unsubscribe(subscription.team_id, subscription.contact_id, subscription.mailing_list_id)
            except NotFound:
                pass  # a deleted contact gets no marketing either
            except Unavailable:
                return _try_again()
        return _farewell(subscription)

    return [
        Route("/unsubscribe/{token}", show, methods=["GET"]),
        Route("/unsubscribe/{token}", leave, methods=["POST"]),
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
    return _page(title, f"<h1>{title}</h1><p>{text}</p>{form}<small>{note}</small>")


def _farewell(subscription: SubscriptionRow) -> Response:
    left = f"“{_list(subscription)}”" if subscription.mailing_list_id else escape(subscription.sender)
    who = f"<strong>{escape(subscription.to_email)}</strong>"
    text = f"{who} will no longer get marketing email from {left}. You can close this page."
    return _page("You are unsubscribed", f"<h1>You are unsubscribed</h1><p>{text}</p>")


def _unknown() -> Response:
    text = "It may have been cut off. Open the link in the email once more, or answer the email."
    title = "This link does not work"
    return _page(title, f"<h1>{title}</h1><p>{text}</p>", status=404)


def _try_again() -> Response:
    title = "Please try again in a moment"
    text = "Your wish could not be recorded just now. You are still subscribed."
    return _page(title, f"<h1>{title}</h1><p>{text}</p>", status=503)


def _list(subscription: SubscriptionRow) -> str:
    return escape(subscription.list_name or "this mailing list")


def _page(title: str, body: str, *, status: int = 200) -> Response:
    """A page of its own; `title` and `body` are HTML."""
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>",
        status_code=status,
        headers=HEADERS,
    )
