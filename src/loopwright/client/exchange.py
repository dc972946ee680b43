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
from loopwright.client.retry import may_have_arrived, wait_before_repeat
from loopwright.client.transport import Header, HttpRequest, HttpResponse, Timeout
from loopwright.errors import LoopsError, NoAnswerError, UnreadableAnswerError
from loopwright.wire.answers import Raw

if TYPE_CHECKING:
    from loopwright.client.call import Call
    from loopwright.client.config import Settings
    from loopwright.client.shared_pace import SharedPace

Result = TypeVar("Result")

logger = logging.getLogger("loopwright")

encode = msgspec.json.Encoder().encode


class Exchange(Generic[Result]):
    """A call and its attempts. `request` is what to send; it is the same for every attempt, key included."""

    __slots__ = (
        "_arrived",
        "_call",
        "_key",
        "_most",
        "_pace",
        "_pause",
        "_started",
        "attempts",
        "request",
        "result",
        "status",
    )

    def __init__(self, call: Call[Result], settings: Settings, pace: SharedPace | None) -> None:
        self._call = call
        self._pace = pace
        self._pause = 0.0
        self._arrived = False
        self._started = 0.0
        self.attempts = 0
        self.status = 0
        self._most = settings.max_retries
        self._key = call.idempotency_key
        if self._key is None and call.operation.repeat == "keyed":
            self._key = new_key()
        if call.content_type is None:
            self.request = self._build(call, settings)
        else:
            self._pace = None
            self.request = self._build_file(call, call.content_type, settings)

    def _build(self, call: Call[Result], settings: Settings) -> HttpRequest:
        common, timeout = settings.headers, settings.timeout
        own: list[Header] = []
        body = None
        if call.body is not msgspec.UNSET:
            body = encode(call.body)
            own.append(("content-type", "application/json"))
        if self._key is not None:
            own.append(("idempotency-key", self._key))
        if options := call.options:
            if "headers" in options:
                common = tuple((dict(common) | lower_case(options["headers"])).items())
            if "timeout" in options:
                timeout = Timeout.of(options["timeout"])
            self._most = check_retries(options.get("max_retries", self._most))
        return HttpRequest(call.operation.method, settings.root + call.path, common, own, body, timeout)

    def _build_file(self, call: Call[Result], content_type: str, settings: Settings) -> HttpRequest:
        body = call.body
        assert isinstance(body, bytes)
        headers = [("content-type", content_type)]
        return HttpRequest(call.operation.method, call.path, (), headers, body, settings.timeout)

    def wait(self) -> float:
        """Seconds to wait before the next attempt. Counts that attempt as made."""
        self.attempts += 1
        pause = self._pause
        if self._pace is not None:
            pause = max(pause, self._pace.reserve(content=self._call.operation.content))
        self._started = monotonic() + pause
        return pause

    def failed(self, error: NoAnswerError) -> None:
        """No answer came. Returns when the request is to be sent again, raises when that is over."""
        self.status = 0
        error.attempts = self.attempts
        error.idempotency_key = self._key
        self._arrived = self._arrived or error.outcome_unknown
        error.outcome_unknown = self._arrived and self._call.operation.method != "GET"
        self._log(type(error).__name__)
        self._repeat_or_raise(error)

    def answered(self, response: HttpResponse) -> bool:
        """An answer came. True: `result` is there. False: send again. Raises when the answer is an error."""
        self.status = response.status
        if logger.isEnabledFor(logging.DEBUG):
            self._log(str(response.status))
        if self._pace is not None:
            self._pace.report(response.headers, content=self._call.operation.content)
        if 200 <= response.status < 300:
            self.result = self._read(response)
            return True
        if response.status == 409 and self._arrived and self._call.replayed is not None:
            self.result = self._with_raw(self._call.replayed(), response)
            return True
        self._refused(response)
        return False

    def _refused(self, response: HttpResponse) -> None:
        error = status_error(
            response, self._call.operation, now=datetime.now(UTC), attempts=self.attempts, key=self._key
        )
        if response.status == 429 and self._pace is not None:
            self._pace.refused(response.headers, error.retry_after, content=self._call.operation.content)
        self._arrived = self._arrived or may_have_arrived(error)
        self._repeat_or_raise(error)

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
        self._pause = pause
        logger.info(
            "%s %s: again in %.2f s after %s",
            self._call.operation.method,
            self._call.operation.path,
            pause,
            self.status or type(error).__name__,
        )

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

    def _log(self, outcome: str) -> None:
        """Method, path as the API names it, and outcome: no address, id or key."""
        logger.debug(
            "%s %s: %s in %.0f ms (attempt %d)",
            self._call.operation.method,
            self._call.operation.path,
            outcome,
            (monotonic() - self._started) * 1000,
            self.attempts,
        )


def new_key() -> str:
    """An idempotency key nobody else has: 128 random bits."""
    return os.urandom(16).hex()
