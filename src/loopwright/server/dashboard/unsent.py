"""Emails that did not leave: found by status, reason and time, and sent again together."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import get_args

from starlette.responses import Response

from loopwright.server.dashboard import answers
from loopwright.server.dashboard.buttons import Wish
from loopwright.server.dashboard.counting import soon
from loopwright.server.dashboard.pages.unsent import UnsentPage
from loopwright.server.dashboard.requests import LINES, Visit, cut
from loopwright.server.store.pages.unsent import list_unsent_of
from loopwright.server.store.retries import Choice, Unsent, count_unsent, queue_again

DAYS = 7


async def show_unsent(visit: Visit) -> Response:
    """GET /unsent?status=&words=&days=."""
    asked = visit.request.query_params
    choice, days = chosen(visit.team_id, asked, now=visit.now)
    found = await list_unsent_of(visit.tx, choice, before=visit.before, limit=LINES + 1)
    lines, older = cut(found, lambda line: line.id)
    status = choice.statuses[0]
    query = {"status": status, "words": choice.words, "days": str(days)}
    return answers.page(
        UnsentPage(
            frame=visit.frame("Emails that did not leave", "overview"),
            status=status,
            words=choice.words,
            days=days,
            lines=lines,
            turn=visit.turn(older, **query),
            count=await soon(visit, lambda: count_unsent(visit.tx, choice)),
            count_url=visit.here(**query, count="1"),
        )
    )


async def retry_unsent(wish: Wish) -> Response:
    """POST /unsent/retry: all that the page has found, by the fields of its form."""
    choice, days = chosen(wish.team_id, wish.form, now=wish.now)
    count = await queue_again(wish.tx, choice, now=wish.now)
    query = {"status": choice.statuses[0], "words": choice.words, "days": str(days)}
    return wish.back(done="queued_again", count=count, **query)


def chosen(team_id: str, asked: Mapping[str, str], *, now: datetime) -> tuple[Choice, int]:
    """Which emails are meant, and of how many days; what is not understood is failed ones of a week."""
    statuses: tuple[Unsent, ...] = get_args(Unsent)
    status = statuses[0]
    for one in statuses:
        status = one if asked.get("status") == one else status
    text = asked.get("days", "")
    days = int(text) if text.isascii() and text.isdigit() and 0 < len(text) < 4 else DAYS
    words = asked.get("words", "").replace("\0", "").strip()[:200]
    since = now - timedelta(days=days)
    return Choice(team_id=team_id, statuses=(status,), words=words, since=since), days
