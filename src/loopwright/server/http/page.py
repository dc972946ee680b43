"""Pages for the people that email reaches: one card, no scripts, nothing fetched from elsewhere."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from loopwright.server.store.database import AWAY

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
button.quiet { margin-top: 12px; background: none; color: var(--soft); border: 1px solid var(--line) }
button:focus-visible { outline: 3px solid #6aa1ff; outline-offset: 2px }
small { display: block; margin-top: 16px; color: var(--soft) }
"""


def page(title: str, body: str, *, status: int = 200) -> Response:
    """A page of its own; `title` and `body` are HTML."""
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{STYLE}</style></head><body><main>{body}</main></body></html>",
        status_code=status,
        headers=HEADERS,
    )


def unknown_link() -> Response:
    """The answer to a link that nobody signed, or that leads to what is gone."""
    text = "It may have been cut off. Open the link in the email once more, or answer the email."
    title = "This link does not work"
    return page(title, f"<h1>{title}</h1><p>{text}</p>", status=404)


Answering: TypeAlias = Callable[[Request], Awaitable[Response]]


def patient(answering: Answering) -> Answering:
    """`answering`, which asks people for patience while the database is away."""

    async def answer(request: Request) -> Response:
        try:
            return await answering(request)
        except AWAY:
            return try_again("Nothing has changed.")

    return answer


def try_again(meanwhile: str) -> Response:
    """The answer when a wish could not be recorded; `meanwhile` says how things stand."""
    title = "Please try again in a moment"
    text = f"Your wish could not be recorded just now. {meanwhile}"
    return page(title, f"<h1>{title}</h1><p>{text}</p>", status=503)
