"""The API's paths, under both of its roots."""

from contextlib import suppress
from urllib.parse import quote

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from loopwright.server.refusal import NotBuilt
from loopwright.wire import operations

from . import (
    account,
    bulk,
    contacts,
    email_messages,
    event_patterns,
    events,
    export,
    inbox,
    people,
    transactional,
    transactional_emails,
)
from .endpoint import ApiRequest, Authenticator, Endpoint, Handler, respond
from .failures import SHAPES
from .fallback import unknown_path
from .paths import Paths

ROOTS = ("/api/v1", "/v1")
OWN_ROOT = "/loopwright/v1"

HANDLERS: dict[operations.Operation, Handler] = {
    operations.SEND_EVENT: events.send_event,
    operations.CREATE_CONTACT: contacts.create_contact,
    operations.UPDATE_CONTACT: contacts.update_contact,
    operations.FIND_CONTACT: contacts.find_contact,
    operations.DELETE_CONTACT: contacts.delete_contact,
    operations.GET_CONTACT_SUPPRESSION: contacts.get_suppression,
    operations.REMOVE_CONTACT_SUPPRESSION: contacts.remove_suppression,
    operations.LIST_CONTACT_PROPERTIES: contacts.list_properties,
    operations.CREATE_CONTACT_PROPERTY: contacts.create_property,
    operations.LIST_MAILING_LISTS: account.list_mailing_lists,
    operations.LIST_EVENT_PATTERNS: event_patterns.list_event_patterns,
    operations.GET_EVENT_PATTERN: event_patterns.get_event_pattern,
    operations.GET_EVENT_PATTERN_BY_NAME: event_patterns.get_event_pattern_by_name,
    operations.SEND_TRANSACTIONAL_EMAIL: transactional.send_transactional,
    operations.LIST_PUBLISHED_TRANSACTIONAL_EMAILS: transactional.list_published,
    operations.LIST_TRANSACTIONAL_EMAILS: transactional_emails.list_transactional_emails,
    operations.CREATE_TRANSACTIONAL_EMAIL: transactional_emails.create_transactional_email,
    operations.GET_TRANSACTIONAL_EMAIL: transactional_emails.get_transactional_email,
    operations.UPDATE_TRANSACTIONAL_EMAIL: transactional_emails.update_transactional_email,
    operations.ENSURE_TRANSACTIONAL_DRAFT: transactional_emails.ensure_draft,
    operations.PUBLISH_TRANSACTIONAL_EMAIL: transactional_emails.publish_transactional_email,
    operations.GET_EMAIL_MESSAGE: email_messages.get_email_message,
    operations.UPDATE_EMAIL_MESSAGE: email_messages.update_email_message,
    operations.GET_EMAIL_MESSAGE_GUARDIAN: email_messages.get_guardian,
    operations.TEST_API_KEY: account.test_api_key,
    operations.LIST_DEDICATED_SENDING_IPS: account.list_dedicated_sending_ips,
}

# The parameters that may hold slashes: they take all that is left of the path.
WIDE_PARAMETERS = {"{eventName}": "{eventName*}"}

OWN_PATHS: dict[str, dict[str, Handler]] = {
    "/bulk/contacts": {"POST": bulk.update_contacts},
    "/bulk/import": {"POST": bulk.import_contacts},
    "/bulk/events": {"POST": bulk.send_events},
    "/contacts": {"GET": export.export_contacts},
    "/contacts/data": {"GET": people.all_data},
    "/inbox": {"GET": inbox.list_inbox},
}


class Api:
    """The API as an ASGI application; what lies outside its roots goes to `pages`.

    A look-up in a table: every request passes here, and most of them are events.
    """

    def __init__(self, door: Authenticator, pages: ASGIApp) -> None:
        self._door = door
        self._pages = pages
        self._paths: Paths[Endpoint] = Paths()
        for path, rows in _rows_by_path().items():
            operation = Endpoint(
                door,
                {row.method: HANDLERS.get(row) or not_built(row) for row in rows},
                shapes={row.method: SHAPES[row] for row in rows if row in SHAPES},
                of_content=any(row.content for row in rows),
            )
            for parameter, wide in WIDE_PARAMETERS.items():
                path = path.replace(parameter, wide)
            for root in ROOTS:
                self._paths.add(root + path.removeprefix("/v1"), operation)
        for path, handlers in OWN_PATHS.items():
            self._paths.add(OWN_ROOT + path, Endpoint(door, handlers))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._pages(scope, receive, send)
            return
        path = scope["path"]
        operation = self._paths.find_fixed(path)
        if operation is not None:
            await operation(scope, receive, send)
        elif path.startswith((*ROOTS, OWN_ROOT)):
            await (self._find(scope) or self._nowhere)(scope, receive, send)
        else:
            if path.startswith("/api/"):
                # The form is an address of programs, too: a slash at the end is ignored, not redirected.
                scope["path"] = path.rstrip("/")
            with suppress(ClientDisconnect):
                await self._pages(scope, receive, send)

    def _find(self, scope: Scope) -> Endpoint | None:
        """What answers a path that has parameters, or a slash too many at its end."""
        raw_path = scope["raw_path"].decode("ascii") if scope.get("raw_path") else quote(scope["path"])
        found = self._paths.find(raw_path)
        if found is None:
            return self._paths.find_fixed(scope["path"].rstrip("/"))
        operation, scope["path_params"] = found
        return operation

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
