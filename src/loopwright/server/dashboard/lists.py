"""What the pages of lists have in common: a page of fifty, newest first, that asks for itself again."""

from typing import Any, TypedDict

from starlette.responses import Response

from loopwright.server.dashboard import answers
from loopwright.server.dashboard.pages.frame import Frame, ListPage, ListPart, Live, Turn
from loopwright.server.dashboard.requests import Visit


class ListFields(TypedDict):
    """What any part with a list has, beside its lines."""

    live: Live | None
    turn: Turn
    search: str
    fresh: str


def list_fields(visit: Visit, shown: object, older: str | None) -> ListFields:
    """The fields of a list that shows `shown`; only its newest page asks again. `older` is from `cut`."""
    return ListFields(
        live=None if visit.cursor else answers.live(visit.here(), shown, seconds=visit.pace),
        turn=visit.turn(older),
        search=visit.search,
        fresh=visit.fresh,
    )


def answer_list(visit: Visit, frame: Frame, page: type[ListPage], part: ListPart[Any]) -> Response:
    """Answer with the whole page, or with its list alone where that is asked for."""
    if visit.wants_part:
        return answers.part(part, visit.request)
    return answers.page(page(frame=frame, search=visit.search, part=part))
