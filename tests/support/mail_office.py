"""An office for tests of mail: it writes messages and contacts, and has emails delivered."""

from datetime import UTC, datetime, timedelta

import pytest
from pgqueuer import RetryRequested

from loopwright.ids import new_id
from loopwright.server.mail.deliver import Mailer
from loopwright.server.mail.inbox import Inbox
from loopwright.server.refusal import NotFound
from loopwright.server.store.batches import BatchChanges, save
from loopwright.server.store.contacts import ContactRow
from loopwright.server.store.database import Pool
from loopwright.server.store.emails import EmailRow, NewEmail, load_email, queue_emails
from loopwright.server.store.inbox import InboxRow, received_of_email
from loopwright.server.store.jobs import DeliverEmail
from loopwright.server.store.teams import TeamRow
from support.content import PLAIN, write_message

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)


class StillClock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.moment = NOW

    def now(self) -> datetime:
        return self.moment


class Office:
    """Makes what a delivery needs, runs deliveries, and looks at what became of them."""

    def __init__(self, pool: Pool, team: TeamRow, inbox: Inbox, clock: StillClock) -> None:
        self.pool = pool
        self.team = team
        self.inbox = inbox
        self.clock = clock
        self.gone: set[str] = set()
        self.left: list[tuple[str, str]] = []
        self.mailers: list[Mailer] = []

    def mailer(self, smtp_url: str | None = None, *, timeout: float = 5.0) -> Mailer:
        async def unsubscribe(team_id: str, contact_id: str) -> None:
            if contact_id in self.gone:
                raise NotFound("Contact not found.", code="contact_not_found")
            self.left.append((team_id, contact_id))

        mailer = Mailer(
            self.pool,
            self.clock,
            public_url="https://mail.example.org",
            inbox=self.inbox.server,
            smtp_url=smtp_url,
            unsubscribe=unsubscribe,
            timeout=timeout,
        )
        self.mailers.append(mailer)
        return mailer

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
            return await received_of_email(tx, self.team.id, email.id)

    async def retry_later(self, mailer: Mailer, email: EmailRow) -> timedelta:
        """Deliver, expecting a wish to be called again; answer after which time."""
        with pytest.raises(RetryRequested) as wish:
            await mailer.deliver(job(email))
        return wish.value.delay


def job(email: EmailRow) -> DeliverEmail:
    return DeliverEmail(team_id=email.team_id, email_id=email.id)
