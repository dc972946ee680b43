"""What the database knows of what commands name: contacts, keys, and what was asked and told before."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from loopwright.server.store import contacts, emails, events, feedback
from loopwright.server.store.contacts import ContactRow
from loopwright.server.store.database import Connection
from loopwright.server.store.events import UsedKey
from loopwright.wire.limits import IDEMPOTENCY_HOURS

from .asking import questions
from .command import (
    AnswerOptIn,
    Command,
    LiftSuppression,
    ReportEmail,
    SendEvent,
    SendTransactional,
    SetPreferences,
    SubmitForm,
)


async def load_contacts(tx: Connection, commands: Sequence[Command]) -> list[ContactRow]:
    """Those whom the commands name."""
    emails_, user_ids, ids = set[tuple[str, str]](), set[tuple[str, str]](), set[tuple[str, str]]()
    for command in commands:
        match command:
            case SetPreferences() | AnswerOptIn():
                ids.add((command.team_id, command.contact_id))
            case SendTransactional():
                emails_.add((command.team_id, command.email))
            case ReportEmail():
                emails_.add((command.team_id, command.address.lower()))
                if command.contact_id:
                    ids.add((command.team_id, command.contact_id))
            case LiftSuppression():
                if command.contact_id:
                    ids.add((command.team_id, command.contact_id))
            case _:
                if command.identity.email:
                    emails_.add((command.team_id, command.identity.email))
                if command.identity.user_id:
                    user_ids.add((command.team_id, command.identity.user_id))
    return await contacts.load_named(tx, emails=emails_, user_ids=user_ids, ids=ids)


async def load_asked(
    tx: Connection, commands: Sequence[Command], now: datetime
) -> dict[str, dict[str, datetime]]:
    """When the addresses in forms were asked to confirm, by team and cause."""
    causes = [
        (command.team_id, cause)
        for command in commands
        if isinstance(command, SubmitForm) and command.opt_in and command.identity.email
        for cause in questions(command.identity.email, command.opt_in.secret, now)
    ]
    return await emails.load_causes(tx, causes) if causes else {}


async def load_reported(tx: Connection, commands: Sequence[Command]) -> set[tuple[str, str]]:
    """What was told before of the emails that something is told of now."""
    emails_ = {(c.team_id, c.email_id) for c in commands if isinstance(c, ReportEmail)}
    return await feedback.load_reported(tx, emails_) if emails_ else set()


async def load_keys(tx: Connection, commands: Sequence[Command], now: datetime) -> set[UsedKey]:
    """Those of the commands' keys that are used."""
    keys = {c.key for c in commands if isinstance(c, SendEvent | SendTransactional) and c.key}
    return await events.load_live_keys(tx, keys, since=key_window(now)) if keys else set()


def key_window(now: datetime) -> datetime:
    """A key used at this time or before is free again."""
    return now - timedelta(hours=IDEMPOTENCY_HOURS)
