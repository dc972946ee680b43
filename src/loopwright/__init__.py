"""The Loops API for Python: `Loops` and `AsyncLoops`, what they answer, and what they raise.

Importing this loads nothing yet: each name comes from its module when it is first used, and an HTTP library
when a client is made.
"""

from loopwright.version import VERSION

TYPE_CHECKING = False
if TYPE_CHECKING:
    from loopwright.client._async.client import AsyncLoops as AsyncLoops
    from loopwright.client._sync.client import Loops as Loops
    from loopwright.client.call import CallOptions as CallOptions
    from loopwright.client.transport import AsyncTransport as AsyncTransport
    from loopwright.client.transport import HttpRequest as HttpRequest
    from loopwright.client.transport import HttpResponse as HttpResponse
    from loopwright.client.transport import Limits as Limits
    from loopwright.client.transport import Timeout as Timeout
    from loopwright.client.transport import Transport as Transport
    from loopwright.errors import AuthenticationError as AuthenticationError
    from loopwright.errors import BadRequestError as BadRequestError
    from loopwright.errors import ClientClosedError as ClientClosedError
    from loopwright.errors import ConfigurationError as ConfigurationError
    from loopwright.errors import ConflictError as ConflictError
    from loopwright.errors import LoopsConnectionError as LoopsConnectionError
    from loopwright.errors import LoopsError as LoopsError
    from loopwright.errors import LoopsTimeoutError as LoopsTimeoutError
    from loopwright.errors import MethodNotAllowedError as MethodNotAllowedError
    from loopwright.errors import NoAnswerError as NoAnswerError
    from loopwright.errors import NotFoundError as NotFoundError
    from loopwright.errors import NotImplementedByServerError as NotImplementedByServerError
    from loopwright.errors import PayloadTooLargeError as PayloadTooLargeError
    from loopwright.errors import PermissionDeniedError as PermissionDeniedError
    from loopwright.errors import RateLimitError as RateLimitError
    from loopwright.errors import ServerError as ServerError
    from loopwright.errors import StatusError as StatusError
    from loopwright.errors import TransportUnavailableError as TransportUnavailableError
    from loopwright.errors import UnprocessableError as UnprocessableError
    from loopwright.errors import UnreadableAnswerError as UnreadableAnswerError
    from loopwright.outbox import Outbox as Outbox
    from loopwright.wire.answers import UNSET as UNSET
    from loopwright.wire.answers import Listing as Listing
    from loopwright.wire.answers import Raw as Raw
    from loopwright.wire.contacts import Contact as Contact
    from loopwright.wire.contacts import ContactProperty as ContactProperty
    from loopwright.wire.events import EventAccepted as EventAccepted
    from loopwright.wire.lists import MailingList as MailingList
    from loopwright.wire.paging import Page as Page
    from loopwright.wire.transactional import Attachment as Attachment
    from loopwright.wire.values import PropertyValue as PropertyValue

__version__ = VERSION

_HOMES = {
    "loopwright.client._async.client": ("AsyncLoops",),
    "loopwright.client._sync.client": ("Loops",),
    "loopwright.client.call": ("CallOptions",),
    "loopwright.client.transport": (
        "AsyncTransport",
        "HttpRequest",
        "HttpResponse",
        "Limits",
        "Timeout",
        "Transport",
    ),
    "loopwright.errors": (
        "AuthenticationError",
        "BadRequestError",
        "ClientClosedError",
        "ConfigurationError",
        "ConflictError",
        "LoopsConnectionError",
        "LoopsError",
        "LoopsTimeoutError",
        "MethodNotAllowedError",
        "NoAnswerError",
        "NotFoundError",
        "NotImplementedByServerError",
        "PayloadTooLargeError",
        "PermissionDeniedError",
        "RateLimitError",
        "ServerError",
        "StatusError",
        "TransportUnavailableError",
        "UnprocessableError",
        "UnreadableAnswerError",
    ),
    "loopwright.outbox": ("Outbox",),
    "loopwright.wire.answers": ("UNSET", "Listing", "Raw"),
    "loopwright.wire.contacts": ("Contact", "ContactProperty"),
    "loopwright.wire.events": ("EventAccepted",),
    "loopwright.wire.lists": ("MailingList",),
    "loopwright.wire.paging": ("Page",),
    "loopwright.wire.transactional": ("Attachment",),
    "loopwright.wire.values": ("PropertyValue",),
}
_HOME_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> object:
    if name not in _HOME_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value: object = getattr(import_module(_HOME_OF[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return ["__version__", *sorted(_HOME_OF)]
