"""Resources by id, as the path names them."""

import re

from loopwright.server.refusal import BadRequest

from .operation import Call

_ID = re.compile(r"[A-Za-z0-9_-]+")


def id_in_path(call: Call, parameter: str) -> str:
    """The id in the request's path. One that cannot be an id is a mistake; one that nobody has is unknown."""
    value: str = call.request.path_params[parameter]
    if not _ID.fullmatch(value):
        raise BadRequest(f"{parameter} has only letters, digits, '_' and '-'", code="id_invalid")
    return value
