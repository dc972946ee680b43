"""What a body is made of: arguments as they travel, each refused by its name when it cannot. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TypeAlias, cast

from msgspec import UNSET, Struct

from loopwright.client.arguments import flag, mapping, refused, snake_case, text
from loopwright.errors import ArgumentValueError
from loopwright.wire.contacts import CONTACT_KEYS, DEFAULT_PROPERTIES
from loopwright.wire.limits import KEY_CHARACTERS
from loopwright.wire.values import PropertyValue, coerce, to_wire

Properties: TypeAlias = Mapping[str, PropertyValue | None]
"""Contact or event properties by name. `None` clears a contact property."""


def one_identifier(email: str | None, user_id: str | None) -> dict[str, str]:
    """Exactly one of the two, by its wire name. Raises `ArgumentError` otherwise."""
    identifiers = some_identifier(email, user_id)
    if len(identifiers) > 1:
        raise ArgumentValueError("give email or user_id, not both")
    return identifiers


def some_identifier(email: str | None, user_id: str | None) -> dict[str, str]:
    """One or both, by wire name. Raises `ArgumentError` for neither, and for what is no text."""
    if email is not None and type(email) is not str:
        email = text("email", email)
    if user_id is not None and type(user_id) is not str:
        user_id = text("user_id", user_id)
    if email:
        return {"email": email, "userId": user_id} if user_id else {"email": email}
    if user_id:
        return {"userId": user_id}
    raise ArgumentValueError("give email, user_id or both: without one the API cannot know the contact")


def check_event_name(name: str) -> str:
    """Raises `ArgumentError` for a name the API refuses."""
    if type(name) is not str:
        name = text("name", name)
    if not name.strip():
        raise ArgumentValueError("name is empty: an event has one")
    if ":" in name:
        raise ArgumentValueError(f"an event name cannot contain a colon, which platform events use: {name!r}")
    return name


def check_key(key: str | None) -> str | None:
    """The idempotency key, or `None` for an empty one. Raises `ArgumentError` for one that cannot travel."""
    if key is None:
        return None
    key = text("idempotency_key", key)
    if len(key) > KEY_CHARACTERS:
        raise ArgumentValueError(
            f"an idempotency key has at most {KEY_CHARACTERS} characters, this one has {len(key)}"
        )
    if not (key.isascii() and key.isprintable()) or key != key.strip():
        raise ArgumentValueError(
            f"idempotency_key {key!r} cannot travel in a header: give printable ASCII, no blanks around it"
        )
    return key or None


def properties_to_wire(properties: Properties, argument: str = "properties") -> dict[str, object]:
    """Write property values as they travel. Raises `ArgumentError` naming the property and its type."""
    try:
        # Strings are most of them and need no work.
        return {
            key: value if type(value) is str or value is None else to_wire(value)
            for key, value in properties.items()
        }
    except (TypeError, ValueError, AttributeError):
        for key, value in mapping(argument, properties, '{"plan": "pro"}').items():
            _check_value(f"property {key!r}", value)
        raise


def contact_to_wire(contact: Properties, argument: str, arguments: Mapping[str, str]) -> dict[str, object]:
    """Write contact properties as they travel. `arguments` tells of names which argument they are given by.

    Raises `ArgumentError` for those, and for a default property in another spelling, such as snake_case: the
    API would ignore it in silence.
    """
    body = properties_to_wire(contact, argument)
    check_own_arguments(argument, body, arguments)
    check_spelling(argument, body, arguments)
    return body


def check_own_arguments(argument: str, names: Collection[str], arguments: Mapping[str, str]) -> None:
    """Raises `ArgumentError` for names that are given by `arguments`, which belong to the names."""
    if not arguments.keys().isdisjoint(names):
        key = next(key for key in names if key in arguments)
        raise ArgumentValueError(
            f"{argument} has {key!r}: give it by its own argument, {arguments[key]}=... "
            f"({', '.join(arguments.values())} are own arguments)"
        )


def check_spelling(argument: str, names: Collection[str], arguments: Mapping[str, str]) -> None:
    """Raises `ArgumentError` for a contact's key as others spell it: the API would ignore it in silence."""
    if not _SPELLINGS.keys().isdisjoint(names):
        name = next(name for name in names if name in _SPELLINGS)
        right = _SPELLINGS[name]
        own = f"{arguments[right]}=..." if right in arguments else f'{{"{right}": ...}}'
        raise ArgumentValueError(f"{argument} has {name!r}, which the API calls {right!r}: give {own}")


def lists_to_wire(mailing_lists: Mapping[str, bool]) -> dict[str, bool]:
    """Write memberships as they travel. Raises `ArgumentError`, for a mere list of ids too."""
    given = mapping("mailing_lists", mailing_lists, '{"list id": True}')
    return {
        text("a key of mailing_lists", key): flag(f"mailing_lists[{key!r}]", value)
        for key, value in given.items()
    }


def variables_to_wire(variables: object, argument: str = "data_variables") -> dict[str, object]:
    """Write template variables as they travel, values inside lists and objects included.

    Raises `ArgumentError` naming the variable with its place, as in `items[0].price`.
    """
    given = mapping(argument, variables, '{"name": "Ada"}')
    try:
        return {
            text("a variable's name", key): value if type(value) is str else _variable(str(key), value)
            for key, value in given.items()
        }
    except RecursionError:
        raise ArgumentValueError(f"{argument} holds itself, or is nested too deep") from None


def given(**values: object) -> dict[str, object]:
    """The values that are not `UNSET`, by wire name."""
    return {key: value for key, value in values.items() if value is not UNSET}


def given_texts(**values: object) -> dict[str, object]:
    """`given`, of texts alone; `None` stays. Raises `ArgumentTypeError` that names the argument."""
    return _checked(text, values)


def given_flags(**values: object) -> dict[str, object]:
    """`given`, of yes or no alone; `None` stays. Raises `ArgumentTypeError` that names the argument."""
    return _checked(flag, values)


def given_trees(**values: object) -> dict[str, object]:
    """`given`, of values within values, as filters are.

    Raises `ArgumentTypeError` that names the argument and the place: bytes and sets would arrive as
    something else.
    """
    return _checked(_tree, values)


def given_variables(**values: object) -> dict[str, dict[str, str | None]]:
    """The mappings that are not `UNSET`, with texts only: the API takes no others there.

    Numbers and dates are written as they would be read in an email; `None` stays. Raises `ArgumentError`
    naming the variable.
    """
    return {key: _variables(snake_case(key), texts) for key, texts in given(**values).items()}


def _checked(check: Callable[[str, object], object], values: Mapping[str, object]) -> dict[str, object]:
    there = given(**values).items()
    return {key: None if value is None else check(snake_case(key), value) for key, value in there}


def something_given(body: dict[str, object], names: str) -> dict[str, object]:
    """Raises `ArgumentValueError` for an update that changes nothing, which the API refuses."""
    if not body:
        raise ArgumentValueError(f"nothing to change: give at least one of {names}")
    return body


def _tree(path: str, value: object) -> object:
    match value:
        case str() | int() | float() | Struct() | None:
            return value
        case Mapping():
            items = cast("Mapping[object, object]", value).items()
            return {text(f"a name in {path}", key): _tree(f"{path}.{key}", item) for key, item in items}
        case list() | tuple():
            numbered = enumerate(cast("Sequence[object]", value))
            return [_tree(f"{path}[{number}]", item) for number, item in numbered]
        case _:
            return _check_value(path, value)


def _check_value(where: str, value: object) -> object:
    if value is None:
        return None
    try:
        return to_wire(cast("PropertyValue", value))
    except (TypeError, ValueError) as error:
        raise refused(where, error) from None


def _variable(path: str, value: object) -> object:
    if isinstance(value, Mapping):
        return {
            text(f"a name inside data variable {path!r}", key): _variable(f"{path}.{key}", item)
            for key, item in cast("Mapping[object, object]", value).items()
        }
    if isinstance(value, (list, tuple)):
        return [
            _variable(f"{path}[{number}]", item)
            for number, item in enumerate(cast("Sequence[object]", value))
        ]
    return _check_value(f"data variable {path!r}", value)


def _variables(argument: str, values: object) -> dict[str, str | None]:
    texts = {
        text("a variable's name", key): _text_of(f"{argument}[{key!r}]", value)
        for key, value in mapping(argument, values, '{"plan": "pro"}').items()
    }
    if argument.startswith("contact_"):
        check_spelling(argument, texts, {})
    return texts


def _text_of(where: str, value: object) -> str | None:
    sent = _check_value(where, value)
    match sent:
        case None | str():
            return sent
        case bool():
            return str(sent).lower()
        case int() | float():
            return cast("str", coerce(sent, "string"))
        case _:
            return str(sent)


def _spellings(key: str) -> set[str]:
    """A key in snake_case, in capitals, in kebab-case, as a type's name and as people read it."""
    snake = snake_case(key)
    kebab, words = snake.replace("_", "-"), snake.replace("_", " ")
    pascal = key[:1].upper() + key[1:]
    return {snake, snake.upper(), kebab, pascal, words, words.capitalize(), words.title()} - {key}


_SPELLINGS = {
    spelling: key
    for key in (CONTACT_KEYS | {one.key for one in DEFAULT_PROPERTIES}) - {"id"}
    for spelling in _spellings(key)
}
"""How others would spell a contact's keys, and how the API does."""
