"""Delivering one email: what it says to this contact, or why it is not sent, and what a server makes of it.

    Delivery ──▶ decide (pure) ──▶ fill, compose (pure) ──▶ SMTP ──▶ Result

The sender takes the emails, and stores the results.
"""

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from loopwright.server.clock import Clock
from loopwright.server.refusal import NotFound
from loopwright.server.sealing import SealingFailure
from loopwright.server.store.database import Pool
from loopwright.server.store.deliveries import Delivery, Result, load_attachments
from loopwright.server.store.held import NEVER, HeldGroup
from loopwright.server.store.messages import Content, load_revisions
from loopwright.wire.transactional import Attachment

from .addresses import UnwritableAddress
from .compose import Composed, Envelope, compose
from .decide import is_reserved, reason_to_hold, reason_to_skip
from .dkim import sign
from .feedback import feedback_id
from .identity import Identities, Identity
from .layout import Footer
from .links import Tracking, bounce_address, icons_root, unsubscribe_url
from .recipient import values_for
from .relay import LONGEST_PAUSE, Limits
from .render import MissingVariables, Prepared, UnsoundContent, fill, prepare
from .retry import GIVE_UP, GiveUp, next_try
from .session import MayFinish
from .smtp_url import Server
from .transport import Accepted, Bounced, Deferred, Held, Refused, Relay, Sending

Unsubscribe: TypeAlias = Callable[[str, str], Awaitable[None]]
"""Takes a contact out of the audience: team id, contact id. Raises `NotFound` for one that is no more."""

Key: TypeAlias = tuple[str, Footer | None, bool]
"""What prepared content depends on: a revision, the footer below it, and whether it is tracked."""

DEFAULT_SENDER = "hello"
PREVIEW_MARK = "[Test]"
"""Begins the subject of a preview."""
FEW = 5
"""Enough to ask whether the relay is back, and for what goes to the inbox."""


class Outgoing(Struct, frozen=True):
    """An email that is ready to go: the message, the address it is for, and its subject."""

    message: Composed
    to_email: str
    subject: str


class Mailer:
    """Delivers emails: to the `relay`, or without one to the inbox of this process, at `inbox`.

    `connections` is how many there may be to the inbox.
    """

    def __init__(
        self,
        pool: Pool,
        clock: Clock,
        *,
        public_url: str,
        inbox: Server,
        relay: Relay | None,
        unsubscribe: Unsubscribe,
        identities: Identities,
        connections: int,
        give_up: GiveUp = GIVE_UP,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._public_url = public_url
        self._unsubscribe = unsubscribe
        self._identities = identities
        self._prepared = LruCache(256)
        self._give_up = give_up
        self._inbox = Relay(inbox, Sending(limits=Limits(connections=connections)), clock)
        self._outside = relay or self._inbox

    async def close(self) -> None:
        """Close the connections to the servers."""
        await self._inbox.close()
        await self._outside.close()

    def at_once(self, most: int) -> int:
        """How many emails it is of use to take together: few while the relay takes none."""
        return min(most, FEW) if self._outside.status().condition == "down" else most

    async def prepare(self, deliveries: Sequence[Delivery]) -> list[Prepared | UnsoundContent]:
        """The content of each delivery, ready to be filled; what is new is loaded in one statement."""
        keys = [_key(one) for one in deliveries]
        wanted = set(keys)
        found = {key: prepared for key in wanted if (prepared := self._prepared.get(key))}
        if len(found) < len(wanted):
            pairs = zip(keys, deliveries, strict=True)
            new = {(one.team_id, one.revision_id) for key, one in pairs if key not in found}
            async with self._pool.acquire() as tx:
                contents = {one.id: one.content for one in await load_revisions(tx, new)}
            for key in wanted - found.keys():
                found[key] = _prepared(contents[key[0]], key)
                self._prepared.put(key, found[key])
                await asyncio.sleep(0)  # a large one takes its time: others may go on
        return [found[key] for key in keys]

    async def write(self, delivery: Delivery, prepared: Prepared | UnsoundContent) -> Outgoing | Result:
        """The email as it travels, or the result that it is not sent."""
        if reason := reason_to_skip(delivery):
            return replace(_result(delivery, "skipped", reason), is_suppressed=delivery.is_suppressed)
        if self._leaves(delivery) and (reason := reason_to_hold(delivery, public_url=self._public_url)):
            return _held(delivery, reason)
        if isinstance(prepared, UnsoundContent):
            return _result(delivery, "failed", str(prepared), tried=True)
        try:
            identity = await self._identities.of(delivery.team_id, delivery.sending_domain)
        except SealingFailure as failure:
            return _held(delivery, str(failure))
        files: Sequence[Attachment] = ()
        if delivery.has_attachments:
            async with self._pool.acquire() as tx:
                files = await load_attachments(tx, delivery.team_id, delivery.id)
        try:
            return self._outgoing(delivery, prepared, files, identity)
        except MissingVariables as error:
            return _result(delivery, "skipped", str(error))
        except UnwritableAddress as error:
            return _result(delivery, "failed", str(error), tried=True)

    async def send(self, delivery: Delivery, outgoing: Outgoing, may_finish: MayFinish) -> Result:
        """Hand an email to the server it is for, if it `may_finish`, and answer with what came of it."""
        if is_reserved(outgoing.message.recipient):
            outcome = await self._inbox.send(outgoing.message, may_finish)
        else:
            outcome = await self._outside.send(outgoing.message.without_copies_to(is_reserved), may_finish)
        match outcome:
            case Accepted(note):
                return Result(
                    id=delivery.id,
                    token=delivery.token,
                    status="sent",
                    reason="; ".join(filter(None, (outgoing.message.note, note))),
                    attempts=delivery.attempts + 1,
                )
            case Refused(reason):
                return _result(delivery, "failed", reason, tried=True)
            case Deferred(reason, seconds, by_mailbox):
                later = self.later(delivery, reason, seconds)
                # The first time it may be greylisting, which is over with the second.
                again = by_mailbox and delivery.attempts > 0
                return replace(later, is_soft_bounce=again and later.status == "queued")
            case Held(reason, seconds):
                due = self._clock.now() + timedelta(seconds=seconds)
                return _queued(delivery, reason, due, attempts=delivery.attempts)
            case Bounced(reason):
                await self._leave_audience(delivery)
                return Result(
                    id=delivery.id,
                    token=delivery.token,
                    status="failed",
                    reason=reason,
                    attempts=delivery.attempts + 1,
                    bounced=outgoing.to_email.lower(),
                )

    def later(self, delivery: Delivery, reason: str, seconds: float | None = None) -> Result:
        """The email goes again after a while, or has been tried for long enough.

        `seconds` are those after which the relay wants to be asked again: that was no try of this email.
        """
        now = self._clock.now()
        since = delivery.trying_since or now
        give_up = self._give_up
        longest = give_up.marketing if delivery.kind == "marketing" else give_up.transactional
        due = next_try(since, now, longest)
        if due is None:
            return _result(delivery, "failed", reason, tried=True)
        if seconds is None:
            return _queued(delivery, reason, due, attempts=delivery.attempts + 1, since=since)
        # One that the relay wants less of each time it comes is not to come all the time.
        again = min((now - since) / 2, timedelta(seconds=LONGEST_PAUSE))
        due = now + max(timedelta(seconds=seconds), again)
        return _queued(delivery, reason, due, attempts=delivery.attempts, since=since)

    async def may_leave(self, group: HeldGroup) -> bool:
        """Whether nothing holds these emails any more."""
        if self._outside is not self._inbox and reason_to_hold(group, public_url=self._public_url):
            return False
        try:
            await self._identities.of(group.team_id, group.sending_domain)
        except SealingFailure:
            return False
        return True

    def _leaves(self, delivery: Delivery) -> bool:
        """Whether the email would go to a server outside."""
        return self._outside is not self._inbox and not is_reserved(_address(delivery))

    def _outgoing(
        self, delivery: Delivery, prepared: Prepared, files: Sequence[Attachment], identity: Identity
    ) -> Outgoing:
        to_email = _address(delivery)
        link = bounce_to = ""
        if identity.bounce_domain:
            bounce_to = bounce_address(
                identity.bounce_domain, delivery.secret, team_id=delivery.team_id, email_id=delivery.id
            )
        if delivery.rendered_as == "marketing":
            link = unsubscribe_url(
                self._public_url,
                delivery.secret,
                team_id=delivery.team_id,
                email_id=delivery.id,
                mailing_list_id=delivery.mailing_list_id,
            )
        tracking = None
        if delivery.is_tracked:
            tracking = Tracking(self._public_url, delivery.secret, delivery.team_id, delivery.id)
        values = values_for(
            delivery,
            unsubscribe_link=link,
            icons_root=icons_root(self._public_url),
            tracking=tracking,
        )
        rendered = fill(prepared, values)
        if delivery.preview:
            rendered = replace(rendered, subject=f"{PREVIEW_MARK} {rendered.subject}")
        envelope = Envelope(
            mime_id=delivery.mime_id,
            from_email=f"{rendered.from_email or DEFAULT_SENDER}@{delivery.sending_domain}",
            to_email=to_email,
            unsubscribe_link=link,
            feedback_id=feedback_id(
                team_id=delivery.team_id, kind=delivery.kind, message_id=delivery.message_id
            ),
            bounce_to=bounce_to,
            is_urgent=delivery.kind == "transactional",
        )
        message = compose(rendered, envelope, files, now=self._clock.now())
        if identity.keys:
            message = replace(message, data=sign(message.data, identity.keys))
        return Outgoing(message, to_email, rendered.subject)

    async def _leave_audience(self, delivery: Delivery) -> None:
        """Unsubscribe the contact before the bounce is written down; a crash makes both happen again."""
        if delivery.contact_id:
            with suppress(NotFound):
                await self._unsubscribe(delivery.team_id, delivery.contact_id)


def _result(
    delivery: Delivery, status: Literal["skipped", "failed"], reason: str, *, tried: bool = False
) -> Result:
    attempts = delivery.attempts + 1 if tried else delivery.attempts
    return Result(id=delivery.id, token=delivery.token, status=status, reason=reason, attempts=attempts)


def _held(delivery: Delivery, reason: str) -> Result:
    """The email waits for the operator; that is no attempt."""
    return Result(
        id=delivery.id,
        token=delivery.token,
        status="held",
        reason=reason,
        attempts=delivery.attempts,
        due_at=NEVER,
    )


def _queued(
    delivery: Delivery, reason: str, due: datetime, *, attempts: int, since: datetime | None = None
) -> Result:
    return Result(
        id=delivery.id,
        token=delivery.token,
        status="queued",
        reason=reason,
        attempts=attempts,
        due_at=due,
        trying_since=since,
    )


def _address(delivery: Delivery) -> str:
    """Where the email goes: marketing follows its contact."""
    return delivery.contact.email if delivery.contact else delivery.to_email


def _key(delivery: Delivery) -> Key:
    return delivery.revision_id, _footer(delivery), delivery.is_tracked


def _footer(delivery: Delivery) -> Footer | None:
    """What ends the email; transactional ones have none."""
    if delivery.rendered_as == "transactional":
        return None
    return Footer(company=delivery.company, address=delivery.address, list_name=delivery.list_name)


def _prepared(content: Content, key: Key) -> Prepared | UnsoundContent:
    _, footer, is_tracked = key
    try:
        return prepare(content, footer, is_tracked=is_tracked)
    except UnsoundContent as problem:
        return problem


class LruCache:
    """The prepared content used last, at most `size` of them."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[Key, Prepared | UnsoundContent] = OrderedDict()

    def get(self, key: Key) -> Prepared | UnsoundContent | None:
        prepared = self._kept.get(key)
        if prepared is not None:
            self._kept.move_to_end(key)
        return prepared

    def put(self, key: Key, prepared: Prepared | UnsoundContent) -> None:
        self._kept[key] = prepared
        if len(self._kept) > self._size:
            self._kept.popitem(last=False)
