"""A name for each request, to find it in the log: on every answer, and in every error body."""

from itertools import count
from secrets import token_hex

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from loopwright.forks import in_every_child

_KEY = "loopwright.request_id"


class RequestIds:
    """An application whose requests have names, and whose answers tell them as `x-request-id`."""

    def __init__(self, application: ASGIApp) -> None:
        self._application = application

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._application(scope, receive, send)
            return
        request_id = scope[_KEY] = f"{_process.name}-{next(_requests):x}"

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
            await send(message)

        await self._application(scope, receive, named)


def request_id_of(scope: Scope) -> str:
    """The name of a request that is under way: this process, and a number."""
    name: str = scope[_KEY]
    return name


class _Process:
    """The name of this process, which a forked one must not go by."""

    def __init__(self) -> None:
        self.rename()

    def rename(self) -> None:
        self.name = token_hex(4)


_requests = count(1)
_process = _Process()
in_every_child(_process.rename)
