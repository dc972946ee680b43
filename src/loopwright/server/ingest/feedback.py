"""What follows from what is told of an email: nothing goes to that address, somebody gets no more. Pure.

And how that is undone, where it was a mistake.
"""

from collections.abc import Mapping
from typing import Literal

from msgspec.structs import replace

from loopwright.server.store.feedback import EmailReport, FeedbackFact

from .command import LiftSuppression, ReportEmail
from .state import BatchState, EmailReported

_SUPPRESSES: Mapping[FeedbackFact, Literal["hard_bounce", "complaint"]] = {
    "email_bounced": "hard_bounce",
    "email_complained": "complaint",
}


def report_email(state: BatchState, command: ReportEmail) -> EmailReported:
    """Tell of the email once. A hard bounce and a complaint suppress its address, and unsubscribe.

    A contact that has another address by now is left as it is.
    """
    if not state.is_news(command.email_id, command.fact):
        return EmailReported(is_news=False)
    address = command.address.lower()
    suppresses = _SUPPRESSES.get(command.fact)
    contact = state.find(command.team_id, command.contact_id) if command.contact_id else None
    contact = contact or state.find_by_email(command.team_id, address)
    if suppresses and contact and contact.email == address and contact.subscribed:
        state.put(replace(contact, subscribed=False))
    state.folded.reports.append(
        EmailReport(
            team_id=command.team_id,
            email_id=command.email_id,
            contact_id=command.contact_id,
            fact=command.fact,
            address=address,
            reply=command.reply,
            code=command.code,
            suppresses=suppresses,
        )
    )
    return EmailReported(is_news=True)


def lift_suppression(state: BatchState, command: LiftSuppression) -> None:
    """Have the address get email again, and its contact, unless it has another address by now."""
    contact = state.find(command.team_id, command.contact_id) if command.contact_id else None
    if contact and contact.email == command.address and not contact.subscribed and not contact.is_unconfirmed:
        state.put(replace(contact, subscribed=True))
    state.folded.lifted.append((command.team_id, command.address))
