# Made by tools/make_sync.py from src/loopwright/client/_async/client.py
"""The client: settings, connection, resources, and the loop that carries a call out."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Self, TypeVar

from msgspec import UNSET, UnsetType

from loopwright.client.base import ClientBase, changed
from loopwright.client.call import Call, CallOptions
from loopwright.client.config import (
    DEFAULT_RETRIES,
    DEFAULT_TIMEOUT,
    ClientSettings,
    resolve_route,
    resolve_settings,
)
from loopwright.client.exchange import Exchange
from loopwright.client.keywords import strict
from loopwright.client.lazy import lazy
from loopwright.client.logs import log_as_asked
from loopwright.client.sync_async import Connection, TransportChoice, sleep
from loopwright.client.tracing import record
from loopwright.client.transport import Limits, Timeout, Verify
from loopwright.errors import ClientClosedError, NoAnswerError

if TYPE_CHECKING:
    from types import TracebackType

    from loopwright.client._sync.api_key import ApiKey
    from loopwright.client._sync.audience_segments import AudienceSegments
    from loopwright.client._sync.campaigns import Campaigns
    from loopwright.client._sync.components import Components
    from loopwright.client._sync.contact_properties import ContactProperties
    from loopwright.client._sync.contacts import Contacts
    from loopwright.client._sync.dedicated_sending_ips import DedicatedSendingIps
    from loopwright.client._sync.email_messages import EmailMessages
    from loopwright.client._sync.event_patterns import EventPatterns
    from loopwright.client._sync.events import Events
    from loopwright.client._sync.groups import Groups
    from loopwright.client._sync.mailing_lists import MailingLists
    from loopwright.client._sync.themes import Themes
    from loopwright.client._sync.transactional import Transactional
    from loopwright.client._sync.transactional_emails import TransactionalEmails
    from loopwright.client._sync.uploads import Uploads
    from loopwright.client._sync.workflow_nodes import WorkflowNodes
    from loopwright.client._sync.workflows import Workflows
    from loopwright.client.bulk import Bulk
    from loopwright.wire.operations import Operation

Result = TypeVar("Result")


class Loops(ClientBase):
    """A client of the Loops API.

    `api_key` and `base_url` default to `LOOPS_API_KEY` and `LOOPS_BASE_URL`; the latter may end in `/api` or
    `/api/v1`. `timeout` is in seconds, for each phase and the whole of a request, or a `Timeout`.
    `max_retries` counts requests after the first. `transport` is "httpx2" (the default), "pyreqwest" (extra
    `fast`), an httpx2 client of your own, or any object with the one method of the transport protocol.
    `verify` is `True`, `False`, the path of a PEM file or folder, or an `ssl.SSLContext`; `proxy` a URL, by
    default what the environment says; they, and `limits`, are for the first two transports. With `pacing`
    calls wait for the limits the server reports, together with all clients of this process that share the
    key. `allowed_recipients` names addresses (`ada@example.org`) and domains (`@acme.example`), by default
    those of `LOOPS_ALLOWED_RECIPIENTS`; what could cause email to anybody else then raises
    `RecipientNotAllowedError`.

    With `LOOPS_LOG=info` each request is a line on standard error, with `debug` more than that.

    Safe to use from many threads, tasks and event loops, and after a fork. Raises `ConfigurationError`.
    """

    @strict
    def __init__(
        self,
        api_key: str | None = None,
        *,
        base_url: str | None = None,
        timeout: float | Timeout | None = DEFAULT_TIMEOUT,
        max_retries: int = DEFAULT_RETRIES,
        transport: TransportChoice = None,
        headers: Mapping[str, str] | None = None,
        verify: Verify = True,
        proxy: str | None = None,
        limits: Limits | None = None,
        pacing: bool = True,
        allowed_recipients: Iterable[str] | None = None,
    ) -> None:
        log_as_asked(os.environ)
        settings = resolve_settings(
            api_key, base_url, timeout, max_retries, headers, pacing, allowed_recipients
        )
        route = resolve_route(settings, verify, proxy, limits)
        self._share(settings, Connection(transport, route))

    @strict
    def with_options(
        self,
        *,
        api_key: str | UnsetType = UNSET,
        timeout: float | Timeout | UnsetType | None = UNSET,
        max_retries: int | UnsetType = UNSET,
        headers: Mapping[str, str] | UnsetType = UNSET,
    ) -> Self:
        """A copy with other settings over the same connections; closing either closes both.

        `headers` are added to those there are.
        """
        copy = type(self).__new__(type(self))
        settings = changed(
            self._settings, api_key=api_key, timeout=timeout, max_retries=max_retries, headers=headers
        )
        copy._share(settings, self._connection)
        return copy

    def close(self) -> None:
        """Close the connections. A transport or client that was handed in stays open."""
        self._connection.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def send(self, call: Call[Result]) -> Result:
        """Carry a call out: wait for its turn, send it, and send it again where that is safe.

        Raises `LoopsError`, most often one of its subclasses for the status that was answered.
        """
        if self._connection.closed:
            raise ClientClosedError("this client is closed; make a new one")
        exchange = Exchange(call, self._settings, self._pace)
        tracer = self._find_tracer()
        if tracer is None:
            return self._carry_out(exchange)
        with tracer.span(call.operation) as span:
            try:
                return self._carry_out(exchange)
            finally:
                record(span, exchange)

    def _carry_out(self, exchange: Exchange[Result]) -> Result:
        transport = self._connection.transport
        while True:
            pause = exchange.wait()
            if pause > 0:
                sleep(pause)
            try:
                response = transport.send(exchange.request)
            except NoAnswerError as error:
                exchange.failed(error)
            else:
                if exchange.answered(response):
                    return exchange.result

    def find_bulk(self, operation: Operation, options: CallOptions) -> Bulk | None:
        """How the server takes many calls of `operation` in one request, or `None`: Loops does not.

        A server that is not Loops is asked, until it has told.
        """
        from loopwright.client._sync.work import ask
        from loopwright.client.bulk import bulk_of

        bulk = bulk_of(operation, self._settings)
        if bulk is None:
            return None
        offers = self._connection.offers
        if operation not in offers:
            offered = ask(self, bulk, options)
            if offered is None:
                return None
            offers[operation] = offered
        return bulk if offers[operation] else None

    def _share(self, settings: ClientSettings, connection: Connection) -> None:
        self._adopt(settings)
        self._connection = connection

    # Each resource is imported when it is first used: a program that sends events needs no workflow types.

    @lazy
    def events(self) -> Events:
        """Send events, one or many."""
        from loopwright.client._sync.events import Events

        return Events(self)

    @lazy
    def contacts(self) -> Contacts:
        """Find, create, change and delete contacts; lift suppressions."""
        from loopwright.client._sync.contacts import Contacts

        return Contacts(self)

    @lazy
    def contact_properties(self) -> ContactProperties:
        """What can be known about contacts: list and create properties."""
        from loopwright.client._sync.contact_properties import ContactProperties

        return ContactProperties(self)

    @lazy
    def mailing_lists(self) -> MailingLists:
        """The lists a contact can be on."""
        from loopwright.client._sync.mailing_lists import MailingLists

        return MailingLists(self)

    @lazy
    def transactional(self) -> Transactional:
        """Send transactional email; to write it see `transactional_emails`."""
        from loopwright.client._sync.transactional import Transactional

        return Transactional(self)

    @lazy
    def api_key(self) -> ApiKey:
        """Whose key this client uses."""
        from loopwright.client._sync.api_key import ApiKey

        return ApiKey(self)

    @lazy
    def dedicated_sending_ips(self) -> DedicatedSendingIps:
        """The team's own sending addresses."""
        from loopwright.client._sync.dedicated_sending_ips import DedicatedSendingIps

        return DedicatedSendingIps(self)

    @lazy
    def campaigns(self) -> Campaigns:
        """Campaigns: one email to many contacts."""
        from loopwright.client._sync.campaigns import Campaigns

        return Campaigns(self)

    @lazy
    def campaign_groups(self) -> Groups:
        """Folders for campaigns."""
        from loopwright.client._sync.groups import Groups
        from loopwright.client.calls.groups import CAMPAIGN_GROUPS

        return Groups(self, CAMPAIGN_GROUPS)

    @lazy
    def transactional_emails(self) -> TransactionalEmails:
        """Write and publish transactional emails; to send one see `transactional`."""
        from loopwright.client._sync.transactional_emails import TransactionalEmails

        return TransactionalEmails(self)

    @lazy
    def transactional_groups(self) -> Groups:
        """Folders for transactional emails."""
        from loopwright.client._sync.groups import Groups
        from loopwright.client.calls.groups import TRANSACTIONAL_GROUPS

        return Groups(self, TRANSACTIONAL_GROUPS)

    @lazy
    def email_messages(self) -> EmailMessages:
        """The content of campaigns, workflow emails and transactional emails."""
        from loopwright.client._sync.email_messages import EmailMessages

        return EmailMessages(self)

    @lazy
    def themes(self) -> Themes:
        """Styles that many emails share."""
        from loopwright.client._sync.themes import Themes

        return Themes(self)

    @lazy
    def components(self) -> Components:
        """Pieces of LMX that many emails share."""
        from loopwright.client._sync.components import Components

        return Components(self)

    @lazy
    def audience_segments(self) -> AudienceSegments:
        """Named filters of contacts."""
        from loopwright.client._sync.audience_segments import AudienceSegments

        return AudienceSegments(self)

    @lazy
    def workflows(self) -> Workflows:
        """Workflows as wholes; for their nodes see `workflow_nodes`."""
        from loopwright.client._sync.workflows import Workflows

        return Workflows(self)

    @lazy
    def workflow_nodes(self) -> WorkflowNodes:
        """The nodes of a workflow that is not sending."""
        from loopwright.client._sync.workflow_nodes import WorkflowNodes

        return WorkflowNodes(self)

    @lazy
    def workflow_groups(self) -> Groups:
        """Folders for workflows."""
        from loopwright.client._sync.groups import Groups
        from loopwright.client.calls.groups import WORKFLOW_GROUPS

        return Groups(self, WORKFLOW_GROUPS)

    @lazy
    def event_patterns(self) -> EventPatterns:
        """What the API has learned of events: their names and properties."""
        from loopwright.client._sync.event_patterns import EventPatterns

        return EventPatterns(self)

    @lazy
    def uploads(self) -> Uploads:
        """Images for emails."""
        from loopwright.client._sync.uploads import Uploads

        return Uploads(self)
