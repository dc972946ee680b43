"""The overview's chart: numbers in, places of bars out. Pure; lengths are units of the SVG's view box."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HOURS = 24
WIDTH, HEIGHT = 720, 160
_BASE = 132  # where the bars stand; the hours are written below
_TOP = 14
_SLOT = WIDTH / HOURS
_BAR = 10.0
_GAP = 2.0
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Bar:
    """A bar that stands on the base line."""

    x: float
    y: float
    height: float


@dataclass(frozen=True)
class Column:
    """One hour: its two bars, what to say about it, and its label when it has one."""

    x: float
    middle: float
    events: Bar
    sent: Bar
    says: str
    label: str


@dataclass(frozen=True)
class Chart:
    """The whole picture; `peak` is the value at the height of the line at `top`."""

    width: int
    height: int
    base: int
    top: int
    slot: float
    bar: float
    peak: int
    columns: Sequence[Column]


def first_hour(now: datetime) -> datetime:
    """The start of the earliest of the hours shown at `now`."""
    return now.replace(minute=0, second=0, microsecond=0) - (HOURS - 1) * _HOUR


def draw(events: Mapping[datetime, int], sent: Mapping[datetime, int], *, now: datetime) -> Chart:
    """Draw the last hours up to `now`. Both map an hour's start to a number; a missing hour has none."""
    hours = [first_hour(now) + turn * _HOUR for turn in range(HOURS)]
    peak = _round_up(max(*events.values(), *sent.values(), 0, 0))
    columns = [
        Column(
            x=round(turn * _SLOT, 2),
            middle=round((turn + 0.5) * _SLOT, 2),
            events=_bar((turn + 0.5) * _SLOT - _BAR - _GAP / 2, events.get(hour, 0), peak),
            sent=_bar((turn + 0.5) * _SLOT + _GAP / 2, sent.get(hour, 0), peak),
            says=_say(hour, events.get(hour, 0), sent.get(hour, 0)),
            label=f"{hour:%H:%M}" if hour.hour % 6 == 0 else "",
        )
        for turn, hour in enumerate(hours)
    ]
    return Chart(WIDTH, HEIGHT, _BASE, _TOP, _SLOT, _BAR, peak, columns)


def _bar(x: float, value: int, peak: int) -> Bar:
    height = 0.0 if value == 0 else max(2.0, (_BASE - _TOP) * value / peak)
    return Bar(round(x, 2), round(_BASE - height, 2), round(height, 2))


def _round_up(value: int) -> int:
    """The next number a person would write on an axis: 1, 2, 5, 10, 20, 50, …; at least 5."""
    power = 1
    while True:
        for step in (1, 2, 5):
            if step * power >= max(value, 5):
                return step * power
        power *= 10


def _say(hour: datetime, events: int, sent: int) -> str:
    return f"{hour:%H:%M}: {_count(events, 'event')}, {_count(sent, 'email')} sent"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
