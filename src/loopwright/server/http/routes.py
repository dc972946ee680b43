"""The API's paths, under both of its roots."""

from contextlib import suppress
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from loopwright.server.refusal import NotBuilt
from loopwright.wire import operations

from . import audience, bulk, campaign_sending, export, inbox, people
from .dispatch import ApiRequest, Authenticator, Handler, Resource, respond
from .endpoints import BY_OPERATION
from .failures import Shapes
from .fallback import unknown_path
from .paths import Paths

ROOTS = ("/api/v1", "/v1")
OWN_ROOT = "/loopwright/v1"

# The parameters that may hold slashes: they take all that is left of the path.
WIDE_PARAMETERS = {"{eventName}": "{eventName*}"}

OWN_PATHS: dict[str, dict[str, Handler]] = {
    "/bulk/contacts": {"POST": bulk.update_contacts},
    "/bulk/import": {"POST": bulk.import_contacts},
    "/bulk/events": {"POST": bulk.send_events},
    "/contacts": {"GET": export.export_contacts},
    "/contacts/data": {"GET": people.all_data},
    "/audience/count": {"POST": audience.count_audience},
    "/audience/preview": {"POST": audience.preview_audience},
    "/campaigns/{campaignId}": {"GET": campaign_sending.show_campaign},
    "/campaigns/{campaignId}/send": {"POST": campaign_sending.send_campaign},
    "/campaigns/{campaignId}/schedule": {"POST": campaign_sending.schedule_campaign},
    "/campaigns/{campaignId}/pause": {"POST": campaign_sending.pause_campaign},
    "/campaigns/{campaignId}/resume": {"POST": campaign_sending.resume_campaign},
    "/campaigns/{campaignId}/cancel": {"POST": campaign_sending.cancel_campaign},
    "/campaigns/{campaignId}/test": {"POST": campaign_sending.test_campaign},
    "/inbox": {"GET": inbox.list_inbox},
}


class Api:
    """The API as an ASGI application; what lies outside its roots goes to `pages`.

    A look-up in a table: every request passes here, and most of them are events.
    """

    def __init__(self, door: Authenticator, pages: ASGIApp) -> None:
        self._door = door
        self._pages = pages
        self._paths: Paths[Resource] = Paths()
        for path, rows in _rows_by_path().items():
            handlers: dict[str, Handler] = {row.method: not_built(row) for row in rows}
            shapes: dict[str, Shapes] = {}
            for endpoint in [BY_OPERATION[row] for row in rows if row in BY_OPERATION]:
                handlers[endpoint.operation.method] = endpoint.handler
                shapes[endpoint.operation.method] = endpoint.shapes
            resource = Resource(door, handlers, shapes, of_content=any(row.content for row in rows))
            for parameter, wide in WIDE_PARAMETERS.items():
                path = path.replace(parameter, wide)
            for root in ROOTS:
                self._paths.add(root + path.removeprefix("/v1"), resource)
        for path, handlers in OWN_PATHS.items():
            self._paths.add(OWN_ROOT + path, Resource(door, handlers, {}))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._pages(scope, receive, send)
            return
        path = scope["path"]
        resource = self._paths.find_fixed(path)
        if resource is not None:
            await resource(scope, receive, send)
        elif path.startswith((*ROOTS, OWN_ROOT)):
            await (self._find(scope) or self._nowhere)(scope, receive, send)
        else:
            if path.startswith("/api/"):
                # The form is an address of programs, too: a slash at the end is ignored, not redirected.
                scope["path"] = path.rstrip("/")
            with suppress(ClientDisconnect):
                await self._pages(scope, receive, send)

    def _find(self, scope: Scope) -> Resource | None:
        """What answers a path that has parameters, or a slash too many at its end."""
        raw_path = scope["raw_path"].decode("ascii") if scope.get("raw_path") else quote(scope["path"])
        found = self._paths.find(raw_path)
        if found is None:
            return self._paths.find_fixed(scope["path"].rstrip("/"))
        resource, scope["path_params"] = found
        return resource

    async def _nowhere(self, scope: Scope, receive: Receive, send: Send) -> None:
        await respond(self._unknown_path, scope, receive, send)

    async def _unknown_path(self, request: Request, headers: dict[str, str]) -> Response:
        await self._door.count_stray(request, headers)
        raise unknown_path(request.scope["path"])


def not_built(row: operations.Operation) -> Handler:
    """Says so by name: whoever calls it has the right address, and would look for a mistake of their own."""

    async def refuse(_: ApiRequest) -> Response:
        raise NotBuilt(
            f"{row.id} is not built in this server yet; /openapi.json lists what is.", code="not_built"
        )

    return refuse


def _rows_by_path() -> dict[str, list[operations.Operation]]:
    by_path: dict[str, list[operations.Operation]] = {}
    for row in operations.OPERATIONS:
        by_path.setdefault(row.path, []).append(row)
    return by_path
