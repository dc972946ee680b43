"""The first reading of a file, and what its columns come to: found out before anything is sent."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import cast

from msgspec import Struct

from loopwright.cli.importing.csv_rows import CsvRows
from loopwright.cli.importing.files import Row
from loopwright.cli.importing.guard import is_guarded
from loopwright.cli.importing.headings import (
    IGNORED,
    Column,
    Headings,
    Part,
    names_contact,
    new_property,
    whole_of,
)
from loopwright.cli.importing.json_rows import read_object
from loopwright.cli.importing.table import Table
from loopwright.cli.importing.text import FileError
from loopwright.wire.values import PropertyType, PropertyValue, to_wire, type_of


class Survey(Struct, frozen=True):
    """What a first reading finds: how many rows, and the types of each heading's values.

    Cells of CSV are all text, so they tell no type. The keys of a column `contactProperties` are among the
    headings, as `contact.KEY`. `guarded` counts cells that an apostrophe guards.
    """

    rows: int
    headings: Mapping[str, Collection[PropertyType]]
    guarded: int = 0


class Plan(Struct, frozen=True, kw_only=True):
    """How the file's columns are read. `undeclared` maps the keys of properties that are not there yet to
    the type they would get; `guarded`: some cells have an apostrophe that is no part of them.
    """

    columns: Mapping[str, Column]
    undeclared: Mapping[str, PropertyType]
    guarded: bool = False

    def headings(self, *parts: Part) -> list[str]:
        return [heading for heading, column in self.columns.items() if column.part in parts]


def survey(table: Table) -> Survey:
    """Read all rows once. Raises `FileError` for what spoils the file as a whole."""
    headings = table.headings or ()
    if table.dialect is not None and "contact" not in map(whole_of, headings):
        rows, guards = CsvRows(table.path, table.dialect).count()
        return Survey(rows, dict.fromkeys(headings, ()), guards if table.quoted else 0)
    return survey_rows(table.rows(), table)


def survey_rows(all_rows: Iterable[Row], table: Table) -> Survey:
    """What these rows of a table come to."""
    rows = guarded = 0
    headings: dict[str, set[PropertyType]] = {heading: set() for heading in table.headings or ()}
    wholes = {heading for heading in headings if whole_of(heading) == "contact"}
    for row in all_rows:
        rows += 1
        if row.fault:
            continue
        if table.form != "csv":
            for heading, cell in row.fields.items():
                if heading not in headings and whole_of(heading) == "contact":
                    wholes.add(heading)
                found = headings.setdefault(heading, set())
                if cell is not None:
                    found.add(_type_of(cell))
        elif table.quoted:
            guarded += sum(map(is_guarded, row.fields.values()))
        for key, value in _inside(row, wholes):
            found = headings.setdefault(f"contact.{key}", set())
            if value is not None:
                found.add(_type_of(value))
    return Survey(rows, headings, guarded)


def plan_of(found: Survey, known: Headings, table: Table) -> Plan:
    """Find out what each column holds. Raises `FileError` for columns that cannot be told apart."""
    if found.headings and not names_contact(found.headings):
        raise FileError(
            f"{table.where}: a column Email or User ID is needed, to know whom a row is about; there are "
            f"{_listed(found.headings)}. Nothing was sent"
        )
    columns: dict[str, Column] = {}
    undeclared: dict[str, PropertyType] = {}
    for heading, types in found.headings.items():
        column = known.column(heading)
        if column is None:
            try:
                column = new_property(heading, types)
            except ValueError as error:
                raise FileError(f"{table.where}: {error}. Nothing was sent") from None
            undeclared[column.key] = column.type or "string"
        columns[heading] = column
    if table.headings is not None:
        _check_twins({heading: columns[heading] for heading in table.headings}, table)
    return Plan(columns=columns, undeclared=undeclared, guarded=found.guarded > 0)


def unknown_columns(plan: Plan) -> str:
    """What to say of columns that no property has."""
    undeclared = plan.undeclared.items()
    commands = "; ".join(f"loopwright properties create {key} --type {kind}" for key, kind in undeclared)
    columns = [heading for heading, one in plan.columns.items() if one.key in plan.undeclared]
    return (
        f"no contact property for {', '.join(map(repr, columns))}, so the API would ignore what is there. "
        f"Nothing was sent. Rename or remove the columns, declare the properties ({commands}), or give "
        "--create-properties to do that"
    )


def _check_twins(columns: Mapping[str, Column], table: Table) -> None:
    """Two columns of a table may not mean the same: one of the two would be lost."""
    seen: dict[tuple[Part, str], tuple[int, str]] = {}
    for place, (heading, column) in enumerate(columns.items(), 1):
        if column.part in IGNORED:
            continue
        before, twin = seen.setdefault((column.part, column.key), (place, heading))
        if before != place:
            raise FileError(
                f"{table.where}: columns {before} ({twin!r}) and {place} ({heading!r}) mean the same; leave "
                "one out. Nothing was sent"
            )


def _inside(row: Row, wholes: Iterable[str]) -> Iterator[tuple[str, object]]:
    """What stands in the objects of contact properties; what is none says so when its row is read."""
    for heading in wholes:
        cell = row.fields.get(heading)
        try:
            yield from (
                read_object(cell) if isinstance(cell, str) else cast("Mapping[str, object]", cell)
            ).items()
        except (ValueError, AttributeError):
            continue


def _type_of(cell: object) -> PropertyType:
    if isinstance(cell, (dict, list)):
        return "string"
    try:
        return type_of(to_wire(cast("PropertyValue", cell)))
    except (TypeError, ValueError):
        return "string"


def _listed(headings: Collection[str]) -> str:
    named = [repr(heading) for heading in headings if heading.strip()]
    more = f" and {len(named) - 10} more" if len(named) > 10 else ""
    return ", ".join(named[:10]) + more if named else "none with a name"
