"""The API's paths, under both of its roots."""

from contextlib import suppress
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from . import (
    audience,
    bulk,
    campaign_sending,
    export,
    feedback,
    inbox,
    people,
    visits,
    webhooks,
    workflow_control,
    workflow_emails,
)
from .dispatch import Authenticator, Handler, Resource, respond
from .endpoint import Endpoint
from .endpoints import ENDPOINTS
from .fallback import unknown_path
from .paths import Paths, tidied
from .strict import without_keys

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
    "/email-messages/{emailMessageId}/visits": {"GET": visits.show_visits},
    "/campaigns/{campaignId}": {"GET": campaign_sending.show_campaign},
    "/campaigns/{campaignId}/send": {"POST": without_keys(campaign_sending.send_campaign)},
    "/campaigns/{campaignId}/schedule": {"POST": campaign_sending.schedule_campaign},
    "/campaigns/{campaignId}/pause": {"POST": without_keys(campaign_sending.pause_campaign)},
    "/campaigns/{campaignId}/resume": {"POST": without_keys(campaign_sending.resume_campaign)},
    "/campaigns/{campaignId}/cancel": {"POST": without_keys(campaign_sending.cancel_campaign)},
    "/campaigns/{campaignId}/send-to-joined": {
        "POST": without_keys(campaign_sending.send_campaign_to_joined)
    },
    "/campaigns/{campaignId}/retry": {"POST": campaign_sending.retry_campaign},
    "/campaigns/{campaignId}/test": {"POST": campaign_sending.test_campaign},
    "/warm-up": {"GET": campaign_sending.show_warm_up},
    "/brakes": {"GET": feedback.list_brakes},
    "/feedback/doors": {"GET": feedback.list_doors, "POST": feedback.create_door},
    "/feedback/doors/{doorId}": {"DELETE": feedback.delete_door},
    "/feedback/unknown": {"GET": feedback.list_unknown, "DELETE": feedback.clear_unknown},
    "/feedback/stopped": {"GET": feedback.list_stopped, "DELETE": feedback.release_address},
    "/inbox": {"GET": inbox.list_inbox},
    "/webhooks": {"GET": webhooks.list_webhooks, "POST": webhooks.create_webhook},
    "/webhooks/{webhookId}": {
        "GET": webhooks.get_webhook,
        "POST": webhooks.update_webhook,
        "DELETE": webhooks.delete_webhook,
    },
    "/webhooks/{webhookId}/rotate": {"POST": without_keys(webhooks.rotate_webhook)},
    "/webhooks/{webhookId}/test": {"POST": without_keys(webhooks.test_webhook)},
    "/webhooks/{webhookId}/replay": {"POST": webhooks.replay_webhook},
    "/webhooks/{webhookId}/deliveries": {"GET": webhooks.list_deliveries},
    "/webhooks/{webhookId}/deliveries/{deliveryId}": {"GET": webhooks.get_delivery},
    "/workflows": {"GET": workflow_control.list_states},
    "/workflows/{workflowId}": {"GET": workflow_control.show_state},
    "/workflows/{workflowId}/nodes/{nodeId}": {
        "GET": workflow_emails.get_stale_after,
        "POST": workflow_emails.update_stale_after,
    },
    "/workflows/{workflowId}/start": {"POST": without_keys(workflow_control.start)},
    "/workflows/{workflowId}/pause": {"POST": without_keys(workflow_control.pause)},
    "/workflows/{workflowId}/resume": {"POST": without_keys(workflow_control.resume)},
    "/workflows/{workflowId}/stop": {"POST": without_keys(workflow_control.stop)},
}


class Api:
    """The API as an ASGI application; what lies outside its roots goes to `pages`.

    A look-up in a table: every request passes here, and most of them are events.
    """

    def __init__(self, door: Authenticator, pages: ASGIApp) -> None:
        self._door = door
        self._pages = pages
        self._paths: Paths[Resource] = Paths()
        for path, endpoints in _by_path().items():
            resource = Resource(
                door,
                {one.operation.method: one.handler for one in endpoints},
                {one.operation.method: one.shapes for one in endpoints},
                of_content=any(one.operation.content for one in endpoints),
            )
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
        elif (meant := tidied(path)).startswith((*ROOTS, OWN_ROOT)):
            await self._find(scope)(scope, receive, send)
        else:
            goes_on = path.endswith("/") and _may_be_redirected(meant, scope["method"])
            scope["path"] = f"{meant}/" if goes_on else meant
            with suppress(ClientDisconnect):
                await self._pages(scope, receive, send)

    def _find(self, scope: Scope) -> ASGIApp:
        """What answers a path that has parameters, or slashes too many."""
        raw_path = scope["raw_path"].decode("ascii") if scope.get("raw_path") else quote(scope["path"])
        found = self._paths.find(raw_path)
        if found is None:
            return self._nowhere
        resource, scope["path_params"] = found
        return resource

    async def _nowhere(self, scope: Scope, receive: Receive, send: Send) -> None:
        await respond(self._unknown_path, scope, receive, send)

    async def _unknown_path(self, request: Request, headers: dict[str, str]) -> Response:
        await self._door.count_stray(request, headers)
        raise unknown_path(request.scope["path"])


def _may_be_redirected(path: str, method: str) -> bool:
    """Whether a slash at the end of a page's path stays: browsers follow it, and relative links begin there.

    Programs send to forms, doors and uploads, and many lose a body on the way.
    """
    return method in ("GET", "HEAD") and not path.startswith("/api/") and path != "/"


def _by_path() -> dict[str, list[Endpoint]]:
    by_path: dict[str, list[Endpoint]] = {}
    for endpoint in ENDPOINTS:
        by_path.setdefault(endpoint.operation.path, []).append(endpoint)
    return by_path
