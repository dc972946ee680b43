"""Delivering: one job, one email, one transaction that holds the email's row from decision to outcome.

Whoever comes for the same email waits for that row and then finds it no longer queued. Between the server's
250 and our commit is the one window in which a crash sends a message twice; its Message-ID stays the same.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta
from typing import TypeAlias

from msgspec import Struct
from pgqueuer import RetryRequested

from loopwright.server.clock import Clock
from loopwright.server.refusal import NotFound
from loopwright.server.store import suppressions
from loopwright.server.store.contacts import ContactRow, load_contact
from loopwright.server.store.database import Connection, Pool
from loopwright.server.store.emails import (
    EmailRow,
    load_delivery_context,
    lock_email,
    mark_failed,
    mark_sent,
    mark_skipped,
    mark_tried,
)
from loopwright.server.store.jobs import DeliverEmail
from loopwright.server.store.messages import load_revision
from loopwright.server.store.teams import TeamRow, load_team

from .addresses import UnwritableAddress
from .compose import Envelope, compose
from .decide import is_reserved, reason_to_skip
from .layout import Footer
from .links import unsubscribe_url
from .recipient import values_for
from .render import MissingVariables, Prepared, UnsoundContent, fill, prepare
from .retry import delay_after
from .transport import Accepted, Bounced, Connections, Deferred, Refused, Server, read_url

Unsubscribe: TypeAlias = Callable[[str, str], Awaitable[None]]
"""Takes a contact out of the audience: team id, contact id. Raises `NotFound` for one that is no more."""

DEFAULT_SENDER = "hello"


class Skipped(Struct, frozen=True):
    """The email is not to be sent."""

    reason: str


class Sent(Struct, frozen=True):
    """The email went out, to that address and with that subject.

    `note` says which copies were refused, and which addresses were left out.
    """

    to_email: str
    subject: str
    note: str


class HardBounce(Struct, frozen=True):
    """There is nobody at that address."""

    to_email: str
    reason: str


Result: TypeAlias = Sent | Skipped | HardBounce | Deferred | Refused


class Mailer:
    """Delivers emails: to the server at `smtp_url`, or to the inbox of this process, at `inbox`.

    Each delivery holds one connection of `pool` while it talks to a server, and there are at most `parallel`
    of them; so the pool must be larger than that. `timeout` in seconds is for each answer of a server.
    """

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        *,
        public_url: str,
        inbox: Server,
        smtp_url: str | None,
        unsubscribe: Unsubscribe,
        parallel: int = 6,
        timeout: float = 60.0,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._public_url = public_url
        self._unsubscribe = unsubscribe
        self._turns = asyncio.Semaphore(parallel)
        self._prepared = LruCache(256)
        self._inbox = Connections(inbox, size=parallel, timeout=timeout)
        self._outside = (
            Connections(read_url(smtp_url), size=parallel, timeout=timeout) if smtp_url else self._inbox
        )

    async def deliver(self, job: DeliverEmail) -> None:
        """Send the job's email if it is still queued. Raises `RetryRequested` to be tried again later."""
        async with self._turns:
            async with self._pool.acquire() as tx, tx.transaction():
                email = await lock_email(tx, job.team_id, job.email_id)
                if email is None or email.status != "queued":
                    return
                result = await self._attempt(tx, email)
                delay = await self._record(tx, email, result)
            if isinstance(result, HardBounce):
                await self._bounce(email, result)
        if delay is not None:
            raise RetryRequested(delay=delay, reason="the email could not be delivered yet")

    async def close(self) -> None:
        """Close the connections to the servers."""
        await self._inbox.close()
        await self._outside.close()

    async def _attempt(self, tx: Connection, email: EmailRow) -> Result:
        contact = None
        if email.kind == "marketing" and email.contact_id:
            contact = await load_contact(tx, email.team_id, email.contact_id)
        to_email = contact.email if contact else email.to_email
        context = await load_delivery_context(
            tx, email.team_id, mailing_list_id=email.mailing_list_id, to_email=to_email.lower()
        )
        if reason := reason_to_skip(email, contact, is_suppressed=context.is_suppressed):
            return Skipped(reason)
        team = await load_team(tx, email.team_id)
        footer = None
        if email.kind == "marketing":
            footer = Footer(company=team.company, address=team.address, list_name=context.list_name)
        try:
            prepared = await self._content(tx, email, footer)
            return await self._send(email, contact, to_email, team, prepared)
        except MissingVariables as error:
            return Skipped(str(error))
        except (UnsoundContent, UnwritableAddress) as error:
            return Refused(str(error))

    async def _content(self, tx: Connection, email: EmailRow, footer: Footer | None) -> Prepared:
        """The email's pinned revision, prepared once for everybody who gets it."""
        assert email.revision_id is not None, "the database lets no email wait without one"
        key = (email.revision_id, footer)
        prepared = self._prepared.get(key)
        if prepared is None:
            revision = await load_revision(tx, email.team_id, email.revision_id)
            assert revision is not None, "the email's row refers to it"
            prepared = prepare(revision.content, footer)
            self._prepared.put(key, prepared)
        return prepared

    async def _send(
        self, email: EmailRow, contact: ContactRow | None, to_email: str, team: TeamRow, prepared: Prepared
    ) -> Result:
        link = ""
        if email.kind == "marketing":
            link = unsubscribe_url(
                self._public_url,
                team.secret,
                team_id=team.id,
                email_id=email.id,
                mailing_list_id=email.mailing_list_id,
            )
        rendered = fill(prepared, values_for(email, contact, unsubscribe_link=link))
        envelope = Envelope(
            mime_id=email.mime_id,
            from_email=f"{rendered.from_email or DEFAULT_SENDER}@{team.sending_domain}",
            to_email=to_email,
            unsubscribe_link=link,
        )
        message = compose(rendered, envelope, email.attachments, now=self._clock.now())
        if is_reserved(message.recipient):
            outcome = await self._inbox.send(message)
        else:
            outcome = await self._outside.send(message.without_copies_to(is_reserved))
        match outcome:
            case Accepted(note):
                said = "; ".join(filter(None, (message.note, note)))
                return Sent(to_email, rendered.subject, said)
            case Bounced(reason):
                return HardBounce(to_email, reason)
            case _:
                return outcome

    async def _record(self, tx: Connection, email: EmailRow, result: Result) -> timedelta | None:
        """Write the result down, and answer after which time to try again, if at all."""
        match result:
            case Sent(to_email, subject, note):
                now = self._clock.now()
                await mark_sent(tx, email, to_email=to_email, subject=subject, note=note, now=now)
            case Skipped(reason):
                await mark_skipped(tx, email, reason)
            case Refused(reason):
                await mark_failed(tx, email, reason)
            case Deferred(reason):
                delay = delay_after(email.attempts + 1)
                await (mark_tried if delay else mark_failed)(tx, email, reason)
                return delay
            case HardBounce():
                pass  # a bounce is written down once its contact has left the audience
        return None

    async def _bounce(self, email: EmailRow, bounce: HardBounce) -> None:
        """Unsubscribe the contact, then write it down; a crash in between makes both happen again."""
        if email.contact_id:
            with suppress(NotFound):
                await self._unsubscribe(email.team_id, email.contact_id)
        async with self._pool.acquire() as tx, tx.transaction():
            current = await lock_email(tx, email.team_id, email.id)
            if current is not None and current.status == "queued":
                now = self._clock.now()
                await suppressions.suppress(
                    tx, email.team_id, bounce.to_email.lower(), reason="hard_bounce", now=now
                )
                await mark_failed(tx, email, bounce.reason)


class LruCache:
    """The prepared content used last, at most `size` of them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[tuple[str, Footer | None], Prepared] = OrderedDict()

    def get(self, key: tuple[str, Footer | None]) -> Prepared | None:
        prepared = self._kept.get(key)
        if prepared is not None:
            self._kept.move_to_end(key)
        return prepared

    def put(self, key: tuple[str, Footer | None], prepared: Prepared) -> None:
        self._kept[key] = prepared
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)
