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
from loopwright.client.sync_async import AsyncConnection, AsyncTransportChoice, async_sleep
from loopwright.client.tracing import record
from loopwright.client.transport import Limits, Timeout, Verify
from loopwright.errors import ClientClosedError, NoAnswerError

if TYPE_CHECKING:
    from types import TracebackType

    from loopwright.client._async.api_key import AsyncApiKey
    from loopwright.client._async.audience_segments import AsyncAudienceSegments
    from loopwright.client._async.campaigns import AsyncCampaigns
    from loopwright.client._async.components import AsyncComponents
    from loopwright.client._async.contact_properties import AsyncContactProperties
    from loopwright.client._async.contacts import AsyncContacts
    from loopwright.client._async.dedicated_sending_ips import AsyncDedicatedSendingIps
    from loopwright.client._async.email_messages import AsyncEmailMessages
    from loopwright.client._async.event_patterns import AsyncEventPatterns
    from loopwright.client._async.events import AsyncEvents
    from loopwright.client._async.groups import AsyncGroups
    from loopwright.client._async.mailing_lists import AsyncMailingLists
    from loopwright.client._async.themes import AsyncThemes
    from loopwright.client._async.transactional import AsyncTransactional
    from loopwright.client._async.transactional_emails import AsyncTransactionalEmails
    from loopwright.client._async.uploads import AsyncUploads
    from loopwright.client._async.workflow_nodes import AsyncWorkflowNodes
    from loopwright.client._async.workflows import AsyncWorkflows
    from loopwright.client.bulk import Bulk
    from loopwright.wire.operations import Operation

Result = TypeVar("Result")


class AsyncLoops(ClientBase):
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
        transport: AsyncTransportChoice = None,
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
        self._share(settings, AsyncConnection(transport, route))

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

    async def close(self) -> None:
        """Close the connections. A transport or client that was handed in stays open."""
        await self._connection.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def send(self, call: Call[Result]) -> Result:
        """Carry a call out: wait for its turn, send it, and send it again where that is safe.

        Raises `LoopsError`, most often one of its subclasses for the status that was answered.
        """
        if self._connection.closed:
            raise ClientClosedError("this client is closed; make a new one")
        exchange = Exchange(call, self._settings, self._pace)
        tracer = self._find_tracer()
        if tracer is None:
            return await self._carry_out(exchange)
        with tracer.span(call.operation) as span:
            try:
                return await self._carry_out(exchange)
            finally:
                record(span, exchange)

    async def _carry_out(self, exchange: Exchange[Result]) -> Result:
        transport = self._connection.transport
        while True:
            pause = exchange.wait()
            if pause > 0:
                await async_sleep(pause)
            try:
                response = await transport.send(exchange.request)
            except NoAnswerError as error:
                exchange.failed(error)
            else:
                if exchange.answered(response):
                    return exchange.result

    async def find_bulk(self, operation: Operation, options: CallOptions) -> Bulk | None:
        """How the server takes many calls of `operation` in one request, or `None`: Loops does not.

        A server that is not Loops is asked, until it has told.
        """
        from loopwright.client._async.work import ask
        from loopwright.client.bulk import bulk_of

        bulk = bulk_of(operation, self._settings)
        if bulk is None:
            return None
        offers = self._connection.offers
        if operation not in offers:
            offered = await ask(self, bulk, options)
            if offered is None:
                return None
            offers[operation] = offered
        return bulk if offers[operation] else None

    def _share(self, settings: ClientSettings, connection: AsyncConnection) -> None:
        self._adopt(settings)
        self._connection = connection

    # Each resource is imported when it is first used: a program that sends events needs no workflow types.

    @lazy
    def events(self) -> AsyncEvents:
        """Send events, one or many."""
        from loopwright.client._async.events import AsyncEvents

        return AsyncEvents(self)

    @lazy
    def contacts(self) -> AsyncContacts:
        """Find, create, change and delete contacts; lift suppressions."""
        from loopwright.client._async.contacts import AsyncContacts

        return AsyncContacts(self)

    @lazy
    def contact_properties(self) -> AsyncContactProperties:
        """What can be known about contacts: list and create properties."""
        from loopwright.client._async.contact_properties import AsyncContactProperties

        return AsyncContactProperties(self)

    @lazy
    def mailing_lists(self) -> AsyncMailingLists:
        """The lists a contact can be on."""
        from loopwright.client._async.mailing_lists import AsyncMailingLists

        return AsyncMailingLists(self)

    @lazy
    def transactional(self) -> AsyncTransactional:
        """Send transactional email; to write it see `transactional_emails`."""
        from loopwright.client._async.transactional import AsyncTransactional

        return AsyncTransactional(self)

    @lazy
    def api_key(self) -> AsyncApiKey:
        """Whose key this client uses."""
        from loopwright.client._async.api_key import AsyncApiKey

        return AsyncApiKey(self)

    @lazy
    def dedicated_sending_ips(self) -> AsyncDedicatedSendingIps:
        """The team's own sending addresses."""
        from loopwright.client._async.dedicated_sending_ips import AsyncDedicatedSendingIps

        return AsyncDedicatedSendingIps(self)

    @lazy
    def campaigns(self) -> AsyncCampaigns:
        """Campaigns: one email to many contacts."""
        from loopwright.client._async.campaigns import AsyncCampaigns

        return AsyncCampaigns(self)

    @lazy
    def campaign_groups(self) -> AsyncGroups:
        """Folders for campaigns."""
        from loopwright.client._async.groups import AsyncGroups
        from loopwright.client.calls.groups import CAMPAIGN_GROUPS

        return AsyncGroups(self, CAMPAIGN_GROUPS)

    @lazy
    def transactional_emails(self) -> AsyncTransactionalEmails:
        """Write and publish transactional emails; to send one see `transactional`."""
        from loopwright.client._async.transactional_emails import AsyncTransactionalEmails

        return AsyncTransactionalEmails(self)

    @lazy
    def transactional_groups(self) -> AsyncGroups:
        """Folders for transactional emails."""
        from loopwright.client._async.groups import AsyncGroups
        from loopwright.client.calls.groups import TRANSACTIONAL_GROUPS

        return AsyncGroups(self, TRANSACTIONAL_GROUPS)

    @lazy
    def email_messages(self) -> AsyncEmailMessages:
        """The content of campaigns, workflow emails and transactional emails."""
        from loopwright.client._async.email_messages import AsyncEmailMessages

        return AsyncEmailMessages(self)

    @lazy
    def themes(self) -> AsyncThemes:
        """Styles that many emails share."""
        from loopwright.client._async.themes import AsyncThemes

        return AsyncThemes(self)

    @lazy
    def components(self) -> AsyncComponents:
        """Pieces of LMX that many emails share."""
        from loopwright.client._async.components import AsyncComponents

        return AsyncComponents(self)

    @lazy
    def audience_segments(self) -> AsyncAudienceSegments:
        """Named filters of contacts."""
        from loopwright.client._async.audience_segments import AsyncAudienceSegments

        return AsyncAudienceSegments(self)

    @lazy
    def workflows(self) -> AsyncWorkflows:
        """Workflows as wholes; for their nodes see `workflow_nodes`."""
        from loopwright.client._async.workflows import AsyncWorkflows

        return AsyncWorkflows(self)

    @lazy
    def workflow_nodes(self) -> AsyncWorkflowNodes:
        """The nodes of a workflow that is not sending."""
        from loopwright.client._async.workflow_nodes import AsyncWorkflowNodes

        return AsyncWorkflowNodes(self)

    @lazy
    def workflow_groups(self) -> AsyncGroups:
        """Folders for workflows."""
        from loopwright.client._async.groups import AsyncGroups
        from loopwright.client.calls.groups import WORKFLOW_GROUPS

        return AsyncGroups(self, WORKFLOW_GROUPS)

    @lazy
    def event_patterns(self) -> AsyncEventPatterns:
        """What the API has learned of events: their names and properties."""
        from loopwright.client._async.event_patterns import AsyncEventPatterns

        return AsyncEventPatterns(self)

    @lazy
    def uploads(self) -> AsyncUploads:
        """Images for emails."""
        from loopwright.client._async.uploads import AsyncUploads

        return AsyncUploads(self)
