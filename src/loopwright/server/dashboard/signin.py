"""The sign-in of the local operator: an API key of the team opens a session, signing out ends it."""

import math
from datetime import datetime
from urllib.parse import parse_qs, urlsplit

from starlette.requests import Request
from starlette.responses import Response

from loopwright.server.dashboard import answers, sessions
from loopwright.server.dashboard.pages.door import SignInPage
from loopwright.server.dashboard.requests import COOKIE, Context, Endpoint, operator_of
from loopwright.server.keys import hash_key
from loopwright.server.store.sessions import delete_session, find_operator, insert_session
from loopwright.server.visitors import household_of

_LONGEST_FORM = 8_000  # bytes


def sign_in(context: Context) -> Endpoint:
    """GET and POST /sign-in."""

    async def endpoint(request: Request) -> Response:
        if request.method == "POST":
            return await _try_key(context, request)
        onward = local_path(request.query_params.get("onward", ""))
        async with context.pool.acquire() as tx:
            known = await operator_of(request, tx, now=context.clock.now())
        return answers.redirect(onward) if known else _door(onward, "")

    return endpoint


def sign_out(context: Context) -> Endpoint:
    """POST /sign-out. Who is not signed in is signed out too."""

    async def endpoint(request: Request) -> Response:
        if from_elsewhere(context, request):
            return _door("/", strange("sign-out", context), status=403)
        if token := request.cookies.get(COOKIE):
            async with context.pool.acquire() as tx:
                await delete_session(tx, sessions.hash_token(token))
        response = answers.redirect("/sign-in")
        response.delete_cookie(COOKIE, httponly=True, samesite="lax", secure=_is_https(context, request))
        return response

    return endpoint


async def _try_key(context: Context, request: Request) -> Response:
    if from_elsewhere(context, request):
        return _door("/", strange("sign-in", context), status=403)
    form = await read_form(request)
    onward = local_path(form.get("onward", ""))
    now = context.clock.now()
    token = sessions.new_token()
    async with context.pool.acquire() as tx:
        operator = await find_operator(tx, hash_key(form.get("key", "").strip()))
        if operator:
            ends = now + sessions.LIFETIME
            await insert_session(tx, operator, token_hash=sessions.hash_token(token), expires_at=ends)
    if operator is None:
        return _turned_away(context, household_of(request), onward, now)
    context.throttle.succeeded(household_of(request))
    response = answers.redirect(onward)
    response.set_cookie(
        COOKIE,
        token,
        max_age=int(sessions.LIFETIME.total_seconds()),
        httponly=True,
        samesite="lax",
        secure=_is_https(context, request),
    )
    return response


def _turned_away(context: Context, household: str, onward: str, now: datetime) -> Response:
    """The answer to a wrong key. A right one always opens: strangers may share the operator's address."""
    wait = math.ceil(context.throttle.wait(household, now=now).total_seconds())
    if wait <= 0:
        context.throttle.failed(household, now=now)
        return _door(onward, "No team of this server has that API key.", status=401)
    complaint = f"Too many wrong keys. Try again in {wait} second{'s' if wait > 1 else ''}."
    return _door(onward, complaint, status=429, headers={"Retry-After": str(wait)})


def local_path(wanted: str) -> str:
    r"""The path to go to after the sign-in; anything that could lead off this server becomes `/`.

    Browsers read `//host` and `/\host` as another server, and drop tabs and line ends before they look.
    """
    safe = wanted.startswith("/") and not wanted.startswith(("//", "/sign-")) and "\\" not in wanted
    return wanted if safe and wanted.isprintable() else "/"


def _door(
    onward: str, complaint: str, *, status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return answers.page(SignInPage(onward=onward, complaint=complaint), status=status, headers=headers)


async def read_form(request: Request) -> dict[str, str]:
    """The fields of a urlencoded form; a field given twice counts once, a body too long for ours is empty."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            return {}
    try:
        fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10)
    except ValueError:
        return {}
    return {name: values[0] for name, values in fields.items()}


def from_elsewhere(context: Context, request: Request) -> bool:
    """Whether a browser sent the form for another site. Programs send neither header and may pass."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site not in ("same-origin", "none")
    origin = request.headers.get("origin")
    if origin is None:
        return False
    if context.origin:
        return origin != context.origin
    return urlsplit(origin).netloc != request.headers.get("host")


def strange(what: str, context: Context) -> str:
    """The answer to a form of another site."""
    remedy = f" This dashboard is at {context.public_url}." if context.origin else ""
    return f"That {what} came from another site, so it was refused.{remedy}"


def _is_https(context: Context, request: Request) -> bool:
    return request.url.scheme == "https" or (context.origin or "").startswith("https:")
