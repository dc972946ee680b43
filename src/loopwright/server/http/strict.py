"""Bodies of the content API: unknown keys are refused by name, and so is what has the wrong type."""

from typing import TypeVar

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from loopwright.server.refusal import BadRequest

from .dispatch import ApiRequest, read_body

Body = TypeVar("Body", bound=Struct)


async def read_strict(call: ApiRequest, kind: type[Body]) -> Body:
    """The request's body as a Struct. Raises `BadRequest` that names the key, and what `read_body` raises."""
    body = await read_body(call)
    known = [field.encode_name for field in fields(kind)]
    for key in body:
        if key not in known:
            raise BadRequest(
                f"{key} is not a key of this request; send {', '.join(known)}", code="key_unknown"
            )
    for field in fields(kind):
        if field.required and field.encode_name not in body:
            raise BadRequest(f"{field.encode_name} is missing", code="key_missing")
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as problem:
        said, _, place = str(problem).partition(" - at `$.")
        raise BadRequest(f"{place.strip('`')}: {said}", code="value_invalid") from None
