"""Contact properties that a team declares: the names they may have. Pure."""

import re

from loopwright.server.refusal import BadRequest
from loopwright.wire.contacts import CONTACT_KEYS, DEFAULT_PROPERTIES, RESERVED_PROPERTIES
from loopwright.wire.limits import PROPERTY_KEY_CHARACTERS

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]*", re.ASCII)
_TAKEN = RESERVED_PROPERTIES | CONTACT_KEYS | {one.key for one in DEFAULT_PROPERTIES}
# What an event says beside its contact, alone and as a line among many.
_EVENT_KEYS = {"eventName", "eventProperties", "idempotencyKey"}


def check_property_name(name: object) -> str:
    """The name, if a team may declare a property of it. Raises `BadRequest`."""
    if not isinstance(name, str) or not _NAME.fullmatch(name) or len(name) > PROPERTY_KEY_CHARACTERS:
        raise BadRequest(
            "name must begin with a letter and go on with letters, digits and '_', such as favoriteColor",
            code="property_name_invalid",
        )
    if name in _TAKEN:
        raise BadRequest(f"{name} is a name of Loops' own; choose another", code="property_name_reserved")
    if name in _EVENT_KEYS:
        raise BadRequest(
            f"{name} means something else in the body of an event, which could not set it; choose another",
            code="property_name_reserved",
        )
    return name
