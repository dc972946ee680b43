"""Feedback-ID: by what mailbox providers count complaints, in Google's Postmaster Tools for one. Pure."""

from loopwright.server.store.emails import Kind

SENDER_LENGTH = 12
"""Google wants 5 to 15 characters that stay the same for all of a sender's email."""


def feedback_id(*, team_id: str, kind: Kind, message_id: str) -> str:
    """What complaints are counted by: the message, its kind, and the sender behind all of them.

    Nothing of it is one recipient's: what few emails share is not reported.
    """
    return f"{message_id}:{kind}:{team_id[-SENDER_LENGTH:]}"
