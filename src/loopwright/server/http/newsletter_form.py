"""POST /api/newsletter-form/{formId}: forms on web pages, sent by browsers without a key.

The only address that other sites' pages may call, and the only one that strangers may: so it is slow, and it
changes little of a contact that is there already.
"""

from collections.abc import Sequence
from urllib.parse import parse_qsl

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from loopwright.server.clock import Clock
from loopwright.server.ingest.batch import Ingest
from loopwright.server.ingest.command import OptIn
from loopwright.server.ingest.reading import read_submit_form
from loopwright.server.refusal import BadRequest, TooLarge, TooManyRequests, Unavailable
from loopwright.server.store.database import Pool
from loopwright.server.store.forms import OpenForm, open_form
from loopwright.server.visitors import household_of
from loopwright.wire.failures import CODE_HEADER

from .failures import failure_of
from .rate_limits import SlidingWindows, Window
from .request_ids import request_id_of

PATH = "/api/newsletter-form/{formId}"
PER_ADDRESS = Window(limit=5, seconds=60)
BODY_BYTES = 50_000
FIELDS = 200
CORS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": f"{CODE_HEADER}, x-request-id",
}
PREFLIGHT = {
    **CORS,
    "access-control-allow-methods": "POST",
    "access-control-allow-headers": "content-type",
    "access-control-max-age": "86400",
    "allow": "POST",
}


def routes(pool: Pool, ingest: Ingest, clock: Clock, *, public_url: str) -> Sequence[BaseRoute]:
    """The form's address, and what browsers ask of it beforehand. `public_url` begins the links in email."""
    visits = SlidingWindows(PER_ADDRESS)

    async def submit(request: Request) -> Response:
        try:
            _count(visits, request, clock.monotonic())
            fields = await _fields(request)
            form_id = request.path_params["formId"]
            async with pool.acquire() as tx:
                form = await open_form(tx, form_id) if form_id.isalnum() else None
            if form is None:
                raise BadRequest(
                    "There is no form of that id; look at the form's address.", code="form_unknown"
                )
            opt_in = _opt_in(form, public_url)
            await ingest.submit(read_submit_form(form.team_id, fields, lists=form.lists, opt_in=opt_in))
            response = Response(msgspec.json.encode({"success": True}), media_type="application/json")
        except ClientDisconnect:
            raise
        except Exception as problem:
            response = failure_of(problem, request_id_of(request.scope))
        response.headers.update(CORS)
        return response

    async def preflight(_: Request) -> Response:
        return Response(status_code=204, headers=PREFLIGHT)

    return [Route(PATH, submit, methods=["POST"]), Route(PATH, preflight, methods=["OPTIONS"])]


def _count(visits: SlidingWindows, request: Request, now: float) -> None:
    if visits.admit(household_of(request), now).wait is not None:
        raise TooManyRequests("Too many sign-ups from here; try again in a minute.", code="rate_limited")


async def _fields(request: Request) -> dict[str, str]:
    """The form's fields; of several with one name, the last."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type not in ("", "application/x-www-form-urlencoded"):
        raise BadRequest("Send the form as application/x-www-form-urlencoded.", code="content_type_wrong")
    text = bytearray()
    async for chunk in request.stream():
        text += chunk
        if len(text) > BODY_BYTES:
            raise TooLarge("The form is too large.", code="request_too_large")
    try:
        return dict(parse_qsl(text.decode(), keep_blank_values=True, max_num_fields=FIELDS, errors="strict"))
    except ValueError:
        raise BadRequest(
            "The form cannot be read; send UTF-8, percent-encoded.", code="body_not_form"
        ) from None


def _opt_in(form: OpenForm, public_url: str) -> OptIn | None:
    if not form.double_opt_in:
        return None
    if form.opt_in_id is None or form.opt_in_message_id is None or form.opt_in_revision_id is None:
        raise Unavailable("The team's confirmation email is missing.", code="opt_in_email_missing")
    return OptIn(
        transactional_id=form.opt_in_id,
        message_id=form.opt_in_message_id,
        revision_id=form.opt_in_revision_id,
        public_url=public_url,
        secret=form.secret,
    )
