"""Contact properties that a command is given and that do not exist: the API would ignore them in silence."""

from __future__ import annotations

from collections.abc import Mapping

from loopwright import Loops
from loopwright.cli.failure import CommandFailed, ExitCode
from loopwright.cli.importing.headings import Headings, new_property
from loopwright.wire.values import Value, type_of

EVERY_TEAMS = frozenset({"firstName", "lastName", "source", "userGroup", "subscribed"})
LEFT_TO_THE_API = frozenset({"email", "userId", "mailingLists"})
"""Not properties: the SDK or the API refuses them by name."""


def check_declared(loops: Loops, properties: Mapping[str, Value | None]) -> None:
    """End the command, with nothing sent, when a property would be ignored.

    Asks the team only for what not every team has.
    """
    asked = properties.keys() - EVERY_TEAMS - LEFT_TO_THE_API
    if not asked:
        return
    declared = loops.contact_properties.list("custom")
    unknown = sorted(asked - {one.key for one in declared})
    if unknown:
        known = Headings(declared)
        reasons = [_reason(key, properties[key], known) for key in unknown]
        raise CommandFailed(f"{' '.join(reasons)} Nothing was sent.", ExitCode.REFUSED)


def _reason(key: str, value: Value | None, known: Headings) -> str:
    column = known.column(key)
    ignored = f"The property {key!r} would be ignored:"
    if column is not None and column.part == "not_sent":
        return f"{ignored} the API sets it itself or not at all."
    if column is not None and column.part in ("contact", "subscribed") and column.key != key:
        return f"{ignored} its name is {column.key or column.part}."
    try:
        name = new_property(key, ()).key
    except ValueError:
        return f"{ignored} it is not declared, and no name for one; use letters, digits and '_'."
    kind = "string" if value is None else type_of(value)
    return f"{ignored} it is not declared. To do that: loopwright properties create {name} --type {kind}."
