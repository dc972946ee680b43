"""Why JSON is not of a type: the place by its keys, and what would do there. msgspec finds that it is not."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, cast

import msgspec
from msgspec import inspect

_PLACE = re.compile(r"(.*?)(?: - at `\$(.*)`)?", re.DOTALL)
_STEP = re.compile(r"\.(\w+)|\[(\d+|\.\.\.)\]")
_KEY = re.compile(r"Object (?:(missing) required|contains unknown) field `(.*)`", re.DOTALL)
_SHOWN = 60  # characters of a value that is told: what is wrong is at its beginning, or its length


def misfit(value: object, kind: type, problem: msgspec.ValidationError) -> str:
    """What is wrong with `value`, of which msgspec has said why it is no `kind`."""
    found = _PLACE.fullmatch(str(problem))
    said, path = (found[1], found[2] or "") if found else (str(problem), "")
    steps = _named([one[1] or one[2] for one in _STEP.finditer(path)], value, kind)
    types = [inspect.type_info(kind)]
    at = value
    for step in steps:
        types = [inner for one in types for inner in _inside(one, step, at)]
        at = _item(at, step)
    place = "".join(f"[{step}]" if step.isdecimal() else f".{step}" for step in steps).removeprefix(".")
    if key := _KEY.fullmatch(said):
        place = f"{place}.{key[2]}".removeprefix(".")
        if key[1]:
            return f"{place} is missing"
        return f"{place} is not a key there; send {', '.join(_keys(types, at))}"
    wanted = list(dict.fromkeys(words for one in types for words in _words(one)))
    if "a number" in wanted and "a whole number" in wanted:
        wanted.remove("a whole number")
    return f"{place} must be {_either(wanted)} (got {shown(at)})" if wanted else f"{place}: {said}"


def shown(value: object) -> str:
    """A value in a message: its beginning when it is long, and the kind of what holds others."""
    if isinstance(value, Mapping):
        return "an object"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, str) and len(value) > _SHOWN:
        return f"{json.dumps(value[:_SHOWN], ensure_ascii=False)}… of {len(value):,} characters"
    return json.dumps(value, ensure_ascii=False, default=str)


def named(text: str) -> str:
    """A name in a message: as it is, but quoted where it is none, and its beginning when it is long."""
    return text if re.fullmatch(rf"\S{{1,{_SHOWN}}}", text) else shown(text)


def _named(steps: list[str], value: object, kind: type) -> list[str]:
    """The steps to a place, with the keys of maps, of which msgspec tells none."""
    for turn, step in enumerate(steps):
        if step != "...":
            continue
        inner = _at(value, steps[:turn])
        keys = list(cast("dict[str, object]", inner)) if isinstance(inner, dict) else []
        wrong = next((key for key in keys if not _fits(value, steps[:turn], key, kind)), "...")
        steps = [*steps[:turn], wrong, *steps[turn + 1 :]]
    return steps


def _fits(value: object, steps: list[str], key: str, kind: type) -> bool:
    """Whether nothing is wrong once this is the only key of the map there."""
    try:
        msgspec.convert(_only(value, steps, key), kind)
    except msgspec.ValidationError:
        return False
    return True


def _only(value: Any, steps: list[str], key: str) -> object:
    """The value with that key alone in the map at the end of the steps."""
    if not steps:
        return {key: value[key]}
    step, *others = steps
    inner = _only(_item(value, step), others, key)
    if isinstance(value, list):
        items = cast("list[object]", value)
        return [*items[: int(step)], inner, *items[int(step) + 1 :]]
    return {**value, step: inner}


def _at(value: object, steps: list[str]) -> object:
    for step in steps:
        value = _item(value, step)
    return value


def _item(value: object, step: str) -> object:
    if isinstance(value, list) and step.isdecimal():
        return cast("list[object]", value)[int(step)]
    return cast("dict[str, object]", value).get(step) if isinstance(value, dict) else None


def _inside(one: inspect.Type, step: str, value: object) -> Iterator[inspect.Type]:
    """The types that a step into a value of this type leads to."""
    match one:
        case inspect.Metadata(type=inner):
            yield from _inside(inner, step, value)
        case inspect.UnionType(types=types):
            for inner in types:
                yield from _inside(inner, step, value)
        case inspect.StructType(tag_field=str(tag_field), tag=tag) if tag_field == step:
            yield inspect.LiteralType((cast("str", tag),))
        case inspect.StructType(tag_field=tag_field, tag=tag, fields=fields):
            if tag_field is None or _item(value, tag_field) == tag:
                yield from (field.type for field in fields if field.encode_name == step)
        case inspect.DictType(value_type=inner):
            yield inner
        case inspect.ListType(item_type=inner) | inspect.VarTupleType(item_type=inner):
            yield inner
        case _:
            return


def _keys(types: list[inspect.Type], value: object) -> list[str]:
    structs = [one for one in _flat(types) if isinstance(one, inspect.StructType)]
    meant = [one for one in structs if one.tag_field is None or _item(value, one.tag_field) == one.tag]
    tags = [one.tag_field for one in meant if one.tag_field is not None]
    return [*tags, *(field.encode_name for one in meant for field in one.fields)]


def _flat(types: list[inspect.Type]) -> Iterator[inspect.Type]:
    for one in types:
        match one:
            case inspect.Metadata(type=inner):
                yield from _flat([inner])
            case inspect.UnionType(types=inner):
                yield from _flat(list(inner))
            case _:
                yield one


def _words(one: inspect.Type) -> Iterator[str]:
    """What a value of the type is, in words of JSON; nothing for a type without words."""
    for plain in _flat([one]):
        match plain:
            case inspect.LiteralType(values=values):
                yield from (f'"{value}"' for value in values)
            case inspect.StrType(min_length=least, max_length=most):
                yield "text" + _many(least, most, "character")
            case inspect.IntType(ge=least, le=most):
                yield "a whole number" + _between(least, most)
            case inspect.FloatType(ge=least, le=most):
                yield "a number" + _between(least, most)
            case inspect.BoolType():
                yield from ("true", "false")
            case inspect.NoneType():
                yield "null"
            case inspect.DateTimeType():
                yield "a time such as 2027-01-31T08:00:00Z"
            case inspect.ListType(min_length=least, max_length=most):
                yield "a list" + _many(least, most, "item")
            case inspect.DictType() | inspect.StructType():
                yield "an object"
            case _:
                continue


def _many(least: int | None, most: int | None, thing: str) -> str:
    if most is not None:
        return f" of {least} to {most:,} {thing}s" if least else f" of at most {most:,} {thing}s"
    return f" of {least} {thing} or more" if least else ""


def _between(least: float | None, most: float | None) -> str:
    if least is not None and most is not None:
        return f" from {least:,} to {most:,}"
    if least is not None:
        return f" from {least:,} on"
    return "" if most is None else f" up to {most:,}"


def _either(wanted: list[str]) -> str:
    return " or ".join([", ".join(wanted[:-1]), wanted[-1]]) if len(wanted) > 1 else wanted[0]
