"""The buttons of a webhook endpoint: enable, disable, rotate, test, and send again."""

from datetime import timedelta

from msgspec.structs import replace
from starlette.responses import Response

from loopwright.server.dashboard import answers
from loopwright.server.dashboard.buttons import Wish
from loopwright.server.dashboard.pages.webhooks import SecretPage
from loopwright.server.refusal import BadRequest, Conflict
from loopwright.server.sealing import needed
from loopwright.server.store.webhooks import EndpointRow, update_endpoint
from loopwright.server.webhook import control

DAYS = 30
"""For so long deliveries are kept."""


async def enable_webhook(wish: Wish) -> Response:
    """POST /webhooks/{webhook_id}/enable."""
    await _switch(wish, enabled=True)
    return wish.back(done="enabled")


async def disable_webhook(wish: Wish) -> Response:
    """POST /webhooks/{webhook_id}/disable."""
    await _switch(wish, enabled=False)
    return wish.back(done="disabled")


async def test_webhook(wish: Wish) -> Response:
    """POST /webhooks/{webhook_id}/test."""
    await control.send_test(wish.tx, await _locked(wish), now=wish.now)
    return wish.back(done="webhook_tested")


async def replay_webhooks(wish: Wish) -> Response:
    """POST /webhooks/{webhook_id}/replay: what failed or was missed in the last `days`."""
    start = wish.now - timedelta(days=_days(wish.form.get("days", "")))
    row, statuses = await _locked(wish), control.UNDELIVERED
    # the end is left out, and this very moment is meant, too
    count = await control.replay(
        wish.tx, row, statuses, start=start, end=wish.now + timedelta(seconds=1), now=wish.now
    )
    return wish.back(done="replayed", count=count)


async def rotate_webhook(wish: Wish) -> Response:
    """POST /webhooks/{webhook_id}/rotate: answers with the only page that shows the secret.

    The form says what it has seen, so that one sent again makes no other secret.
    """
    row = await _locked(wish)
    if wish.form.get("seen") != seen(row):
        raise Conflict("The endpoint was changed meanwhile; look at it, then rotate again.", code="changed")
    changed, secret = await control.rotate(wish.tx, row, needed(wish.context.sealing), now=wish.now)
    return answers.page(SecretPage(frame=wish.frame(row.url, "events"), endpoint=changed, secret=secret))


def seen(row: EndpointRow) -> str:
    """What names the endpoint's state in a form."""
    return row.updated_at.isoformat()


async def _switch(wish: Wish, *, enabled: bool) -> None:
    row = await _locked(wish)
    changed = control.switched(replace(row, updated_at=wish.now), enabled=enabled, now=wish.now)
    await update_endpoint(wish.tx, changed)


async def _locked(wish: Wish) -> EndpointRow:
    return await control.lock(wish.tx, wish.team_id, wish.path_id("webhook_id"))


def _days(text: str) -> int:
    days = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
    if not 0 < days <= DAYS:
        raise BadRequest(f"Choose from how many days, 1 to {DAYS}.", code="value_invalid")
    return days
