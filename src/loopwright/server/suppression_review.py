"""What was suppressed by mistake: the servers' own words, read once more with today's rules. Pure."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

from msgspec import Struct

from loopwright.server.mail.reply import meaning_of, read_told, says_full
from loopwright.server.store.suppressions import BouncedRow

Verdict: TypeAlias = Literal["right", "wrong", "uncertain"]

FORGOTTEN = "no refusal is stored: what bounced came back later, or its email is gone"


class Reviewed(Struct, frozen=True, kw_only=True):
    """A suppressed address, whether that was right, and the words it was judged by.

    `contact_id` is the contact to be subscribed again with it, which it had been before.
    """

    email: str
    verdict: Verdict
    reason: str
    contact_id: str | None


def review(bounced: Sequence[BouncedRow]) -> list[Reviewed]:
    """Judge each address. One refusal that names it as wrong is enough; a single doubt leaves it."""
    return [_reviewed(row) for row in bounced]


def _reviewed(row: BouncedRow) -> Reviewed:
    judged: list[tuple[Verdict, str]] = [(_verdict_of(reason), reason) for reason in row.reasons]
    judged = judged or [("uncertain", FORGOTTEN)]
    verdict, reason = min(judged, key=lambda one: _FIRST.index(one[0]))
    return Reviewed(
        email=row.email,
        verdict=verdict,
        reason=reason,
        contact_id=row.contact_id if verdict == "wrong" and row.was_subscribed else None,
    )


_FIRST: Sequence[Verdict] = ("right", "uncertain", "wrong")


def _verdict_of(reason: str) -> Verdict:
    told = read_told(reason)
    if told is None:
        return "uncertain"
    moment, reply = told
    match meaning_of(moment, reply):
        case "recipient":
            return "right"
        case "relay" | "message":
            return "wrong"
        case "soft":
            return "wrong" if says_full(reply) else "uncertain"
