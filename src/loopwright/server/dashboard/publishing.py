"""The button at a draft: it becomes what is sent."""

from starlette.responses import Response

from loopwright.server.content.publishing import publish
from loopwright.server.dashboard.buttons import Wish
from loopwright.server.refusal import Conflict


async def publish_transactional(wish: Wish) -> Response:
    """POST /transactional/{transactional_id}/publish."""
    email_id = wish.path_id("transactional_id")
    try:
        await publish(wish.tx, wish.team_id, email_id, has_relay=wish.context.has_relay, now=wish.now)
    except Conflict:  # somebody else was faster
        return wish.back(version="published")
    return wish.back(done="published", version="published")
