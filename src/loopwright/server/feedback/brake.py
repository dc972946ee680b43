"""Brakes: when a campaign or a workflow is paused for what comes back, and when people are warned. Pure."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Literal

from msgspec import Struct

HOUR, DAY = timedelta(hours=1), timedelta(hours=24)


class Tally(Struct, frozen=True, kw_only=True):
    """Emails that were sent in some span, and what came back in it."""

    sends: int = 0
    complaints: int = 0
    hard_bounces: int = 0


class Rule(Struct, frozen=True, kw_only=True):
    """So many of what was sent within a span pause it; fewer than `sends`, or than `events`, say nothing."""

    what: Literal["complaints", "hard bounces"]
    within: timedelta
    percent: float
    sends: int
    events: int


RULES = (
    Rule(what="complaints", within=HOUR, percent=1, sends=200, events=5),
    Rule(what="complaints", within=DAY, percent=0.3, sends=1_000, events=10),
    Rule(what="hard bounces", within=HOUR, percent=10, sends=200, events=20),
    Rule(what="hard bounces", within=DAY, percent=5, sends=1_000, events=50),
)


class Judgement(Struct, frozen=True):
    """What follows, and why, in a sentence."""

    action: Literal["pause", "warn"]
    reason: str


def judge(hour: Tally, day: Tally, rules: Sequence[Rule] = RULES) -> Judgement | None:
    """What follows from the last hour and the last day; None when all is well. Half of a rule warns."""
    tallies = {HOUR: hour, DAY: day}
    broken = [rule for rule in rules if _reaches(rule, tallies[rule.within], 1)]
    if broken:
        return Judgement("pause", f"brake: {_told(broken[0], tallies)} pauses it")
    near = [rule for rule in rules if _reaches(rule, tallies[rule.within], 2)]
    if near:
        return Judgement("warn", f"brake: {_told(near[0], tallies)} will pause it")
    return None


def _reaches(rule: Rule, tally: Tally, part: int) -> bool:
    """Whether the tally reaches that part of the rule. Whole numbers: 0.3 % of 1,000 is 3."""
    count = _count(rule, tally)
    is_enough = tally.sends >= rule.sends and count * part >= rule.events
    return is_enough and count * part * 1_000 >= round(rule.percent * 10) * tally.sends


def _count(rule: Rule, tally: Tally) -> int:
    return tally.complaints if rule.what == "complaints" else tally.hard_bounces


def _told(rule: Rule, tallies: dict[timedelta, Tally]) -> str:
    tally = tallies[rule.within]
    span = "an hour" if rule.within == HOUR else "24 hours"
    share = 100 * _count(rule, tally) / tally.sends
    return (
        f"{_count(rule, tally)} {rule.what} of {tally.sends} emails in {span}, {share:.2g} %; "
        f"{rule.percent:g} %"
    )
