"""Single values of request bodies: what they are, or a `BadRequest` that names key and remedy. Pure."""

import re
from collections.abc import Sized
from math import isfinite
from typing import cast

from loopwright.server.refusal import BadRequest
from loopwright.server.store.database import is_storable
from loopwright.wire import failures, limits
from loopwright.wire.values import INTEGERS, TOO_LARGE, coerce

_EMAIL = re.compile(r"[^\s@<>()\[\]\\,;:\"]+@[^\s@<>()\[\]\\,;:\"]+\.[^\s@<>()\[\]\\,;:\".]{2,}")
_EMAIL_CHARACTERS = 254  # RFC 5321, 4.5.3.1.3, less the two brackets
_ID = re.compile(r"[A-Za-z0-9_-]+")


def read_email(value: object) -> str | None:
    """An address, trimmed and lower-cased; None when it was not given."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise BadRequest(failures.INVALID_EMAIL, code="email_invalid")
    email = value.strip().lower()
    if not email:
        return None
    if len(email) > _EMAIL_CHARACTERS or not email.isprintable() or not _EMAIL.fullmatch(email):
        raise BadRequest(failures.INVALID_EMAIL, code="email_invalid")
    return email


def check_event_name(name: str) -> None:
    """Raises `BadRequest` for a name that no event can have."""
    if ":" in name:
        raise BadRequest(
            "eventName cannot contain ':', which is kept for platform events; use another character",
            code="event_name_invalid",
        )
    check_text("eventName", name)


def check_id(where: str, value: str) -> None:
    """An id that cannot be one is a mistake; one that nobody has is merely unknown."""
    if not _ID.fullmatch(value):
        raise BadRequest(f"{where} has only letters, digits, '_' and '-'", code="id_invalid")


def read_user_id(value: object) -> str | None:
    """A user id, trimmed; None when it was not given."""
    if value is None:
        return None
    if not isinstance(value, str):
        whole = isinstance(value, int) or (isinstance(value, float) and value.is_integer())
        if not whole or isinstance(value, bool):
            raise BadRequest("userId must be a string or a whole number", code="user_id_invalid")
        value = str(coerce(value, "string"))
    check_text("userId", value)
    return value.strip() or None


def read_map(key: str, value: object) -> dict[str, object]:
    """An object; empty when it was not given."""
    # One official client sends an empty list for an empty map.
    if value is None or value == []:
        return {}
    if not isinstance(value, dict):
        raise BadRequest(f"{key} must be an object", code="value_invalid")
    return cast("dict[str, object]", value)


def check_count(where: str, given: Sized, most: int, what: str) -> None:
    """Before anything looks at each of them: a body of 4 MB has room for a million."""
    if len(given) > most:
        raise BadRequest(f"{where} holds {len(given)} {what} at most {most}", code="too_many")


def check_scalar_or_flat_objects(where: str, value: object) -> None:
    """Raises `BadRequest` for what is nested deeper than a list of objects."""
    if isinstance(value, list):
        for index, item in enumerate(cast("list[object]", value)):
            if not isinstance(item, dict):
                raise BadRequest(f"{where}[{index}] must be an object", code="value_invalid")
            for key, inner in cast("dict[str, object]", item).items():
                check_key(key)
                _check_scalar(f"{where}[{index}].{key}", inner)
        return
    _check_scalar(where, value)


def _check_scalar(where: str, value: object) -> None:
    if isinstance(value, str):
        check_text(where, value)
    elif isinstance(value, dict | list):
        raise BadRequest(
            f"{where} cannot be nested; send a string, number, boolean or date", code="value_invalid"
        )
    else:
        check_number(where, value)


def check_key(key: str) -> None:
    """Raises `BadRequest` for a name that is too long, or cannot be stored."""
    if len(key) > limits.PROPERTY_KEY_CHARACTERS:
        raise too_long()
    check_characters("a key", key)


def check_text(where: str, value: str) -> None:
    """Raises `BadRequest` for a text that is too long, or cannot be stored."""
    if len(value) > limits.VALUE_CHARACTERS:
        raise too_long(path=where)
    check_characters(where, value)


def too_long(path: str | None = None) -> BadRequest:
    """The refusal of a key or value that is too long."""
    return BadRequest(failures.VALUE_TOO_LONG, code="value_too_long", path=path)


def check_characters(where: str, value: str) -> None:
    """Raises `BadRequest` for a text that cannot be stored."""
    if not is_storable(value):
        raise BadRequest(
            f"{where} contains a NUL or half a surrogate pair; leave it out", code="value_invalid"
        )


def check_number(where: str, value: object) -> None:
    """Raises `BadRequest` for a number that cannot be stored."""
    if (isinstance(value, int) and value not in INTEGERS) or (
        isinstance(value, float) and not isfinite(value)
    ):
        raise BadRequest(f"{where} {TOO_LARGE}", code="value_invalid")
