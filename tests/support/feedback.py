"""Emails that have left, and what is told of them."""

from datetime import datetime
from typing import Any

from loopwright.ids import new_id
from loopwright.server.feedback.intake import Door, Intake, Taken
from loopwright.server.feedback.report import Reference, Report, Verdict
from loopwright.server.mail.links import bounce_token
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow
from support.clock import HandClock
from support.content import write_message
from support.factories import add_contact, add_email, add_fact

ADA = "ada@elsewhere.org"
"""Where every email of the factory goes."""


class Post:
    """Emails of one team to one address, and the door that hears of them."""

    def __init__(self, pool: Pool, team: TeamRow, clock: HandClock, intake: Intake) -> None:
        self.pool = pool
        self.team = team
        self.clock = clock
        self.intake = intake
        self.message_id = ""

    async def contact(self, contact_id: str = "cada", **columns: Any) -> str:
        """Somebody who has the address."""
        await add_contact(self.pool, self.team.id, contact_id, **{"email": ADA, **columns})
        return contact_id

    async def sent(self, *, contact_id: str | None = None, at: datetime | None = None, **given: Any) -> str:
        """An email that the relay has taken."""
        at = at or self.clock.now()
        if not self.message_id:
            self.message_id = (await write_message(self.pool, self.team.id, None, now=at)).message_id
        email_id = new_id(at)
        kind = "marketing" if contact_id else "transactional"
        await add_email(
            self.pool, self.message_id, email_id, now=at, **{"kind": kind, "status": "sent", **given},
            contact_id=contact_id,
        )  # fmt: skip
        await self.pool.execute("UPDATE email SET sent_at = $2 WHERE id = $1", email_id, at)
        await add_fact(self.pool, self.team.id, "email_sent", email_id=email_id, now=at)
        return email_id

    def token(self, email_id: str) -> str:
        return bounce_token(self.team.secret, team_id=self.team.id, email_id=email_id)

    async def tell(
        self, verdict: Verdict, email_id: str, *recipients: str, door: Door = "smtp", token: str = ""
    ) -> Taken:
        """Have a door tell something of the email."""
        report = Report(
            verdict=verdict,
            reference=Reference(tokens=[token or self.token(email_id)]),
            recipients=recipients,
            code="5.1.1",
            text="550 5.1.1 nobody",
        )
        return await self.intake.take([report], door=door, team_id=self.team.id, raw=b"raw", any_team=True)

    async def facts(self, email_id: str) -> list[str]:
        """What has been told of the email since it was sent."""
        rows = await self.pool.fetch(
            "SELECT kind FROM fact WHERE email_id = $1 AND kind <> 'email_sent' ORDER BY id", email_id
        )
        return [row["kind"] for row in rows]

    async def suppressed(self) -> list[tuple[str, str]]:
        rows = await self.pool.fetch("SELECT email, reason FROM suppression ORDER BY email")
        return [(row["email"], row["reason"]) for row in rows]

    async def unknown(self) -> list[str]:
        """Why things were not understood, or not applied."""
        return [row["reason"] for row in await self.pool.fetch("SELECT reason FROM feedback_unknown")]
