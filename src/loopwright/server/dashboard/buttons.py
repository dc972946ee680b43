"""Buttons: what somebody who signed in asks for with a form, done in one transaction.

Each leads back to its page, `/workflows/c1/start` to `/workflows/c1`. What is refused changes nothing, and
the page says why. A form of another site is not looked at.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from loopwright.server.dashboard import answers
from loopwright.server.dashboard.pages.door import BusyPage
from loopwright.server.dashboard.pages.frame import Done, Frame, Section
from loopwright.server.dashboard.requests import (
    RETRY,
    WAIT_SECONDS,
    Context,
    Endpoint,
    View,
    frame_of,
    operator_of,
    owner_of,
    see_refused,
)
from loopwright.server.dashboard.signin import from_elsewhere, read_form, strange
from loopwright.server.refusal import Refusal
from loopwright.server.store.database import Connection
from loopwright.server.store.sessions import Operator


@dataclass(frozen=True, kw_only=True)
class Wish:
    """What a form asks for, and the transaction to do it in."""

    context: Context
    request: Request
    form: Mapping[str, str]
    tx: Connection
    operator: Operator
    now: datetime

    @property
    def team_id(self) -> str:
        return self.operator.team_id

    @property
    def relay_url(self) -> str | None:
        """What the world calls the server, where its email leaves it."""
        return self.context.public_url if self.context.has_relay else None

    def path_id(self, name: str) -> str:
        """The id in the path."""
        found: str = self.request.path_params[name]
        return found.replace("\0", "")

    def frame(self, title: str, section: Section) -> Frame:
        """What is around a page that answers a button itself."""
        return frame_of(self.operator, title, section, None)

    def back(self, *, done: Done | None = None, count: int | None = None, **query: str) -> Response:
        """Lead back to the button's page, which says what was done, and to how many things."""
        told = {"done": done, "count": None if count is None else str(count), **query}
        given = urlencode({name: value for name, value in told.items() if value is not None})
        return answers.redirect(owner_of(self.request) + (f"?{given}" if given else ""))


Act: TypeAlias = Callable[[Wish], Awaitable[Response]]


def button(context: Context, act: Act, view: View) -> Endpoint:
    """Make a route's endpoint of what a button does; `view` is its page."""

    async def endpoint(request: Request) -> Response:
        if request.method != "POST":  # somebody opened the address anew
            return answers.redirect(owner_of(request))
        if from_elsewhere(context, request):
            return PlainTextResponse(strange("wish", context), 403)
        form = await read_form(request)
        now = context.clock.now()
        try:
            async with context.pool.acquire(timeout=WAIT_SECONDS) as tx:
                operator = await operator_of(request, tx, now=now)
                if operator is None:
                    return answers.redirect("/sign-in")
                async with tx.transaction():
                    wish = Wish(
                        context=context, request=request, form=form, tx=tx, operator=operator, now=now
                    )
                    return await act(wish)
        except Refusal as refusal:
            return await see_refused(context, view, request, refusal)
        except TimeoutError:
            return answers.page(BusyPage(again=owner_of(request)), status=503, headers=RETRY)

    return endpoint
