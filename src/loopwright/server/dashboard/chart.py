"""A chart of 24 hours: numbers in, places of bars out. Pure; the picture is 240 wide and 100 high.

It is stretched to the page's width, so the writing around it is HTML's business.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

HOURS = 24
WIDTH, HEIGHT = 240, 100
_SLOT = WIDTH // HOURS
_BAR = 3.5
_HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Bar:
    """A bar that stands on the lower edge."""

    x: float
    y: float
    height: float


@dataclass(frozen=True)
class DayBars:
    """One hour, `x` its left edge: its two bars, what to say about it, and its label when it has one."""

    x: int
    first: Bar
    second: Bar
    says: str
    label: str


@dataclass(frozen=True)
class Chart:
    """The whole picture; `peak` is the number at its upper edge, `slot` and `bar` are widths."""

    width: int
    height: int
    slot: int
    bar: float
    peak: int
    columns: Sequence[DayBars]


def events_and_emails(events: int, sent: int) -> str:
    """What the overview says of an hour."""
    return f"{_count(events, 'event')}, {_count(sent, 'email')} sent"


def opens_and_clicks(opens: int, clicks: int) -> str:
    """What the page of a campaign says of an hour."""
    return f"{_count(opens, 'open')}, {_count(clicks, 'click')}"


def first_hour(now: datetime) -> datetime:
    """The start of the earliest of the hours shown at `now`."""
    return now.replace(minute=0, second=0, microsecond=0) - (HOURS - 1) * _HOUR


def draw(
    first: Mapping[datetime, int],
    second: Mapping[datetime, int],
    *,
    now: datetime,
    say: Callable[[int, int], str] = events_and_emails,
) -> Chart:
    """Draw the last hours up to `now`. Both map an hour's start to a number; a missing hour has none.

    `say` puts both numbers of an hour into words.
    """
    peak = _round_up(max(*first.values(), *second.values(), 0, 0))
    columns = [
        _column(turn * _SLOT, hour, (first.get(hour, 0), second.get(hour, 0)), peak, say)
        for turn, hour in enumerate(first_hour(now) + turn * _HOUR for turn in range(HOURS))
    ]
    return Chart(WIDTH, HEIGHT, _SLOT, _BAR, peak, columns)


def _column(
    x: int, hour: datetime, numbers: tuple[int, int], peak: int, say: Callable[[int, int], str]
) -> DayBars:
    first, second = numbers
    return DayBars(
        x=x,
        first=_bar(x + _SLOT / 2 - _BAR - 0.25, first, peak),
        second=_bar(x + _SLOT / 2 + 0.25, second, peak),
        says=f"{hour:%H:%M}: {say(first, second)}",
        label=f"{hour:%H:%M}" if hour.hour % 6 == 0 else "",
    )


def _bar(x: float, value: int, peak: int) -> Bar:
    height = (
        0.0 if value == 0 else max(1.5, round(HEIGHT * value / peak, 2))
    )  # one of thousands is still seen
    return Bar(x, round(HEIGHT - height, 2), height)


def _round_up(value: int) -> int:
    """The next number a person would write on an axis: 5, 10, 20, 50, 100, …"""
    power = 1
    while True:
        for step in (1, 2, 5):
            if step * power >= max(value, 5):
                return step * power
        power *= 10


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"
