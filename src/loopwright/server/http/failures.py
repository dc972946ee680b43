"""One table from refusals to statuses, and one of the bodies that hold more than a message."""

import logging
from collections.abc import Callable, Mapping
from typing import TypeAlias

import msgspec
from msgspec import UNSET, Struct
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from loopwright.server.refusal import (
    BadRequest,
    Conflict,
    NotBuilt,
    NotFound,
    Refusal,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    Unprocessable,
    WrongMediaType,
)
from loopwright.server.store.database import AWAY
from loopwright.wire import failures as wire
from loopwright.wire.limits import IMAGE_BYTES, IMAGE_TYPES, UPLOAD_WINDOW_HOURS, UPLOADS_PER_DAY

STATUSES: dict[type[Refusal], int] = {
    BadRequest: 400,
    Unauthorized: 401,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    WrongMediaType: 415,
    Unprocessable: 422,
    TooManyRequests: 429,
    NotBuilt: 501,
    Unavailable: 503,
}
RETRY_AFTER_SECONDS = 1

logger = logging.getLogger(__name__)


class Shape(Struct, frozen=True):
    """An error body of the contract that holds more than success and message, and how a refusal fills it."""

    type: type[wire.Failure]
    fill: Callable[[Refusal], wire.Failure]


Shapes: TypeAlias = Mapping[int, Shape]
"""By status."""

PLAIN: Shapes = {}
"""Success and message, whatever the status."""

KEY_SHAPES: Shapes = {
    401: Shape(wire.KeyFailure, lambda one: wire.KeyFailure(message=one.message, error=one.message))
}
SEND_SHAPES: Shapes = {
    400: Shape(wire.SendFailure, lambda one: wire.SendFailure(message=one.message, path=one.path or UNSET)),
    404: Shape(
        wire.MissingFailure,
        lambda one: wire.MissingFailure(
            message=one.message, error=wire.FailureDetail(path=one.path or "", message=one.message)
        ),
    ),
}


COMPONENT_SHAPES: Shapes = {
    422: Shape(
        wire.ComponentFailure,
        lambda one: wire.ComponentFailure(message=one.message, invalid_tags=one.details or UNSET),
    )
}


_UPLOAD = Shape(
    wire.UploadFailure,
    lambda one: wire.UploadFailure(
        message=one.message,
        supported_content_types=list(IMAGE_TYPES) if one.code == "content_type_unsupported" else UNSET,
        max_bytes=IMAGE_BYTES if one.code == "image_too_large" else UNSET,
    ),
)
UPLOAD_SHAPES: Shapes = {400: _UPLOAD, 404: _UPLOAD, 413: _UPLOAD}
COMPLETION_SHAPES: Shapes = {
    400: _UPLOAD,
    404: _UPLOAD,
    429: Shape(
        wire.UploadLimitFailure,
        lambda one: wire.UploadLimitFailure(
            message=one.message, max_uploads=UPLOADS_PER_DAY, window_hours=UPLOAD_WINDOW_HOURS
        ),
    ),
}


class Failure(Response):
    """An error answer. Its code is a header, and is left in the scope for whoever counts refusals."""

    def __init__(self, status: int, body: wire.Failure, code: str) -> None:
        content = msgspec.json.encode(body)
        super().__init__(content, status, {wire.CODE_HEADER: code}, media_type="application/json")
        self._code = code

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        scope["loopwright.code"] = self._code
        await super().__call__(scope, receive, send)


def failure(status: int, message: str, *, code: str) -> Response:
    """An error answer with nothing but a message."""
    return Failure(status, wire.Failure(message=message), code)


def failure_of(problem: Exception, request_id: str, shapes: Shapes = PLAIN) -> Response:
    """The answer to whatever a handler raised. What is no refusal is a defect: logged, and told to nobody."""
    if isinstance(problem, AWAY):
        problem = Unavailable(
            "The database is away; send the request again in a moment.", code="database_away"
        )
    if isinstance(problem, Refusal):
        status = STATUSES[type(problem)]
        shape = shapes.get(status)
        body = shape.fill(problem) if shape else wire.Failure(message=problem.message)
        response = Failure(status, body, problem.code)
        if isinstance(problem, TooManyRequests | Unavailable):
            response.headers["retry-after"] = str(RETRY_AFTER_SECONDS)
        return response
    logger.error("request %s failed", request_id, exc_info=problem, extra={"request_id": request_id})
    return failure(
        500,
        f"The server failed at this request; its log has the reason under {request_id}.",
        code="server_error",
    )
