"""One table from refusals to statuses, and the body they all share."""

import logging

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from loopwright.server.refusal import (
    BadRequest,
    Conflict,
    NotFound,
    Refusal,
    TooLarge,
    TooManyRequests,
    Unauthorized,
    Unavailable,
    WrongMediaType,
)
from loopwright.server.store.database import AWAY

STATUSES: dict[type[Refusal], int] = {
    BadRequest: 400,
    Unauthorized: 401,
    NotFound: 404,
    Conflict: 409,
    TooLarge: 413,
    WrongMediaType: 415,
    TooManyRequests: 429,
    Unavailable: 503,
}
RETRY_AFTER_SECONDS = 1

logger = logging.getLogger(__name__)


class Failure(Response):
    """An error answer. It leaves its code in the scope for whoever counts refusals."""

    def __init__(self, body: bytes, status: int, code: str) -> None:
        super().__init__(body, status, media_type="application/json")
        self._code = code

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        scope["loopwright.code"] = self._code
        await super().__call__(scope, receive, send)


def failure(status: int, message: str, *, code: str, request_id: str, **extra: object) -> Response:
    """An error answer: `success` and `message` as the API has them, `code` and `requestId` as ours."""
    body = {"success": False, "message": message, "code": code, "requestId": request_id, **extra}
    return Failure(msgspec.json.encode(body), status, code)


def failure_of(problem: Exception, request_id: str) -> Response:
    """The answer to whatever a handler raised. What is no refusal is a defect: logged, and told to nobody."""
    if isinstance(problem, AWAY):
        problem = Unavailable(
            "The database is away; send the request again in a moment.", code="database_away"
        )
    if isinstance(problem, Refusal):
        response = failure(
            STATUSES[type(problem)],
            problem.message,
            code=problem.code,
            request_id=request_id,
            **problem.extra,
        )
        if isinstance(problem, TooManyRequests | Unavailable):
            response.headers["retry-after"] = str(RETRY_AFTER_SECONDS)
        return response
    logger.error("request %s failed", request_id, exc_info=problem, extra={"request_id": request_id})
    return failure(
        500,
        "The server failed at this request; its log has the reason under this requestId.",
        code="server_error",
        request_id=request_id,
    )
