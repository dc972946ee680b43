"""The button at an email that did not leave: it is sent again."""

from typing import get_args
from urllib.parse import quote, urlsplit

from starlette.responses import Response

from loopwright.server.dashboard import answers
from loopwright.server.dashboard.buttons import Wish
from loopwright.server.dashboard.signin import local_path
from loopwright.server.store.retries import Choice, Unsent, queue_again


async def retry_email(wish: Wish) -> Response:
    """POST /emails/{email_id}/retry. It leads back to where the button was: emails have no page."""
    email_id = wish.path_id("email_id")
    chosen = Choice(team_id=wish.team_id, statuses=get_args(Unsent), email_id=email_id)
    await queue_again(wish.tx, chosen, now=wish.now)
    page = urlsplit(wish.request.headers.get("referer", ""))
    return answers.redirect(local_path(page.path or "/") + f"#at-{quote(email_id)}")
