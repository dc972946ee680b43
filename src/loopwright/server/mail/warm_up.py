"""The warm-up plan: how much marketing email may leave now, when more may, and when all of it is through.

A plan begins with so many emails a day and an hour. After a day of which most was used, and of which little
came back, the next day has more, until it is enough and the plan is over. Caps are those of any hour and any
24 hours that end now. Pure: what was sent comes in, in spans of five minutes, and a span counts until all of
it is past.
"""

from collections import deque
from collections.abc import Sequence
from datetime import UTC, date, datetime, time, timedelta

from msgspec import Struct
from msgspec.structs import replace

HOUR, DAY = timedelta(hours=1), timedelta(hours=24)
SPAN = timedelta(minutes=5)
USED_PERCENT = 80
"""A day of which so much was used is one of use."""
COMPLAINTS_PER_MILLE, COMPLAINTS = 1, 2
HARD_BOUNCES_PER_MILLE, HARD_BOUNCES = 20, 5
"""So many of a day's emails, and at least so many, keep the next day from having more."""
EXACT = timedelta(days=2)
"""A forecast goes by five minutes so far, and then a little coarser."""
AHEAD = timedelta(days=366)
"""No forecast looks further."""


class Plan(Struct, frozen=True, kw_only=True):
    """What is allowed on the first day, by how many percent a day of use has the next one grow, and with how
    many emails a day it is enough.
    """

    per_day: int
    per_hour: int
    growth: int = 50
    until: int = 100_000

    def per_hour_of(self, cap: int) -> int:
        """The cap of an hour of a day that may have `cap`: it grows with it."""
        return max(cap * self.per_hour // self.per_day, 1)


class Level(Struct, frozen=True, kw_only=True):
    """How far a plan has come: what that day, of UTC, may have."""

    cap: int
    day: date


class Span(Struct, frozen=True, kw_only=True):
    """Five minutes from `since`: what was sent in them, and what came back."""

    since: datetime
    sends: int = 0
    complaints: int = 0
    hard_bounces: int = 0


class Turn(Struct, frozen=True):
    """So many of those that wait may go then."""

    at: datetime
    emails: int


def begun(plan: Plan, *, now: datetime) -> Level:
    """Where a plan begins."""
    return Level(cap=plan.per_day, day=now.date())


def mistake_of(plan: Plan) -> str:
    """Why there can be no such plan; empty when there can."""
    if plan.per_day < 1 or not 1 <= plan.per_hour <= plan.per_day:
        return "a warm-up plan has at least one email an hour, and no more an hour than a day"
    if not 1 <= plan.growth <= 200:
        return "a warm-up plan grows by 1 to 200 percent a day"
    if not plan.per_day < plan.until <= 1_000_000_000:
        return "a warm-up plan ends with more emails a day than it begins with"
    return ""


def is_over(plan: Plan, level: Level) -> bool:
    """Whether there are no caps any more."""
    return level.cap >= plan.until


def advanced(plan: Plan, level: Level, sent: Sequence[Span], *, now: datetime) -> Level:
    """The level of today. `sent` has what was sent since the day of the level began."""
    days: dict[date, Span] = {}
    for span in sent:
        day = span.since.date()
        days[day] = _sum(days[day], span) if day in days else span
    while level.day < now.date():
        level = _next(plan, level, days.get(level.day))
    return level


def held_back(sent: Sequence[Span], *, now: datetime) -> str:
    """Why tomorrow will have no more than today, by what has come back today; empty when it may."""
    today = [span for span in sent if span.since.date() == now.date()]
    sends = sum(span.sends for span in today)
    complaints = sum(span.complaints for span in today)
    if _is_much(complaints, sends, COMPLAINTS, COMPLAINTS_PER_MILLE):
        return f"{complaints} complaints of {sends} emails today"
    bounces = sum(span.hard_bounces for span in today)
    if _is_much(bounces, sends, HARD_BOUNCES, HARD_BOUNCES_PER_MILLE):
        return f"{bounces} hard bounces of {sends} emails today"
    return ""


def allowed(plan: Plan, level: Level, sent: Sequence[Span], in_hand: int, *, now: datetime) -> int | None:
    """How many more may be begun now, while so many are; None when any number may. `level` is today's."""
    return _Course(plan, level, sent, in_hand, now).free(now)


def forecast(
    plan: Plan, level: Level, sent: Sequence[Span], in_hand: int, count: int, *, now: datetime
) -> list[Turn]:
    """When `count` emails that wait may go, if all goes well from now on; fewer where that takes a year.

    `level` is today's. The turns are in the order of time and of those that wait.
    """
    course = _Course(plan, level, sent, in_hand, now)
    turns: list[Turn] = []
    at, left = now, count
    while left and at < now + AHEAD:
        free = course.free(at)
        emails = left if free is None else min(free, left)
        if emails:
            turns.append(Turn(at, emails))
            course.send(at, emails)
            left -= emails
        else:
            at = course.next_change(at)
    return turns


class _Window:
    """What counts within the last hour, or the last day."""

    def __init__(self, length: timedelta) -> None:
        self._length = length + SPAN
        self._spans: deque[tuple[datetime, int]] = deque()
        self.sends = 0

    def add(self, since: datetime, sends: int) -> None:
        self._spans.append((since + self._length, sends))
        self.sends += sends

    def pass_to(self, at: datetime) -> None:
        while self._spans and self._spans[0][0] <= at:
            self.sends -= self._spans.popleft()[1]

    def next_change(self) -> datetime | None:
        return self._spans[0][0] if self._spans else None


class _Course:
    """A plan from now on, as emails are sent."""

    def __init__(self, plan: Plan, level: Level, sent: Sequence[Span], in_hand: int, now: datetime) -> None:
        self._plan = plan
        self._level = level
        self._hour, self._day = _Window(HOUR), _Window(DAY)
        self._begun = now
        self._today = Span(since=now)
        for span in sent:
            if span.since.date() == now.date():
                self._today = _sum(self._today, span)
            for window in (self._hour, self._day):
                window.add(span.since, span.sends)
        self.send(now, in_hand)

    def free(self, at: datetime) -> int | None:
        self._pass_to(at)
        if is_over(self._plan, self._level):
            return None
        of_hour = self._plan.per_hour_of(self._level.cap) - self._hour.sends
        return max(min(of_hour, self._level.cap - self._day.sends), 0)

    def send(self, at: datetime, emails: int) -> None:
        since = _floor(at)
        self._today = replace(self._today, sends=self._today.sends + emails)
        for window in (self._hour, self._day):
            window.add(since, emails)

    def next_change(self, at: datetime) -> datetime:
        changes = [self._hour.next_change(), self._day.next_change(), _midnight_after(self._level.day)]
        change = min(one for one in changes if one is not None)
        if change < self._begun + EXACT:
            return change
        # Spans that are an hour and five minutes apart are past just when the next one begins.
        step = HOUR + SPAN
        return self._begun + -(-(change - self._begun) // step) * step

    def _pass_to(self, at: datetime) -> None:
        self._hour.pass_to(at)
        self._day.pass_to(at)
        while self._level.day < at.date():
            self._level = _next(self._plan, self._level, self._today)
            self._today = Span(since=at)


def _next(plan: Plan, level: Level, sent: Span | None) -> Level:
    """The level of the day after, by what was sent on the day of the level."""
    cap = level.cap
    if sent is not None and sent.sends * 100 >= cap * USED_PERCENT and not _comes_back(sent):
        cap = min(max(cap * (100 + plan.growth) // 100, cap + 1), plan.until)
    return Level(cap=cap, day=level.day + timedelta(days=1))


def _comes_back(sent: Span) -> bool:
    return _is_much(sent.complaints, sent.sends, COMPLAINTS, COMPLAINTS_PER_MILLE) or _is_much(
        sent.hard_bounces, sent.sends, HARD_BOUNCES, HARD_BOUNCES_PER_MILLE
    )


def _is_much(count: int, sends: int, at_least: int, per_mille: int) -> bool:
    return count >= at_least and count * 1000 >= sends * per_mille


def _sum(one: Span, other: Span) -> Span:
    return Span(
        since=one.since,
        sends=one.sends + other.sends,
        complaints=one.complaints + other.complaints,
        hard_bounces=one.hard_bounces + other.hard_bounces,
    )


def _floor(at: datetime) -> datetime:
    """The beginning of the five minutes that a moment is in."""
    return at - timedelta(minutes=at.minute % 5, seconds=at.second, microseconds=at.microsecond)


def _midnight_after(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), UTC)
