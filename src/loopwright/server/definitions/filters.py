"""Reads audience filters, those of steps and those that have a name: segments."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Final, TypeVar, cast

import msgspec
from msgspec import Struct

from loopwright.server.audience.strict import AudienceFilterRequest
from loopwright.wire.limits import SEGMENT_DESCRIPTION_CHARACTERS, SEGMENT_NAME_CHARACTERS
from loopwright.wire.misfits import misfit

from .mistakes import Mistake
from .model import SegmentDefinition
from .table import Table, read_toml

SEGMENTS_FILE: Final = "segments.toml"

Kind = TypeVar("Kind", bound=Struct)


def read_segments(files: Mapping[str, str], mistakes: list[Mistake]) -> Iterator[SegmentDefinition]:
    """The segments of a folder, each a table called as the segment is; mistakes are noted."""
    table = read_toml(SEGMENTS_FILE, files.get(SEGMENTS_FILE, ""), mistakes)
    for name, inner in table.inner_tables() if table else ():
        if not name.strip() or name != name.strip() or len(name) > SEGMENT_NAME_CHARACTERS:
            inner.refuse(
                f"a segment's name has 1 to {SEGMENT_NAME_CHARACTERS} characters, and no blanks around them"
            )
        description = inner.text("description")
        if len(description or "") > SEGMENT_DESCRIPTION_CHARACTERS:
            inner.refuse(
                f"a description has at most {SEGMENT_DESCRIPTION_CHARACTERS:,} characters", "description"
            )
        if "conditions" not in inner:
            inner.refuse('conditions is missing; write conditions = [{ type = "property", … }]')
        found = read_filter(inner, inner, "conditions")
        inner.finish()
        if found is not None:
            yield SegmentDefinition(name=name, description=description, filter=found, line=inner.line())


def read_filter(table: Table, outer: Table, key: str) -> AudienceFilterRequest | None:
    """The filter that a table says; what is wrong with it is told at `key` of the `outer` one."""
    raw = {"match": table.text("match") or "all", "conditions": table.raw("conditions")}
    return converted(outer, key, raw, AudienceFilterRequest)


def converted(table: Table, key: str, raw: object, kind: type[Kind]) -> Kind | None:
    """What the file says in the API's own keys; a mistake when it is not what the API takes."""
    plain = _plain(raw)
    try:
        return msgspec.convert(plain, kind)
    except msgspec.ValidationError as problem:
        table.refuse(misfit(plain, kind, problem), key)
        return None


def _plain(value: object) -> object:
    """The value in the API's form: dates as text, and null for an opt-in status that is not given."""
    if isinstance(value, dict):
        values = {key: _plain(item) for key, item in cast("dict[str, object]", value).items()}
        return {"status": None, **values} if values.get("type") == "optIn" else values
    if isinstance(value, list):
        return [_plain(item) for item in cast("list[object]", value)]
    return value.isoformat() if isinstance(value, datetime | date) else value
