"""An office for tests of mail: it writes messages and contacts, and has emails delivered."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from loopwright.ids import new_id
from loopwright.server.clock import SystemClock
from loopwright.server.mail.deliver import Mailer
from loopwright.server.mail.identity import Identities
from loopwright.server.mail.inbox import Inbox
from loopwright.server.mail.relay import Limits
from loopwright.server.mail.retry import GIVE_UP, GiveUp
from loopwright.server.mail.sender import PLACES, Sender
from loopwright.server.mail.session import Timeouts
from loopwright.server.mail.smtp_url import read_url
from loopwright.server.mail.transport import Relay, Sending
from loopwright.server.refusal import NotFound
from loopwright.server.sealing import SealingKey
from loopwright.server.store.batches import BatchChanges, save
from loopwright.server.store.contacts import ContactRow
from loopwright.server.store.database import Pool
from loopwright.server.store.deliveries import InHand
from loopwright.server.store.emails import NewEmail, queue_emails
from loopwright.server.store.inbox import InboxRow
from loopwright.server.store.teams import TeamRow
from support.clock import HandClock
from support.content import PLAIN, write_message
from support.stored_emails import EmailRow, load_copies, load_email
from support.workflows import until

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


def relay_to(smtp_url: str, *, timeout: float = 5.0, connections: int = 8, **given: object) -> Relay:
    """A relay that waits for answers no longer than `timeout`."""
    limits = Limits(connections=connections, rate=given.pop("rate", None))  # type: ignore[arg-type]
    given.setdefault("timeouts", Timeouts(connect=timeout, reply=timeout, final=timeout))
    return Relay(read_url(smtp_url), Sending(limits=limits, **given), SystemClock())  # type: ignore[arg-type]


def taken_in_hand(email_id: str, token: str, *, to_email: str = "grace@elsewhere.org") -> InHand:
    """What a sender with that token marks before it sends the email."""
    return InHand(id=email_id, token=token, subject="Hello", to_email=to_email)


class Office:
    """Makes what a delivery needs, runs deliveries, and looks at what became of them."""

    def __init__(self, pool: Pool, team: TeamRow, inbox: Inbox, clock: HandClock) -> None:
        self.pool = pool
        self.team = team
        self.inbox = inbox
        self.clock = clock
        self.sealing: SealingKey | None = SealingKey(bytes(32))
        self.public_url = "https://mail.example.org"
        self.gone: set[str] = set()
        self.left: list[tuple[str, str]] = []

    @asynccontextmanager
    async def sending(
        self, smtp_url: str | None = None, *, timeout: float = 5.0, give_up: GiveUp = GIVE_UP
    ) -> AsyncIterator[Sender]:
        """Run a sender until the block ends."""

        async def unsubscribe(team_id: str, contact_id: str) -> None:
            if contact_id in self.gone:
                raise NotFound("Contact not found.", code="contact_not_found")
            self.left.append((team_id, contact_id))

        connections = sum(PLACES.values())
        relay = relay_to(smtp_url, timeout=timeout, connections=connections) if smtp_url else None
        mailer = Mailer(
            self.pool,
            self.clock,
            public_url=self.public_url,
            inbox=self.inbox.server,
            relay=relay,
            unsubscribe=unsubscribe,
            connections=connections,
            identities=Identities(self.pool, self.sealing),
            give_up=give_up,
        )
        sender = Sender(self.pool, self.clock, mailer)
        await sender.start()
        try:
            yield sender
        finally:
            await sender.stop()
            await mailer.close()

    async def deliver(
        self, smtp_url: str | None = None, *, timeout: float = 5.0, give_up: GiveUp = GIVE_UP
    ) -> None:
        """Have a sender send all that is due now."""
        async with self.sending(smtp_url, timeout=timeout, give_up=give_up):
            await until(self.is_done)

    async def settled(self, email: EmailRow, smtp_url: str | None = None) -> EmailRow:
        """Run a sender until the email, held or due, waits no more."""

        async def is_over() -> bool:
            queued = "SELECT EXISTS (SELECT FROM email_queue WHERE email_id = $1)"
            return not await self.pool.fetchval(queued, email.id)

        async with self.sending(smtp_url):
            await until(is_over, within=20)
        return await self.reload(email)

    async def is_done(self) -> bool:
        """Whether no email is due."""
        due = "SELECT EXISTS (SELECT FROM email_queue WHERE due_at <= $1)"
        return not await self.pool.fetchval(due, self.clock.now())

    async def due_in(self, email: EmailRow) -> timedelta:
        """After which time the email is tried again."""
        due: datetime = await self.pool.fetchval(
            "SELECT due_at FROM email_queue WHERE email_id = $1", email.id
        )
        return due - self.clock.now()

    async def message(self, lmx: str = PLAIN.lmx, *, message_id: str | None = None, **given: object) -> str:
        """Store a message, or a new revision of the one with that id; answer with its id."""
        revision = await write_message(self.pool, self.team.id, message_id, now=NOW, lmx=lmx, **given)
        return revision.message_id

    async def contact(self, email: str = "ada@elsewhere.org", **given: object) -> ContactRow:
        """Store a contact."""
        contact = ContactRow(
            **{  # type: ignore[arg-type]  # names of fields
                "id": new_id(NOW),
                "team_id": self.team.id,
                "email": email,
                "user_id": None,
                "first_name": "Ada",
                "last_name": None,
                "source": "API",
                "subscribed": True,
                "user_group": "",
                "opt_in_status": None,
                "notes": None,
                "properties": {},
                "mailing_lists": {},
                "created_at": NOW,
                **given,
            }
        )
        async with self.pool.acquire() as tx:
            await save(tx, BatchChanges(inserted=[contact]), now=NOW, window=NOW)
        return contact

    async def email(self, message_id: str, contact: ContactRow | None = None, **given: object) -> EmailRow:
        """Queue an email and answer with its row."""
        email = NewEmail(
            **{  # type: ignore[arg-type]  # names of fields
                "team_id": self.team.id,
                "cause": f"run:{new_id(NOW)}",
                "kind": "marketing" if contact else "transactional",
                "message_id": message_id,
                "contact_id": contact.id if contact else None,
                "to_email": contact.email if contact else "grace@elsewhere.org",
                **given,
            }
        )
        async with self.pool.acquire() as tx, tx.transaction():
            await queue_emails(tx, [email], now=NOW)
            found = await tx.fetchval(
                "SELECT id FROM email WHERE team_id = $1 AND cause = $2", email.team_id, email.cause
            )
        return await self.reload(found)

    async def reload(self, email: EmailRow | str) -> EmailRow:
        async with self.pool.acquire() as tx:
            found = await load_email(tx, self.team.id, email if isinstance(email, str) else email.id)
        assert found is not None
        return found

    async def received(self, email: EmailRow) -> list[InboxRow]:
        async with self.pool.acquire() as tx:
            return await load_copies(tx, self.team.id, email.id)
