"""Refusals: what the server says no to, and why, in words that name the remedy.

    Refusal
    ├── BadRequest        the request is wrong and stays wrong
    ├── Unauthorized      the key opens nothing
    ├── NotFound          what it speaks of is not there, for this team
    ├── Conflict          it is there already, or has changed meanwhile
    ├── TooLarge          more than the server takes at once
    ├── WrongMediaType    in a form the server does not read
    ├── Unprocessable     content that cannot become an email
    ├── TooManyRequests   faster than the team may go
    ├── Unavailable       the server cannot do it now; the same request may pass later
    └── NotBuilt          the API has it, this server does not yet

Raised anywhere in the server; `http.failures` turns each into its status and body.
"""

from collections.abc import Sequence


class Refusal(Exception):
    """A request that changes nothing. `code` is for programs, the message for people.

    `path` is the key of the request's body that the message is about, where that is known; `details` are the
    things it is about, where programs want them one by one.
    """

    def __init__(
        self, message: str, *, code: str, path: str | None = None, details: Sequence[str] = ()
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.path = path
        self.details = list(details)


class BadRequest(Refusal):
    """The request is wrong and stays wrong."""


class Unauthorized(Refusal):
    """The key opens nothing."""


class NotFound(Refusal):
    """What the request speaks of is not there, for this team."""


class Conflict(Refusal):
    """It is there already, or has changed meanwhile."""


class TooLarge(Refusal):
    """More than the server takes at once."""


class WrongMediaType(Refusal):
    """In a form the server does not read."""


class Unprocessable(Refusal):
    """Content that cannot become an email; the message names every mistake."""


class TooManyRequests(Refusal):
    """Faster than the team may go."""


class Unavailable(Refusal):
    """The server cannot do it now; the same request may pass later."""


class NotBuilt(Refusal):
    """The API has such an operation, and this server does not yet."""
