"""What lies outside the API's roots and is nowhere, or has other methods: said in the API's own form.

Most who come here are programs whose root lacks a part. People with a browser get a page.
"""

from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from loopwright.server.refusal import NotFound

from .failures import failure, failure_of
from .page import page
from .paths import tidied
from .request_ids import request_id_of

ADVICE = "the API's paths begin with /api/v1, such as /api/v1/events/send."


def unknown_path(path: str) -> NotFound:
    """Nothing answers there, inside the API's roots or outside."""
    twice = " It has /v1 twice: leave it out of the client's base URL." if "/v1/v1/" in tidied(path) else ""
    return NotFound(f"There is nothing at {path}; {ADVICE}{twice}", code="path_unknown")


async def _not_found(request: Request, _: Exception) -> Response:
    if "text/html" in request.headers.get("accept", ""):
        title = "There is nothing here"
        text = 'The address may have been cut off. The dashboard is <a href="/">at the beginning</a>.'
        return page(title, f"<h1>{title}</h1><p>{text}</p>", status=404)
    return failure_of(unknown_path(request.scope["path"]), request_id_of(request.scope))


async def _method_not_allowed(request: Request, problem: Exception) -> Response:
    assert isinstance(problem, HTTPException)
    # Static files of Starlette 1.0 do not say.
    allow = (problem.headers or {}).get("Allow", "GET, HEAD")
    response = failure(
        405,
        f"{request.method} is not allowed at {request.scope['path']}; use {allow}. Mind that {ADVICE}",
        code="method_not_allowed",
    )
    response.headers["allow"] = allow
    return response


async def _failed(request: Request, problem: Exception) -> Response:
    """A mistake of ours, which is in the log by now, with what stands behind it."""
    if isinstance(problem, ClientDisconnect):
        return Response(status_code=400)  # nobody is there to read it
    name = request_id_of(request.scope)
    if "text/html" in request.headers.get("accept", ""):
        title = "This page could not be made"
        text = f"The server's log says why, at the request <code>{name}</code>. Everything else goes on: "
        back = 'back to <a href="/">the beginning</a>.'
        return page(title, f"<h1>{title}</h1><p>{text}{back}</p>", status=500)
    return failure_of(problem, name)


HANDLERS: Mapping[Any, Any] = {404: _not_found, 405: _method_not_allowed, 500: _failed}
"""For the application that answers outside the API's roots."""
