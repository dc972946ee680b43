"""How values look in templates. Whatever returns `Markup` has escaped what it was given."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from markupsafe import Markup

_STORED_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_TIME = Markup(
    '<time datetime="{iso}" title="{full}">'
    '<span class="day">{day}</span> <span class="clock">{clock}</span></time>'
)


def moment(at: datetime) -> Markup:
    """Day and time in UTC: `23 Nov 09:15:36`, the whole of it on hovering."""
    utc = at.astimezone(UTC)
    return _TIME.format(
        iso=utc.isoformat(timespec="milliseconds"),
        full=f"{utc:%Y-%m-%d %H:%M:%S} UTC",
        day=f"{utc.day} {utc:%b}",
        clock=f"{utc:%H:%M:%S}",
    )


def planned(at: datetime) -> Markup:
    """When something is to be, which may be in another year: `31 Jan 2037 08:00`."""
    utc = at.astimezone(UTC)
    return _TIME.format(
        iso=utc.isoformat(timespec="milliseconds"),
        full=f"{utc:%Y-%m-%d %H:%M:%S} UTC",
        day=f"{utc.day} {utc:%b %Y}",
        clock=f"{utc:%H:%M}",
    )


def about(at: datetime) -> str:
    """A time that is not known to the second: `23 Nov 09:15`."""
    utc = at.astimezone(UTC)
    return f"{utc.day} {utc:%b %H:%M}"


def after(at: datetime, cause: datetime) -> Markup:
    """How long after its cause something came: `+0.4 s`, `+12 min`, `+3 d 2 h`; the time on hovering."""
    utc = at.astimezone(UTC)
    return Markup('<time datetime="{iso}" title="{full}">+{span}</time>').format(
        iso=utc.isoformat(timespec="milliseconds"), full=f"{utc:%Y-%m-%d %H:%M:%S} UTC", span=span(at - cause)
    )


def span(length: timedelta) -> str:
    """A length of time in its two largest units; below ten seconds with tenths."""
    seconds = max(length.total_seconds(), 0.0)
    if seconds < 10:
        return f"{round(seconds, 1):g} s"
    days, rest = divmod(round(seconds), 86400)
    hours, rest = divmod(rest, 3600)
    minutes, rest = divmod(rest, 60)
    parts = [(days, "d"), (hours, "h"), (minutes, "min"), (rest, "s")]
    first = next(place for place, (value, _) in enumerate(parts) if value)
    return " ".join(f"{value} {unit}" for value, unit in parts[first : first + 2] if value)


def date(value: object) -> object:
    """A date as it is stored, as people write it: `2026-12-01`, `2026-12-01 09:30:00`; else the value."""
    if not isinstance(value, str) or _STORED_DATE.fullmatch(value) is None:
        return value
    day, clock = value[:10], value[11:19]
    return day if clock == "00:00:00" else f"{day} {clock}"


def plain(value: object) -> str:
    """A property's value as people write it: `true`, `42`, `4.5`, text as it is, anything else as JSON."""
    match value:
        case str():
            return value
        case float() if value.is_integer() and abs(value) < 1e15:
            return f"{value:.0f}"
        case _:
            return msgspec.json.encode(value).decode()


def kind(value: object) -> str:
    """The type of a property's value: string, number, boolean or list; dates travel as strings."""
    match value:
        case bool():
            return "boolean"
        case int() | float():
            return "number"
        case list():
            return "list"
        case _:
            return "string"


def number(value: int) -> str:
    """`12345` -> `12,345`."""
    return f"{value:,}"


def compact(value: int) -> str:
    """In at most four characters: `999`, `1.2k`, `12k`, `123k`, `1.2M`."""
    for unit, letter in ((1_000_000_000, "G"), (1_000_000, "M"), (1000, "k")):
        if value >= unit:
            tenths = value * 10 // unit
            return f"{tenths / 10:.1f}{letter}" if tenths < 100 else f"{value // unit}{letter}"
    return str(value)


def size(octets: int) -> str:
    """`2048` -> `2.0 KB`."""
    if octets < 1000:
        return f"{octets} bytes"
    return f"{octets / 1000:.1f} KB" if octets < 1_000_000 else f"{octets / 1_000_000:.1f} MB"


def initial(text: str) -> str:
    """The letter in a contact's circle."""
    return next((letter.upper() for letter in text if letter.isalnum()), "·")


NODE_NAMES = {
    "BlankTrigger": "Trigger",
    "SignupTrigger": "Contact added",
    "EventTrigger": "Event received",
    "ContactPropertyTrigger": "Contact updated",
    "AddToListTrigger": "Contact added to list",
    "AudienceFilter": "Audience filter",
    "BranchNode": "Branch",
    "ExperimentBranchNode": "Experiment",
    "VariantNode": "Variant",
    "TimerAction": "Timer",
    "SendEmailAction": "Email",
    "ExitAction": "Exit",
}


def node_name(type_name: str | None) -> str:
    """What people call a node of that type; None is one that is gone."""
    return NODE_NAMES.get(type_name, type_name) if type_name else "A step that is gone"


FILTERS: dict[str, Any] = {
    "about": about,
    "planned": planned,
    "after": after,
    "date": date,
    "initial": initial,
    "kind": kind,
    "moment": moment,
    "node_name": node_name,
    "number": number,
    "plain": plain,
    "size": size,
}
