"""The state of a relay: what follows from a server's answers for everybody's mail. Pure.

    up ────pushes back────▶ slow   fewer connections, a lower rate, pauses; back up step by step
    any ───refuses us─────▶ down   everything waits; one email after growing pauses asks whether it is over
    down ──takes one──────▶ slow   from one connection on

Moments are seconds of a clock that never jumps.
"""

import re
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from .reply import Meaning, Moment, Reply, asks_to_sign_in, is_greylisting, without_addresses

Condition: TypeAlias = Literal["up", "slow", "down"]
Consequence: TypeAlias = Literal["stop", "slow", "count"]

LONGEST_PAUSE = 40.0
"""With its jitter below a minute: a login code goes within a minute of the relay's return."""
DOMAINS_IN_A_ROW = 3
"""So many refused in the same words, and nothing taken between: the words are about us."""
RECIPIENT_DOMAINS_IN_A_ROW = 10
"""Old lists have runs of people that are gone; a server that knows nobody at all is a broken one."""
LEAST_RATE = 0.2
RATE_STEP = 0.1
FREE_RATE = 1000.0
"""Emails a second above which no rate is held any more, unless one is set."""


class Limits(Struct, frozen=True, kw_only=True):
    """What an operator allows: connections at a time, and emails a second."""

    connections: int
    rate: float | None = None


class Run(Struct, frozen=True):
    """Refusals in a row that say the same, and for whom: domains, or recipients where we may be unwanted."""

    words: str = ""
    whom: frozenset[str] = frozenset()


class RelayState(Struct, frozen=True, kw_only=True):
    """How a relay is. `since` is when its condition began, `reason` what it said last against us.

    Nothing begins before `next_at`. `turned_at` is when it last got worse: answers to what had begun before
    say nothing new. `setbacks` counts those in a row. `takes_ours`: it has taken an email since it was
    last down.
    """

    condition: Condition = "up"
    connections: float
    rate: float | None = None
    reason: str = ""
    since: float = 0.0
    turned_at: float = float("-inf")
    next_at: float = float("-inf")
    setbacks: int = 0
    takes_ours: bool = False
    run: Run = Run()


class Setback(Struct, frozen=True, kw_only=True):
    """A relay did not do what was asked. `began_at` is when the asking began, `now` when it failed.

    `others` are connections that it keeps open meanwhile, when this one was not let in; `pace` is how many
    emails a second it took before. `jitter` is a random factor around 1.
    """

    reason: str
    began_at: float
    now: float
    jitter: float = 1.0
    others: int = 0
    pace: float = 0.0


def fresh(limits: Limits) -> RelayState:
    """A relay that nobody has asked yet."""
    return RelayState(connections=limits.connections, rate=limits.rate)


def consequence_of(moment: Moment, reply: Reply, meaning: Meaning, *, signs_in: bool) -> Consequence:
    """What a refusal of that meaning asks for. `signs_in` is whether the relay knows us: by credentials, or
    as one whose email it took without.
    """
    if meaning != "relay":
        return "count"
    if asks_to_sign_in(reply, signs_in=signs_in):
        return "stop"
    if reply.is_temporary:
        return "slow"
    return "stop" if moment in ("connect", "EHLO", "STARTTLS", "AUTH") else "count"


def taken(state: RelayState, limits: Limits, now: float) -> RelayState:
    """It took an email: a step up."""
    if state.condition == "up" and state.takes_ours and not state.run.whom:
        return state
    connections = min(float(limits.connections), state.connections + 1 / state.connections)
    rate = _step_up(state.rate, limits)
    condition: Condition = "up" if connections == limits.connections and rate == limits.rate else "slow"
    return replace(
        state,
        condition=condition,
        connections=connections,
        rate=rate,
        reason="" if condition == "up" else state.reason,
        since=state.since if condition == state.condition else now,
        next_at=float("-inf"),
        setbacks=0,
        takes_ours=True,
        run=Run(),
    )


def pushed_back(state: RelayState, setback: Setback) -> RelayState:
    """It wants less from us: half, or the connections that it keeps, and a pause where it keeps none."""
    if setback.began_at < state.turned_at:
        return state
    setbacks = state.setbacks + 1
    slower = replace(
        state,
        condition="slow",
        reason=setback.reason,
        since=state.since if state.condition == "slow" else setback.now,
        turned_at=setback.now,
        setbacks=setbacks,
    )
    if setback.others:
        return replace(slower, connections=float(setback.others))
    return replace(
        slower,
        connections=max(1.0, state.connections / 2),
        rate=max(LEAST_RATE, setback.pace / 2) if setback.pace else state.rate,
        next_at=setback.now + pause_after(setbacks) * setback.jitter,
    )


def stopped(state: RelayState, setback: Setback) -> RelayState:
    """It takes nothing from us: down, until it takes the one email that is tried after the pause."""
    if setback.began_at < state.turned_at:
        return state
    setbacks = state.setbacks + 1 if state.condition == "down" else 1
    return replace(
        state,
        condition="down",
        connections=1.0,
        reason=setback.reason,
        since=state.since if state.condition == "down" else setback.now,
        turned_at=setback.now,
        next_at=setback.now + pause_after(setbacks) * setback.jitter,
        setbacks=setbacks,
        takes_ours=False,
    )


def refused(
    state: RelayState, reply: Reply, meaning: Meaning, refused_for: str, setback: Setback
) -> RelayState:
    """It refused an email, which says something about us only when it is a habit. `refused_for` is the
    recipient's domain, for a domain may have reasons of its own; or the recipient, where the words ask to
    sign in.
    """
    if meaning == "message" or is_greylisting(reply):
        return answered(replace(state, run=Run()), setback.now)
    words = _words(reply)
    whom = state.run.whom if words == state.run.words else frozenset[str]()
    habitual = replace(state, run=Run(words, whom | {refused_for}))
    needed = RECIPIENT_DOMAINS_IN_A_ROW if meaning == "recipient" else DOMAINS_IN_A_ROW
    if len(habitual.run.whom) < needed:
        return answered(habitual, setback.now)
    return pushed_back(habitual, setback) if reply.is_temporary else stopped(habitual, setback)


def pause_after(setbacks: int) -> float:
    """Seconds until the next attempt after so many setbacks in a row."""
    return min(LONGEST_PAUSE, 2.0 ** min(setbacks - 1, 10))


def seconds_to_turn(state: RelayState, *, busy: int, slot: float, now: float) -> float | None:
    """For how long the next email has to wait when `busy` are under way; None for "until one is done".

    `slot` is the moment that the rate leaves free.
    """
    if busy >= max(1, int(state.connections)):
        return None
    return max(0.0, state.next_at - now, slot - now if state.rate else 0.0)


def answered(state: RelayState, now: float) -> RelayState:
    """It spoke to us about one email, and so it works."""
    if state.condition == "down":
        return replace(state, condition="slow", since=now, next_at=float("-inf"), setbacks=0)
    return replace(state, next_at=float("-inf"), setbacks=0)


def _step_up(rate: float | None, limits: Limits) -> float | None:
    if rate is None:
        return limits.rate
    rate += RATE_STEP
    if limits.rate is not None:
        return min(rate, limits.rate)
    return rate if rate < FREE_RATE else None


def _words(reply: Reply) -> str:
    """What a reply says, whomever it is about: without addresses and numbers that differ each time."""
    said = re.sub(r"\w*\d[\w.\-]*", "#", without_addresses(reply.text)[:200]).casefold()
    return f"{reply.code} {' '.join(said.split())}"
