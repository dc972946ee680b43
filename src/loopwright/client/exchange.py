"""One call under way: the request, what became of each attempt, and what to do next.

A client's `send` is a loop around this: wait, send, report what happened, until it is done. Everything that
differs between the colours (how to wait, how to send) stays there; everything that is decided is decided
here.
"""

from __future__ import annotations

import logging
import os
import random
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Generic, TypeVar

import msgspec

from loopwright.client.answer import status_error
from loopwright.client.config import check_retries, lower_case
from loopwright.client.encoding import encode
from loopwright.client.logs import logger
from loopwright.client.retry import may_have_arrived, parse_retry_after, wait_before_repeat
from loopwright.client.safe_mode import check_recipients
from loopwright.client.transport import Header, HttpRequest, HttpResponse, Timeout
from loopwright.errors import LoopsError, NoAnswerError, UnreadableAnswerError
from loopwright.wire.answers import Raw

if TYPE_CHECKING:
    from loopwright.client.call import Call
    from loopwright.client.config import ClientSettings
    from loopwright.client.shared_pace import SharedPace

Result = TypeVar("Result")

LONGEST_ID = 64
"""Of a request's id as much is logged."""


class Attempts(Generic[Result]):
    """The attempts at one call: what came of them, and whether another is due. Only decides.

    Raises `RecipientNotAllowedError` for a call that is not to be attempted at all.
    """

    __slots__ = ("_arrived", "_call", "_key", "_most", "attempts", "pause", "result")

    def __init__(self, call: Call[Result], settings: ClientSettings) -> None:
        check_recipients(call, settings.allowed_recipients)
        self._call = call
        self._arrived = False
        self.attempts: int = 0
        self.pause = 0.0
        self._most = settings.max_retries
        if "max_retries" in call.options:
            self._most = check_retries(call.options["max_retries"])
        self._key = call.idempotency_key
        if self._key is None and call.operation.repeat == "keyed":
            self._key = new_key()

    def failed(self, error: NoAnswerError) -> None:
        """No answer came. Returns when the call is to be sent again, raises when that is over."""
        error.attempts = self.attempts
        error.idempotency_key = self._key
        self._arrived = self._arrived or error.outcome_unknown
        error.outcome_unknown = self._arrived and self._call.operation.method != "GET"
        self._repeat_or_raise(error)

    def answered(self, response: HttpResponse) -> bool:
        """An answer came. True: `result` is there. False: send again. Raises when the answer is an error."""
        if 200 <= response.status < 300:
            self.result = self._read(response)
            return True
        if response.status == 409 and self._arrived and self._call.replayed is not None:
            self.result = self._with_raw(self._call.replayed(), response)
            return True
        error = status_error(
            response, self._call.operation, now=datetime.now(UTC), attempts=self.attempts, key=self._key
        )
        self._arrived = self._arrived or may_have_arrived(error)
        self._repeat_or_raise(error)
        return False

    def _repeat_or_raise(self, error: LoopsError) -> None:
        pause = wait_before_repeat(
            error,
            self._call.operation.repeat,
            attempts=self.attempts,
            most=self._most,
            chance=random.random(),  # noqa: S311  # spreads load, guards nothing
        )
        if pause is None:
            raise error
        self.pause = pause

    def _read(self, response: HttpResponse) -> Result:
        try:
            result = self._call.read(response.body)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            operation = self._call.operation
            raise UnreadableAnswerError(
                f"{operation.method} {operation.path} answered {response.status} with a body that is not "
                f"what the API promises ({error})",
                status=response.status,
                headers=dict(response.headers.items()),
                content=response.body,
                outcome_unknown=operation.method != "GET",
                attempts=self.attempts,
                idempotency_key=self._key,
            ) from error
        return self._with_raw(result, response)

    def _with_raw(self, result: Result, response: HttpResponse) -> Result:
        if result is not None:
            result.__dict__["raw"] = Raw(
                status=response.status, headers=response.headers, body=response.body, attempts=self.attempts
            )
        return result


class Exchange(Attempts[Result]):
    """A call under way by itself. `request` is what to send; it is the same for every attempt, key
    included.
    """

    __slots__ = ("_pace", "_started", "request", "status")

    def __init__(self, call: Call[Result], settings: ClientSettings, pace: SharedPace | None) -> None:
        super().__init__(call, settings)
        self._pace = None if call.elsewhere else pace
        self._started = 0.0
        self.status = 0
        self.request = self._build(settings)

    def _build(self, settings: ClientSettings) -> HttpRequest:
        call, timeout = self._call, settings.timeout
        common = () if call.elsewhere else settings.headers
        own: list[Header] = []
        body = None
        if call.content_type is not None:
            assert isinstance(call.body, bytes)
            body = call.body
            own.append(("content-type", call.content_type))
        elif call.body is not msgspec.UNSET:
            body = encode(call.body)
            own.append(("content-type", "application/json"))
        if self._key is not None:
            own.append(("idempotency-key", self._key))
        if options := call.options:
            if "headers" in options and not call.elsewhere:
                common = tuple((dict(common) | lower_case(options["headers"])).items())
            if "timeout" in options:
                timeout = Timeout.of(options["timeout"])
        url = settings.root + call.path if call.path.startswith("/") else call.path
        return HttpRequest(call.operation.method, url, common, own, body, timeout)

    def wait(self) -> float:
        """Seconds to wait before the next attempt. Counts that attempt as made."""
        self.attempts += 1
        pause = self.pause
        if self._pace is not None:
            pause = max(pause, self._pace.reserve(content=self._call.operation.content))
        if pause > self.pause:
            operation = self._call.operation
            logger.debug("%s %s: waits %.2f s for its turn", operation.method, operation.path, pause)
        self._started = monotonic() + pause
        return pause

    def failed(self, error: NoAnswerError) -> None:
        """No answer came. Returns when the request is to be sent again, raises when that is over."""
        self.status = 0
        self._log(type(error).__name__)
        super().failed(error)
        self._log_repeat(type(error).__name__)

    def answered(self, response: HttpResponse) -> bool:
        """An answer came. True: `result` is there. False: send again. Raises when the answer is an error."""
        self.status = response.status
        if logger.isEnabledFor(logging.INFO):
            self._log(str(response.status), response.headers.get("x-request-id"))
        if self._pace is not None:
            self._learn(self._pace, response)
        done = super().answered(response)
        if not done:
            self._log_repeat(str(response.status))
        return done

    def _learn(self, pace: SharedPace, response: HttpResponse) -> None:
        content = self._call.operation.content
        pace.report(response.headers, content=content)
        if response.status == 429:
            retry_after = parse_retry_after(response.headers.get("retry-after"), now=datetime.now(UTC))
            pace.refused(response.headers, retry_after, content=content)

    def _log(self, outcome: str, request_id: str | None = None) -> None:
        """Method, path as the API names it, and outcome: no address, id of a person, key or body."""
        logger.info(
            "%s %s: %s in %.0f ms (attempt %d%s)",
            self._call.operation.method,
            self._call.operation.path,
            outcome,
            (monotonic() - self._started) * 1000,
            self.attempts,
            f", request {request_id[:LONGEST_ID]}" if request_id else "",
        )

    def _log_repeat(self, outcome: str) -> None:
        operation = self._call.operation
        logger.info("%s %s: again in %.2f s after %s", operation.method, operation.path, self.pause, outcome)


def new_key() -> str:
    """An idempotency key nobody else has: 128 random bits."""
    return os.urandom(16).hex()
