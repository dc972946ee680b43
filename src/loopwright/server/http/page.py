"""Pages for the people that email reaches: one card, no scripts, nothing fetched from elsewhere."""

from collections.abc import Awaitable, Callable
from typing import TypeAlias
from urllib.parse import parse_qs

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from loopwright.server.refusal import TooLarge, Unavailable
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
  --key: #15181d; --on-key: #fff; --line: #e3e6ea; --off: #8a929e; --on: #167a45; --said: #e8f5ee }
@media (prefers-color-scheme: dark) { :root { --ink: #eceef1; --soft: #a3abb8; --page: #101317;
  --card: #1a1e24; --key: #eceef1; --on-key: #15181d; --line: #2b313a; --off: #79828f; --on: #2f9e68;
  --said: #16301f } }
* { box-sizing: border-box }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; padding: 24px;
  background: var(--page); color: var(--ink);
  font: 16px/1.55 -apple-system, BlinkMacSystemFont, "Segoe UI", Roboto, Arial, sans-serif }
main { width: 100%; max-width: 440px; padding: 36px 32px; background: var(--card);
  border: 1px solid var(--line); border-radius: 14px; text-align: center }
@media (max-width: 480px) { body { padding: 16px } main { padding: 28px 20px } }
h1, p, small { text-wrap: balance }
h1 { margin: 0 0 12px; font-size: 22px; line-height: 1.3 }
p { margin: 0 0 24px; color: var(--soft); overflow-wrap: anywhere }
p:last-child { margin: 0 }
strong { color: var(--ink); font-weight: 600 }
button { width: 100%; padding: 13px 8px; border: 0; border-radius: 8px; background: var(--key);
  color: var(--on-key); font: inherit; font-weight: 600; cursor: pointer }
button.second, button.quiet { background: none; color: var(--ink); border: 1px solid var(--line) }
button.quiet { margin-top: 12px; color: var(--soft) }
:focus-visible { outline: 3px solid #6aa1ff; outline-offset: 2px }
small { display: block; margin-top: 16px; color: var(--soft) }
a { color: inherit }
hr { margin: 28px 0 24px; border: 0; border-top: 1px solid var(--line) }
.notice { margin: 0 0 20px; padding: 10px; border-radius: 8px; background: var(--said); color: var(--ink) }
fieldset { margin: 0 0 20px; padding: 0; border: 0; text-align: left }
legend { padding: 0 0 10px; font-weight: 600 }
label { display: flex; align-items: center; justify-content: space-between; gap: 16px; min-height: 56px;
  padding: 12px 0; border-top: 1px solid var(--line); overflow-wrap: anywhere; cursor: pointer }
label small { margin: 0; font-size: 14px; line-height: 1.4 }
[type=checkbox] { appearance: none; position: relative; flex: none; width: 44px; height: 26px; margin: 0;
  border-radius: 13px; background: var(--off); cursor: pointer; transition: background .15s }
[type=checkbox]::after { content: ""; position: absolute; top: 3px; left: 3px; width: 20px; height: 20px;
  border-radius: 50%; background: #fff; transition: left .15s }
[type=checkbox]:checked { background: var(--on) }
[type=checkbox]:checked::after { left: 21px }
@media (forced-colors: active) {
  [type=checkbox] { appearance: auto }
  [type=checkbox]::after { content: none } }
@media (prefers-reduced-motion: reduce) { * { transition: none !important } }
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


_NOT_NOW: tuple[type[Exception], ...] = (*AWAY, Unavailable)

Answering: TypeAlias = Callable[[Request], Awaitable[Response]]


def patient(answering: Answering) -> Answering:
    """`answering`, which asks people for patience while the database is away or the server is busy."""

    async def answer(request: Request) -> Response:
        try:
            return await answering(request)
        except _NOT_NOW:
            title = "Please try again in a moment"
            text = "Your wish could not be recorded just now. Nothing has changed."
            return page(title, f"<h1>{title}</h1><p>{text}</p>", status=503)
        except TooLarge:
            title = "This was too much at once"
            return page(title, f"<h1>{title}</h1><p>Nothing has changed.</p>", status=413)

    return answer


async def read_form(request: Request, limit: int) -> dict[str, list[str]]:
    """What a page's form says, by field. Raises `TooLarge` for more than `limit` bytes."""
    text = bytearray()
    async for chunk in request.stream():
        text += chunk
        if len(text) > limit:
            raise TooLarge("The form is too large.", code="request_too_large")
    return parse_qs(text.decode("utf-8", "replace"), keep_blank_values=True)
