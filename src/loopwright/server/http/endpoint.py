"""What the server knows of an operation, and the four ways of taking a request.

- `reads_itself`: bodies with open keys and questions of their own; `work(call)`
- `shows`: one thing, by the ids in the path; `work(call, *ids)`
- `lists`: a page, newest first; `work(call, wanted)`
- `writes`: a strict body, unknown keys refused by name; `work(call, *ids, body)`
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from msgspec import Struct
from starlette.responses import Response

from loopwright.server.ingest.values import check_id
from loopwright.wire.operations import Operation
from loopwright.wire.paging import Page

from .dispatch import ApiRequest, Handler, answer
from .failures import PLAIN, Shapes
from .paging import page_wanted
from .strict import read_strict

Work = Callable[..., Awaitable[object]]
"""Does what an operation is for, and returns the answer's value."""

WRITING = (400, 413, 415)
"""What any request with a body may be refused with."""
LIST_QUERY = ("perPage", "cursor")


class Endpoint(Struct, frozen=True, kw_only=True):
    """An operation as the server has it.

    `answer` and `body` are the types of what goes out and comes in, `status` is that of success, `failures`
    are the statuses beside those that any operation may answer, `shapes` their bodies where they hold more
    than a message. A request with the same `tag` is of the same family.
    """

    operation: Operation
    tag: str
    summary: str
    handler: Handler
    answer: Any
    body: type[Struct] | None = None
    query: Sequence[str] = ()
    status: int = 200
    failures: Sequence[int] = ()
    shapes: Shapes = PLAIN


def reads_itself(
    operation: Operation,
    work: Work,
    tag: str,
    answer_type: Any,
    *,
    body: type[Struct] | None = None,
    query: Sequence[str] = (),
    refuses: Sequence[int] = (),
    shapes: Shapes = PLAIN,
) -> Endpoint:
    """An operation whose `work` reads the request: `body` and `query` only describe it."""

    async def handle(call: ApiRequest) -> Response:
        return answer(await work(call))

    return Endpoint(
        operation=operation,
        tag=tag,
        summary=_summary(work),
        handler=handle,
        answer=answer_type,
        body=body,
        query=query,
        failures=(*refuses, *(WRITING if body else ())),
        shapes=shapes,
    )


def shows(
    operation: Operation,
    work: Work,
    tag: str,
    answer_type: Any,
    *,
    refuses: Sequence[int] = (),
    shapes: Shapes = PLAIN,
) -> Endpoint:
    """An operation on what the ids in its path name."""

    async def handle(call: ApiRequest) -> Response:
        return answer(await work(call, *_ids(call, operation)))

    return Endpoint(
        operation=operation,
        tag=tag,
        summary=_summary(work),
        handler=handle,
        answer=answer_type,
        failures=(400, 404, *refuses),
        shapes=shapes,
    )


def lists(operation: Operation, work: Work, tag: str, item_type: Any) -> Endpoint:
    """An operation that answers pages; its cursors are good for its own path."""
    of = operation.path.removeprefix("/v1/")

    async def handle(call: ApiRequest) -> Response:
        return answer(await work(call, page_wanted(call, of)))

    return Endpoint(
        operation=operation,
        tag=tag,
        summary=_summary(work),
        handler=handle,
        answer=Page[item_type],
        query=LIST_QUERY,
        failures=(400,),
    )


def writes(
    operation: Operation,
    work: Work,
    tag: str,
    answer_type: Any,
    *,
    body: type[Struct],
    status: int = 200,
    refuses: Sequence[int] = (),
    shapes: Shapes = PLAIN,
) -> Endpoint:
    """An operation that makes or changes content; the ids in its path are looked at before its body.

    An `answer_type` of None is 204, without a body.
    """
    found = (404,) if "{" in operation.path else ()
    status = 204 if answer_type is None else status

    async def handle(call: ApiRequest) -> Response:
        ids = _ids(call, operation)
        done = await work(call, *ids, await read_strict(call, body))
        return Response(status_code=204) if answer_type is None else answer(done, status)

    return Endpoint(
        operation=operation,
        tag=tag,
        summary=_summary(work),
        handler=handle,
        answer=answer_type,
        body=body,
        status=status,
        failures=(*WRITING, *found, *refuses),
        shapes=shapes,
    )


def _ids(call: ApiRequest, operation: Operation) -> list[str]:
    """The ids in the request's path. One that cannot be an id is a mistake; one nobody has is unknown."""
    values = call.request.path_params
    for name in operation.parameters:
        check_id(name, values[name])
    return [values[name] for name in operation.parameters]


def _summary(work: Work) -> str:
    return (work.__doc__ or "").strip().splitlines()[0]
