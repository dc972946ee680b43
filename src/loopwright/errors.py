"""Everything that can go wrong with a call.

LoopsError
├── ArgumentError                                       an argument cannot be used; nothing was sent
│   ├── ArgumentValueError      (also ValueError)       the API would refuse it: empty, too long, out of range
│   └── ArgumentTypeError       (also TypeError)        of the wrong type, or not an argument at all
├── ConfigurationError          (also ValueError)       a client cannot be set up like this
├── ClientClosedError           (also RuntimeError)     the client was closed before the call
├── RecipientNotAllowedError    (also ValueError)       safe mode lets no email go there
├── TransportUnavailableError   (also RuntimeError)     this transport cannot work here, e.g. after a fork
├── NoAnswerError                                       no whole answer arrived
│   ├── LoopsConnectionError    (also ConnectionError)  refused, lost or garbled
│   └── LoopsTimeoutError       (also TimeoutError)     took longer than allowed
├── UnreadableAnswerError                               success, but its body is not what the API promises
└── StatusError                                         answered with an error status
    ├── BadRequestError            400
    ├── AuthenticationError        401
    ├── PermissionDeniedError      403
    ├── NotFoundError              404
    ├── MethodNotAllowedError      405
    ├── ConflictError              409
    ├── PayloadTooLargeError       413
    ├── UnprocessableError         422
    ├── RateLimitError             429
    └── ServerError                5xx
        └── NotImplementedByServerError   501
"""

from __future__ import annotations

from collections.abc import Mapping

MAY_HAVE_HAPPENED = "; it may have taken effect all the same, so check before sending it again"


class LoopsError(Exception):
    """The root. `outcome_unknown` tells that the request may have taken effect although the call failed.

    `attempts` counts the requests made, and `idempotency_key` is the key they carried, if any.
    """

    def __init__(
        self,
        message: str,
        *,
        outcome_unknown: bool = False,
        attempts: int = 0,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.outcome_unknown = outcome_unknown
        self.attempts = attempts
        self.idempotency_key = idempotency_key

    def __str__(self) -> str:
        return self.message + MAY_HAVE_HAPPENED if self.outcome_unknown else self.message


class ArgumentError(LoopsError):
    """An argument cannot be used. No request was made; the message names the argument and what to give."""


class ArgumentValueError(ArgumentError, ValueError):
    """The right type of argument, and a value that the API would refuse or that cannot travel."""


class ArgumentTypeError(ArgumentError, TypeError):
    """The wrong type of argument, or one that the method does not have."""


class ConfigurationError(LoopsError, ValueError):
    """A client cannot be set up with these arguments and this environment, nor one call with its options."""


class ClientClosedError(LoopsError, RuntimeError):
    """The client was closed; make a new one."""


class RecipientNotAllowedError(LoopsError, ValueError):
    """Safe mode: email could go to somebody whom `allowed_recipients` does not name. Nothing was sent.

    `recipient` is the address; `None` when it is not known, as for a contact named by its user id.
    """

    def __init__(
        self,
        message: str,
        *,
        recipient: str | None = None,
        outcome_unknown: bool = False,
        attempts: int = 0,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(
            message, outcome_unknown=outcome_unknown, attempts=attempts, idempotency_key=idempotency_key
        )
        self.recipient = recipient


class TransportUnavailableError(LoopsError, RuntimeError):
    """The chosen transport cannot work in this process, and would hang if it tried."""


class NoAnswerError(LoopsError):
    """No whole answer arrived. `outcome_unknown` is false when the request surely never arrived."""


class LoopsConnectionError(NoAnswerError, ConnectionError):
    """The connection was refused or lost, or what came back was not HTTP."""


class LoopsTimeoutError(NoAnswerError, TimeoutError):
    """A phase of the call, or the whole of it, took longer than its time-out."""


class UnreadableAnswerError(LoopsError):
    """The server reported success with a body that is not what the API promises.

    `status`, `headers` (lower-case names) and `content` (bytes) are the answer as it arrived.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        headers: Mapping[str, str] | None = None,
        content: bytes = b"",
        outcome_unknown: bool = False,
        attempts: int = 0,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(
            message, outcome_unknown=outcome_unknown, attempts=attempts, idempotency_key=idempotency_key
        )
        self.status = status
        self.headers = headers or {}
        self.content = content


class StatusError(LoopsError):
    """The server answered with an error.

    `status` is the number, `message` the server's own words, `headers` has lower-case names, `body` is the
    parsed JSON (`None` when it was none) and `content` the bytes. `code` and `request_id` are set by
    servers that send them, as Loopwright does; `retry_after` is in seconds.
    """

    def __init__(
        self,
        message: str,
        *,
        status: int = 0,
        headers: Mapping[str, str] | None = None,
        body: object = None,
        content: bytes = b"",
        code: str | None = None,
        request_id: str | None = None,
        retry_after: float | None = None,
        operation: str = "",
        outcome_unknown: bool = False,
        attempts: int = 0,
        idempotency_key: str | None = None,
    ) -> None:
        super().__init__(
            message, outcome_unknown=outcome_unknown, attempts=attempts, idempotency_key=idempotency_key
        )
        self.status = status
        self.headers = headers or {}
        self.body = body
        self.content = content
        self.code = code
        self.request_id = request_id
        self.retry_after = retry_after
        self.operation = operation

    def __str__(self) -> str:
        return f"{self.operation} answered {self.status}: {super().__str__()}"


class BadRequestError(StatusError):
    """400: a value failed a check; repeating the same request cannot help."""


class AuthenticationError(StatusError):
    """401: the key is missing or wrong, or the content API is off for this team."""


class PermissionDeniedError(StatusError):
    """403: the key is known and may not do this."""


class NotFoundError(StatusError):
    """404: the addressed resource does not exist in this team."""


class MethodNotAllowedError(StatusError):
    """405: the path exists, this method does not; most likely the base URL is wrong."""


class ConflictError(StatusError):
    """409: a duplicate contact, a used idempotency key, a stale revision, or no longer a draft."""


class PayloadTooLargeError(StatusError):
    """413: LMX over 100 KB, or an upload over the size limit."""


class UnprocessableError(StatusError):
    """422: LMX that does not compile, or a draft that fails validation."""


class RateLimitError(StatusError):
    """429: too many requests, or a quota is used up. `retry_after` says when to come back, if the server
    does.
    """


class ServerError(StatusError):
    """5xx: the server failed."""


class NotImplementedByServerError(ServerError):
    """501: the server does not have this operation, or this kind of change, yet."""


BY_STATUS: Mapping[int, type[StatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    403: PermissionDeniedError,
    404: NotFoundError,
    405: MethodNotAllowedError,
    409: ConflictError,
    413: PayloadTooLargeError,
    422: UnprocessableError,
    429: RateLimitError,
    501: NotImplementedByServerError,
}


def error_class(status: int) -> type[StatusError]:
    """The class for a status: its own, or the nearest above it in the tree."""
    return BY_STATUS.get(status) or (ServerError if status >= 500 else StatusError)


def mistyped(name: str, wanted: str, value: object) -> ArgumentTypeError:
    """The error that says what is wanted, what was given, and how to come from one to the other where that is
    known.
    """
    return ArgumentTypeError(f"{name} is {wanted}, not {described(value)}")


def described(value: object) -> str:
    """What a value is, and what to give in its place where that is known; never what it says, which may be
    secret.
    """
    kind = type(value).__name__
    if value is None:
        return "None"
    if hasattr(value, "get_secret_value"):
        return f"{kind}; give its get_secret_value()"
    if isinstance(value, (bytes, bytearray)):
        return f"{kind}; give its decode()"
    if hasattr(value, "pagination"):
        return f"{kind}; give its pagination.next_cursor"
    if hasattr(value, "next_cursor"):
        return f"{kind}; give its next_cursor"
    if isinstance(getattr(value, "id", None), str):
        return f"{kind}; give its id"
    return kind
