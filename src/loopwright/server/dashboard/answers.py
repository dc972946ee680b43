"""How pages become HTTP: templates, the headers that keep them safe, and answers to "anything new?"."""

import hashlib
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from loopwright.server.dashboard.filters import FILTERS
from loopwright.server.dashboard.pages.frame import DashboardPage, Live, LivePage

HERE = Path(__file__).parent
STATIC = HERE / "static"

_SHARED = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",  # `no-referrer` would make browsers send `Origin: null` with our forms
    "X-Content-Type-Options": "nosniff",
}
PAGE_HEADERS = {
    **_SHARED,
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
        "frame-src 'self'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "X-Frame-Options": "DENY",
}
EMAIL_HEADERS = {
    **_SHARED,
    # The same sandbox as the frame's own, for when somebody opens the email's address directly.
    "Content-Security-Policy": (
        "sandbox allow-popups allow-popups-to-escape-sandbox; default-src 'none'; "
        "img-src 'self' https: data:; font-src data:; style-src 'unsafe-inline'; "
        "form-action 'none'; frame-ancestors 'self'; base-uri 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Frame-Options": "SAMEORIGIN",
}


def page(content: DashboardPage, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Answer with a whole page."""
    return HTMLResponse(render(content), status, {**PAGE_HEADERS, **(headers or {})})


def part(content: LivePage, request: Request) -> Response:
    """Answer with a part of a page, or with 304 when `request` says that it shows this version already."""
    tag = f'"{content.live.version}"' if content.live else ""
    if tag and request.headers.get("if-none-match") == tag:
        return Response(status_code=304, headers=PAGE_HEADERS)
    return HTMLResponse(render(content), headers=PAGE_HEADERS)


def redirect(path: str) -> Response:
    """Send the browser to a path of this server, with a GET."""
    return RedirectResponse(path, 303, headers=PAGE_HEADERS)


def live(url: str, shown: object, *, seconds: int) -> Live:
    """Let a part ask again at `url` every `seconds`; `shown` is everything that is worth a new look."""
    version = hashlib.blake2b(msgspec.json.encode(shown), digest_size=12).hexdigest()
    return Live(url=url, version=version, seconds=seconds)


def render(content: DashboardPage) -> Markup:
    """Fill the template of a page."""
    values = {field.name: getattr(content, field.name) for field in fields(content)}
    return Markup(environment().get_template(content.template).render(values))  # noqa: S704 - it escaped all


@cache
def environment() -> Environment:
    """The templates; a name that a template uses and its page lacks is an error."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(FILTERS)
    globals_: dict[str, Any] = {"show": render, "asset": asset}
    made.globals.update(globals_)
    return made


@cache
def asset(name: str) -> str:
    """The address of a static file, which changes with its content so that it may be cached for good."""
    version = hashlib.blake2b((STATIC / name).read_bytes(), digest_size=6).hexdigest()
    return f"/static/{name}?v={version}"
