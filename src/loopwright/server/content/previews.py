"""Tests of an email: what it says now, marked as a test, to addresses and with values that are given."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeAlias

from loopwright.ids import new_id
from loopwright.server.mail.decide import is_owned, is_reserved, no_domain
from loopwright.server.mail.variables import VariableKind
from loopwright.server.refusal import BadRequest, TooManyRequests
from loopwright.server.store.database import Connection
from loopwright.server.store.emails import PREVIEW_CAUSE, NewEmail, Value, count_previews, insert_previews
from loopwright.server.store.messages import Content, MessageOwner, RevisionRow
from loopwright.server.store.teams import TeamRow, lock_team
from loopwright.wire.limits import PREVIEWS_PER_DAY

from .designs import load_design
from .message import CheckedMessage, check_message, fallbacks_of

DAY = timedelta(days=1)
KEYS: Mapping[VariableKind, str] = {
    "contact": "contactProperties",
    "event": "eventProperties",
    "data": "dataVariables",
}
"""What requests call the values of a kind."""
Values: TypeAlias = Mapping[VariableKind, Mapping[str, Value]]


async def queue_previews(
    tx: Connection,
    team: TeamRow,
    owner: MessageOwner,
    revision: RevisionRow,
    addresses: Sequence[str],
    values: Values,
    *,
    has_relay: bool,
    now: datetime,
) -> None:
    """Queue a test to each address. `values` has every kind that `KEYS` has.

    Raises `BadRequest` for an email that cannot be sent so, `TooManyRequests` beyond the day's number.
    """
    if has_relay and not is_owned(team.sending_domain) and not all(map(is_reserved, addresses)):
        raise BadRequest(
            f"The email cannot be sent: {no_domain(team.sending_domain)}", code="no_sending_domain"
        )
    kind = owner.email_kind
    design = await load_design(tx, team.id, [revision.content.lmx])
    _check(revision.content, check_message(revision.content, kind, design), values)
    await lock_team(tx, team.id)
    left = PREVIEWS_PER_DAY - await count_previews(tx, team.id, since=now - DAY)
    if len(addresses) > left:
        raise TooManyRequests(
            f"a team sends {PREVIEWS_PER_DAY} previews in 24 hours, and {max(left, 0)} are left; "
            "send fewer, or later",
            code="preview_limit_exceeded",
        )
    emails = [
        NewEmail(
            team_id=team.id,
            cause=f"{PREVIEW_CAUSE}{new_id(now)}",
            kind="transactional",
            message_id=revision.message_id,
            contact_id=None,
            to_email=address,
            transactional_id=owner.id if owner.kind == "transactional" else None,
            event_properties=dict(values["event"]),
            data_variables=dict(values["data"]),
        )
        for address in addresses
    ]
    await insert_previews(tx, emails, kind, values["contact"], now=now)


def _check(content: Content, checked: CheckedMessage, values: Values) -> None:
    """Raises `BadRequest` for content that cannot be sent, and for variables that nothing stands for."""
    if checked.problems:
        told = "; ".join(str(one) for one in checked.problems)
        raise BadRequest(f"The email cannot be sent: {told}", code="content_invalid")
    fallbacks = fallbacks_of(content)
    missing = [
        f"{KEYS[one.kind]}.{one.name}"
        for one in sorted({variable.asked for variable in checked.variables})
        if one.kind != "system" and one.name not in values[one.kind] and one.name not in fallbacks[one.kind]
    ]
    if missing:
        raise BadRequest(
            f"nothing stands for some variables; send {', '.join(missing)}", code="variables_missing"
        )
