"""Bodies of the content API: unknown keys are refused by name, and so is what has the wrong type."""

from collections.abc import Mapping
from functools import wraps
from typing import TypeVar, cast

import msgspec
from msgspec import UNSET, Struct, UnsetType
from msgspec.structs import fields
from starlette.responses import Response

from loopwright.server.refusal import BadRequest
from loopwright.server.store.database import is_storable
from loopwright.wire.misfits import misfit, named

from .dispatch import ApiRequest, Handler, read_body

Body = TypeVar("Body", bound=Struct)
Value = TypeVar("Value")


async def read_strict(call: ApiRequest, kind: type[Body]) -> Body:
    """The request's body as a Struct. Raises `BadRequest` that names the key, and what `read_body` raises."""
    body = await read_body(call)
    _check_characters(body, "")
    return convert_strict(body, kind)


def without_keys(act: Handler) -> Handler:
    """A handler of requests whose path says it all. `BadRequest` for whoever gives it keys: they say more."""

    @wraps(act)
    async def handle(call: ApiRequest) -> Response:
        try:
            body = await read_body(call)
        except BadRequest as problem:
            if problem.code != "body_missing":
                raise
            body = {}
        for key in body:
            raise BadRequest(
                f"{key} is not a key of this request, which has none; leave it out", code="key_unknown"
            )
        return await act(call)

    return handle


def convert_strict(body: Mapping[str, object], kind: type[Body], at: str = "") -> Body:
    """The body, or the part of it that is `at` a place such as `payload.`, as a Struct.

    Raises `BadRequest` that names the key.
    """
    known = [field.encode_name for field in fields(kind)]
    for key in body:
        if key not in known:
            raise BadRequest(
                f"{at}{named(key)} is not a key of this request; send {', '.join(known)}", code="key_unknown"
            )
    for field in fields(kind):
        if field.required and field.encode_name not in body:
            raise BadRequest(f"{at}{field.encode_name} is missing", code="key_missing")
    try:
        return msgspec.convert(body, kind)
    except msgspec.ValidationError as problem:
        raise BadRequest(f"{at}{misfit(body, kind, problem)}", code="value_invalid") from None


def at_least_one(body: Struct) -> None:
    """Raises `BadRequest` when the body gives none of the keys that it need not give: it changes nothing."""
    optional = [field for field in fields(type(body)) if not field.required]
    if all(getattr(body, field.name) is UNSET for field in optional):
        names = ", ".join(field.encode_name for field in optional)
        raise BadRequest(f"send at least one of {names}", code="nothing_to_change")


def name_of(text: str) -> str:
    """A name without the blanks around it. Raises `BadRequest` for one that nobody can see."""
    if not any(character.isprintable() and not character.isspace() for character in text):
        raise BadRequest("name is empty; say what people call it", code="name_invalid", path="name")
    return text.strip()


def given(value: Value | UnsetType) -> Value | None:
    """The value, or None where the key is missing."""
    return None if value is UNSET else value


def _check_characters(value: object, where: str) -> None:
    if isinstance(value, str) and not is_storable(value):
        raise BadRequest(
            f"{where} contains a NUL or half a surrogate pair; leave it out", code="value_invalid", path=where
        )
    if isinstance(value, list):
        for place, item in enumerate(cast("list[object]", value)):
            _check_characters(item, f"{where}[{place}]")
    if isinstance(value, dict):
        for key, item in cast("dict[str, object]", value).items():
            _check_characters(key, f"a key of {where}" if where else "a key")
            _check_characters(item, f"{where}.{key}".removeprefix("."))
