"""Safe mode: which addresses a client may cause email to. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct

from loopwright.errors import ConfigurationError, RecipientNotAllowedError
from loopwright.wire.operations import (
    CREATE_CAMPAIGN,
    DELETE_CONTACT,
    PREVIEW_EMAIL_MESSAGE,
    UPDATE_CAMPAIGN,
    UPDATE_EMAIL_MESSAGE,
    Operation,
)

if TYPE_CHECKING:
    from loopwright.client.call import Call

VARIABLE = "LOOPS_ALLOWED_RECIPIENTS"

ADDRESS = re.compile(r'[^\s@,;:<>()\[\]\\"]+@[^\s@,;:<>()\[\]\\"]+')
DOMAIN = re.compile(r'@[^\s@,;:<>()\[\]\\"]+')


class AllowedRecipients(Struct, frozen=True):
    """Addresses, and domains with an @ before them, in small letters."""

    entries: frozenset[str]

    def allows(self, recipient: object) -> bool:
        """Whether it is one plain address that is named, or of a domain that is; not of one below it."""
        address = recipient.strip().lower() if isinstance(recipient, str) else ""
        if not ADDRESS.fullmatch(address):
            return False
        return address in self.entries or address[address.index("@") :] in self.entries

    def check(self, recipients: Iterable[object]) -> None:
        """Raises `RecipientNotAllowedError` unless all are allowed. One that is not known is `None`."""
        for recipient in recipients:
            if not self.allows(recipient):
                who = "a recipient whose address is not known here" if recipient is None else f"{recipient!r}"
                raise RecipientNotAllowedError(
                    f"safe mode keeps email from {who}: allowed_recipients ({VARIABLE}) names "
                    f"{', '.join(sorted(self.entries)) or 'nobody'}; nothing was sent",
                    recipient=recipient if isinstance(recipient, str) else None,
                )


def allowed_recipients(
    given: Iterable[str] | None, environment: Mapping[str, str]
) -> AllowedRecipients | None:
    """Those `given` as an argument, or else by the variable; `None` when neither is there: no safe mode.

    An empty list, and a variable without a value, allow nobody. Raises `ConfigurationError`.
    """
    if given is not None:
        if isinstance(given, str | bytes | Mapping):
            raise ConfigurationError('allowed_recipients is a list, such as ["@acme.example"]')
        return AllowedRecipients(frozenset(_entry(one, "allowed_recipients") for one in given))
    if VARIABLE not in environment:
        return None
    entries = environment[VARIABLE].replace(",", " ").split()
    return AllowedRecipients(frozenset(_entry(one, VARIABLE) for one in entries))


def check_recipients(call: Call[Any], allowed: AllowedRecipients | None) -> None:
    """Raises `RecipientNotAllowedError` for a call that could cause email to somebody else."""
    body = call.body
    if allowed is not None and isinstance(body, Mapping):  # else there is none, or it is bytes
        allowed.check(recipients_of(call.operation, cast("Mapping[str, object]", body)))


def recipients_of(operation: Operation, body: Mapping[str, object]) -> list[object]:
    """Who may get email because of a call; `None` for somebody whose address is not in it."""
    if operation == PREVIEW_EMAIL_MESSAGE:
        return list(cast("Iterable[object]", body["emails"]))
    if operation == UPDATE_EMAIL_MESSAGE:  # these get a copy of each email
        return [body[key] for key in ("ccEmail", "bccEmail") if body.get(key)]
    if operation in (CREATE_CAMPAIGN, UPDATE_CAMPAIGN):  # it goes to whoever is in its audience by then
        return [None] if "scheduling" in body else []
    if operation == DELETE_CONTACT:
        return []
    # All else that names a contact could set a workflow going.
    return [body.get("email")] if "email" in body or "userId" in body else []


def _entry(given: object, source: str) -> str:
    entry = given.strip().lower() if isinstance(given, str) else ""
    if "*" in entry or not (ADDRESS.fullmatch(entry) or DOMAIN.fullmatch(entry)):
        raise ConfigurationError(
            f"{source} names {given!r}: write an address, or a domain with an @ before it, as @acme.example"
        )
    return entry
