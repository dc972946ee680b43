"""What is wrong with JSON is told by its place and by what would do there."""

from datetime import datetime
from typing import Annotated, Literal

import msgspec
import pytest
from msgspec import Meta, Struct

from loopwright.wire.misfits import misfit, named, shown


class Cat(Struct, tag_field="type", tag="cat", forbid_unknown_fields=True):
    lives: int


class Dog(Struct, tag_field="type", tag="dog", forbid_unknown_fields=True):
    lives: Annotated[float, Meta(ge=1, le=9)]
    born: datetime | None = None


class Home(Struct, rename="camel", forbid_unknown_fields=True):
    pets: Annotated[list[Cat | Dog], Meta(min_length=1)] = msgspec.field(default_factory=lambda: [Cat(9)])
    street_name: Annotated[str, Meta(min_length=1, max_length=5)] | None = None
    kind: Literal["flat", "house"] = "flat"
    rooms: dict[str, str | int | float] = {}
    lists: dict[str, list[dict[str, bool]]] = {}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"kind": "tent"}, 'kind must be "flat" or "house" (got "tent")'),
        ({"kind": None}, 'kind must be "flat" or "house" (got null)'),
        ({"streetName": ""}, 'streetName must be text of 1 to 5 characters or null (got "")'),
        ({"pets": []}, "pets must be a list of 1 item or more (got a list)"),
        ({"pets": {}}, "pets must be a list of 1 item or more (got an object)"),
        ({"pets": [{"type": "cow"}]}, 'pets[0].type must be "cat" or "dog" (got "cow")'),
        ({"pets": [{}]}, "pets[0].type is missing"),
        ({"pets": [{"type": "cat"}]}, "pets[0].lives is missing"),
        ({"pets": [{"type": "cat", "lives": 1.5}]}, "pets[0].lives must be a whole number (got 1.5)"),
        ({"pets": [{"type": "dog", "lives": 10}]}, "pets[0].lives must be a number from 1 to 9 (got 10)"),
        (
            {"pets": [{"type": "dog", "lives": 1, "born": "may"}]},
            'pets[0].born must be a time such as 2027-01-31T08:00:00Z or null (got "may")',
        ),
        (
            {"pets": [{"type": "dog", "lives": 1, "name": "x"}]},
            "pets[0].name is not a key there; send type, lives, born",
        ),
        ({"rooms": {"a": "x", "b c": None, "d": 1}}, "rooms.b c must be text or a number (got null)"),
        ({"lists": {"a": [], "b": [{"x": True}, {"y": 0}]}}, "lists.b[1].y must be true or false (got 0)"),
        ({"rooms": [1]}, "rooms must be an object (got a list)"),
    ],
)
def test_the_place_and_what_would_do_there(body: object, said: str) -> None:
    with pytest.raises(msgspec.ValidationError) as caught:
        msgspec.convert(body, Home)
    assert misfit(body, Home, caught.value) == said


def test_long_values_are_cut() -> None:
    assert shown("x" * 99_999) == f'"{"x" * 60}"… of 99,999 characters'
    assert named("x" * 99_999) == shown("x" * 99_999)
    assert (named("plan"), named(""), named("a b")) == ("plan", '""', '"a b"')
