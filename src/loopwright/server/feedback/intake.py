"""The way in for what was told, whichever door it came through: which email, which contact, what follows.

Report ──▶ the email it names (one look for all) ──▶ ReportEmail ──▶ ingest
             └─ none, or another recipient ──▶ a list that people look at
"""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from loopwright.server.clock import Clock
from loopwright.server.ingest.batch import Ingest
from loopwright.server.ingest.command import ReportEmail
from loopwright.server.ingest.state import EmailReported
from loopwright.server.mail.links import Ticket, is_genuine, is_genuine_bounce, read_token
from loopwright.server.store.database import Pool
from loopwright.server.store.feedback import (
    FeedbackFact,
    SentEmail,
    load_newest_to,
    load_sent,
    note_unknown,
)

from .report import Ignored, NotUnderstood, Reading, Reference, Report, Verdict

Door: TypeAlias = Literal["smtp", "imap", "ses", "postmark", "mailgun", "sendgrid", "resend"]

FACTS: Mapping[Verdict, FeedbackFact] = {
    "hard": "email_bounced",
    "soft": "email_soft_bounced",
    "blocked": "email_failed",
    "complaint": "email_complained",
    "delivered": "email_delivered",
}
NO_REFERENCE = "nothing in it names an email of ours: no token, no Message-ID, no link"
NO_EMAIL = "no email of ours has the token, Message-ID or link in it; it may be forged, or be kept no more"


NEWEST = timedelta(days=7)
"""What is told of an address may be about an email that was sent since then."""


class Taken(Struct, frozen=True, kw_only=True):
    """What became of reports: told as news, known before, or noted for people to look at; and ignored."""

    told: int = 0
    known: int = 0
    unknown: int = 0
    ignored: int = 0


class Intake:
    """Takes what doors have read. One for each process."""

    def __init__(self, pool: Pool, ingest: Ingest, clock: Clock) -> None:
        self._pool = pool
        self._ingest = ingest
        self._clock = clock

    async def take(self, reading: Reading, *, door: Door, team_id: str, raw: bytes, any_team: bool) -> Taken:
        """Have what was read take effect; once this returns it is committed.

        `team_id` is whose door it was; with `any_team` the email may be another team's. `raw` is what came,
        which is kept where it was of no use. Raises `Unavailable`.
        """
        if isinstance(reading, Ignored):
            return Taken(ignored=1)
        told = [reading] if isinstance(reading, NotUnderstood) else reading
        reports = [one for one in told if isinstance(one, Report)]
        found = await self._emails(reports, None if any_team else team_id)
        commands: list[ReportEmail] = []
        problems = [one.reason for one in told if isinstance(one, NotUnderstood)]
        for report, email in zip(reports, found, strict=True):
            command = _command(report, email)
            if isinstance(command, ReportEmail):
                commands.append(command)
            else:
                problems.append(command)
        outcomes = await self._ingest.submit_many(commands) if commands else ()
        for outcome in outcomes:
            if isinstance(outcome, Exception):
                raise outcome
        for problem in dict.fromkeys(problems):
            await self._note(team_id, door, problem, raw)
        news = sum(isinstance(outcome, EmailReported) and outcome.is_news for outcome in outcomes)
        return Taken(told=news, known=len(outcomes) - news, unknown=len(problems))

    async def _emails(self, reports: Sequence[Report], team_id: str | None) -> list[SentEmail | None]:
        """The email that each report names; all are looked for in one statement."""
        ids = {one for report in reports for one in _ids(report.reference)}
        mime_ids = {one for report in reports for one in report.reference.mime_ids}
        if not ids and not mime_ids:
            return [None for _ in reports]
        async with self._pool.acquire() as tx:
            sent = await load_sent(tx, ids, mime_ids, team_id=team_id)
        return [_named(report.reference, sent) for report in reports]

    async def newest_to(
        self, told: Sequence[Report | NotUnderstood], team_id: str
    ) -> list[Report | NotUnderstood]:
        """The reports, where they name no email with the newest to their address: for doors that are proved.

        Some providers tell an address and an id of their own. Whom it is about is certain then, and the email
        nearly.
        """
        reports = [one for one in told if isinstance(one, Report)]
        addresses = {one for report in reports if not report.reference for one in report.recipients}
        if not addresses:
            return list(told)
        since = self._clock.now() - NEWEST
        async with self._pool.acquire() as tx:
            newest = await load_newest_to(tx, team_id, addresses, since=since)
        return [
            one
            if isinstance(one, NotUnderstood) or one.reference
            else replace(
                one, reference=Reference(mime_ids=[newest[to] for to in one.recipients if to in newest])
            )
            for one in told
        ]

    async def _note(self, team_id: str, door: Door, reason: str, raw: bytes) -> None:
        async with self._pool.acquire() as tx:
            await note_unknown(tx, team_id, door, reason, raw, now=self._clock.now())


def _command(report: Report, email: SentEmail | None) -> ReportEmail | str:
    """What the report asks of ingest, or why nothing."""
    if email is None:
        return NO_EMAIL if report.reference else NO_REFERENCE
    address = email.to_email.lower()
    if not address:
        return f"email {email.id} was to a contact that was deleted, and its address is not kept"
    if report.recipients and address not in report.recipients:
        return (
            f"it is about {report.recipients[0]}, and email {email.id} was to another address: "
            "somebody with a copy of it, or a forward; nothing was changed"
        )
    return ReportEmail(
        team_id=email.team_id,
        email_id=email.id,
        contact_id=email.contact_id,
        address=address,
        fact=FACTS[report.verdict],
        reply=report.text,
        code=report.code,
    )


def _ids(reference: Reference) -> list[str]:
    """The ids that signed tokens speak of; whether they are genuine is seen once the email is there."""
    tickets = [ticket for token in reference.tickets if (ticket := read_token(token))]
    return [token.partition("-")[0] for token in reference.tokens] + [one.email_id for one in tickets]


def _named(reference: Reference, sent: Sequence[SentEmail]) -> SentEmail | None:
    """The surest: a genuine token, then a Message-ID, then the link that the email had."""
    by_id = {email.id: email for email in sent}
    for token in reference.tokens:
        email = by_id.get(token.partition("-")[0])
        if email and is_genuine_bounce(token, email.secret, team_id=email.team_id):
            return email
    by_mime_id = {email.mime_id: email for email in sent}
    for mime_id in reference.mime_ids:
        if mime_id in by_mime_id:
            return by_mime_id[mime_id]
    for token in reference.tickets:
        ticket = read_token(token)
        email = by_id.get(ticket.email_id) if ticket else None
        if ticket and email and _is_linked(ticket, email):
            return email
    return None


def _is_linked(ticket: Ticket, email: SentEmail) -> bool:
    return email.team_id == ticket.team_id and is_genuine(
        ticket, email.secret, mailing_list_id=email.mailing_list_id
    )
