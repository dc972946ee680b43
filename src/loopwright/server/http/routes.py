"""The API's paths, under both of its roots."""

from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from . import account, contacts, events, transactional
from .failures import failure
from .operation import Door, Handler, Operation, new_request_id

ROOTS = ("/api/v1", "/v1")

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


def api_routes(door: Door) -> list[BaseRoute]:
    """Every operation, and an answer in JSON for every path that is none."""
    routes = [Route(path, Operation(door, handlers)) for path, handlers in PATHS.items()]
    everything_else = Mount("/", app=_unknown_path)
    return [Mount(root, routes=[*routes, everything_else]) for root in ROOTS]


async def _unknown_path(scope: Scope, receive: Receive, send: Send) -> None:
    request_id = new_request_id()
    response = failure(
        404,
        f"There is nothing at {scope['path']}; the paths are those of the Loops API, such as /api/v1/events/send.",
        code="path_unknown",
        request_id=request_id,
    )
    response.headers["x-request-id"] = request_id
    await response(scope, receive, send)
