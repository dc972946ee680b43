"""Safe mode: which addresses a client may cause email to. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, cast

from msgspec import Struct

from loopwright.errors import ConfigurationError, RecipientNotAllowedError
from loopwright.wire.operations import (
    CREATE_CAMPAIGN,
    CREATE_CONTACT,
    PREVIEW_EMAIL_MESSAGE,
    SEND_EVENT,
    SEND_TRANSACTIONAL_EMAIL,
    UPDATE_CAMPAIGN,
    UPDATE_CONTACT,
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
    if allowed is not None and call.operation in RECIPIENTS:
        allowed.check(RECIPIENTS[call.operation](cast("Mapping[str, Any]", call.body)))


def _entry(given: object, source: str) -> str:
    entry = given.strip().lower() if isinstance(given, str) else ""
    if "*" in entry or not (ADDRESS.fullmatch(entry) or DOMAIN.fullmatch(entry)):
        raise ConfigurationError(
            f"{source} names {given!r}: write an address, or a domain with an @ before it, as @acme.example"
        )
    return entry


def _contact(body: Mapping[str, Any]) -> list[object]:
    """A contact that is named by its user id only may have any address."""
    return [body.get("email")]


def _preview(body: Mapping[str, Any]) -> list[object]:
    return list(body["emails"])


def _copies(body: Mapping[str, Any]) -> list[object]:
    """Who else gets each email."""
    return [body[key] for key in ("ccEmail", "bccEmail") if body.get(key)]


def _audience(body: Mapping[str, Any]) -> list[object]:
    """A campaign that is given a time goes to whoever is in its audience by then."""
    return [None] if "scheduling" in body else []


RECIPIENTS: Mapping[Operation, Callable[[Mapping[str, Any]], list[object]]] = {
    SEND_EVENT: _contact,
    CREATE_CONTACT: _contact,
    UPDATE_CONTACT: _contact,
    SEND_TRANSACTIONAL_EMAIL: _contact,
    PREVIEW_EMAIL_MESSAGE: _preview,
    UPDATE_EMAIL_MESSAGE: _copies,
    CREATE_CAMPAIGN: _audience,
    UPDATE_CAMPAIGN: _audience,
}
"""Who gets email because of a call, by its body. Calls that are not here cause none by themselves."""
