"""The API's paths, under both of its roots."""

from starlette.types import ASGIApp, Receive, Scope, Send

from . import account, bulk, contacts, events, inbox, transactional
from .failures import failure
from .operation import Door, Handler, Operation, new_request_id

ROOTS = ("/api/v1", "/v1")
OWN_ROOT = "/loopwright/v1"

PATHS: dict[str, dict[str, Handler]] = {
    "/events/send": {"POST": events.send_event},
    "/contacts/create": {"POST": contacts.create_contact},
    "/contacts/update": {"PUT": contacts.update_contact},
    "/contacts/find": {"GET": contacts.find_contact},
    "/contacts/delete": {"POST": contacts.delete_contact},
    "/contacts/suppression": {"GET": contacts.get_suppression, "DELETE": contacts.remove_suppression},
    "/contacts/properties": {"GET": contacts.list_properties, "POST": contacts.create_property},
    "/lists": {"GET": account.list_mailing_lists},
    "/transactional": {"POST": transactional.send_transactional, "GET": transactional.list_published},
    "/api-key": {"GET": account.test_api_key},
    "/dedicated-sending-ips": {"GET": account.list_dedicated_sending_ips},
}

OWN_PATHS: dict[str, dict[str, Handler]] = {
    "/bulk/contacts": {"POST": bulk.update_contacts},
    "/bulk/events": {"POST": bulk.send_events},
    "/inbox": {"GET": inbox.list_inbox},
}


class Api:
    """The API as an ASGI application; what lies outside its roots goes to `pages`.

    A look-up in a table: every request passes here, and most of them are events.
    """

    def __init__(self, door: Door, pages: ASGIApp) -> None:
        self._pages = pages
        self._operations = {
            **{root + path: Operation(door, handlers) for path, handlers in PATHS.items() for root in ROOTS},
            **{OWN_ROOT + path: Operation(door, handlers) for path, handlers in OWN_PATHS.items()},
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        path = scope.get("path", "")
        operation = self._operations.get(path)
        if operation is not None and scope["type"] == "http":
            await operation(scope, receive, send)
        elif path.startswith((*ROOTS, OWN_ROOT)) and scope["type"] == "http":
            await _unknown_path(scope, receive, send)
        else:
            await self._pages(scope, receive, send)


async def _unknown_path(scope: Scope, receive: Receive, send: Send) -> None:
    request_id = new_request_id()
    response = failure(
        404,
        f"There is nothing at {scope['path']}; paths are those of the Loops API, such as /api/v1/events/send.",
        code="path_unknown",
        request_id=request_id,
    )
    response.headers["x-request-id"] = request_id
    await response(scope, receive, send)
