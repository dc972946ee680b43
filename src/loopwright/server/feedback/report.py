"""What was told of an email, by whichever door it came. Pure values."""

from collections.abc import Sequence
from datetime import datetime
from typing import Literal, TypeAlias

from msgspec import Struct

Verdict: TypeAlias = Literal["hard", "soft", "blocked", "complaint", "delivered"]
"""hard       nobody is at the address, nor will be
soft       its mailbox does not take this email now
blocked    we, or this message, are not welcome there: that is not held against the address
complaint  whoever got it calls it unwanted
delivered  a server of the recipient has it
"""


SUPPRESSED = "suppressed"
"""The code of a hard bounce that is only remembered: the provider did not try, and brakes do not count it."""


class Reference(Struct, frozen=True, kw_only=True):
    """What may say which email it was, the surest first: envelope tokens, Message-IDs, tokens of its links.

    `tokens` are what stands between `bounces+` and `@`; `mime_ids` have no brackets; `tickets` are what ends
    the address in List-Unsubscribe.
    """

    tokens: Sequence[str] = ()
    mime_ids: Sequence[str] = ()
    tickets: Sequence[str] = ()

    def __bool__(self) -> bool:
        return bool(self.tokens or self.mime_ids or self.tickets)


class Report(Struct, frozen=True, kw_only=True):
    """What was told of one recipient of one email.

    `recipients` are the addresses that stand for that recipient, lower-case: where it was sent and where it
    ended; empty when nothing says whom it is about. `code` is the enhanced code or else the SMTP code, `text`
    what the server said. `happened_at` is aware, None when nobody says.
    """

    verdict: Verdict
    reference: Reference
    recipients: Sequence[str] = ()
    code: str = ""
    text: str = ""
    happened_at: datetime | None = None


class Ignored(Struct, frozen=True):
    """Nothing that concerns an address: an automatic reply, a notice that an email is still on its way, or
    another event of a provider's.
    """

    what: Literal["auto_reply", "delayed", "not_spam", "other"]


class NotUnderstood(Struct, frozen=True):
    """It tells nothing that can be used, for that reason; people get to see it."""

    reason: str


Reading: TypeAlias = Sequence[Report | NotUnderstood] | Ignored | NotUnderstood
"""What came at once; of several things, some may not be understood."""
