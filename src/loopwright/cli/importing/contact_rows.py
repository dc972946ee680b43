"""What a row says of a contact. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from loopwright.cli.importing.files import Fields
from loopwright.cli.importing.plan import Plan
from loopwright.cli.importing.row_parts import RowError, parts_of
from loopwright.client.body import some_identifier
from loopwright.wire.values import Value


class RowContact(Struct, frozen=True, kw_only=True):
    """The contact of one row. `leaves` is true for somebody who gets no marketing."""

    email: str | None
    user_id: str | None
    leaves: bool
    properties: dict[str, Value | None]
    mailing_lists: dict[str, bool]


def contact_of(fields: Fields, plan: Plan, lists: Iterable[str]) -> RowContact:
    """Read one row; `lists` are joined by every row. Raises `RowError` for one that cannot be sent."""
    parts = parts_of(fields, plan)
    try:
        some_identifier(parts.email, parts.user_id)
    except ValueError as error:
        raise RowError(str(error)) from None
    return RowContact(
        email=parts.email,
        user_id=parts.user_id,
        leaves=parts.leaves,
        properties=parts.contact,
        mailing_lists={**dict.fromkeys(lists, True), **parts.lists},
    )
