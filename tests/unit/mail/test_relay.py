"""What follows from a relay's answers for everybody's mail."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.server.mail.relay import (
    DOMAINS_IN_A_ROW,
    LONGEST_PAUSE,
    RECIPIENT_DOMAINS_IN_A_ROW,
    Consequence,
    Limits,
    RelayState,
    Setback,
    consequence_of,
    fresh,
    pause_after,
    pushed_back,
    refused,
    seconds_to_turn,
    stopped,
    taken,
)
from loopwright.server.mail.reply import Meaning, Moment, Reply, meaning_of

LIMITS = Limits(connections=16)
Worse = Callable[[RelayState, Setback], RelayState]


def setback(now: float, **given: float) -> Setback:
    return Setback(reason="no", now=now, **{"began_at": now, **given})  # type: ignore[arg-type]


def busy_until_up(state: RelayState, now: float) -> tuple[RelayState, int]:
    """Have emails taken until the relay is as it was; answer with how many."""
    for number in range(20_000):
        if state.condition == "up":
            return state, number
        state = taken(state, LIMITS, now)
    raise AssertionError(state)


@pytest.mark.parametrize(
    ("moment", "code", "text", "signs_in", "expected"),
    [
        ("connect", 421, "4.7.0 too many connections", False, "slow"),
        ("connect", 554, "client host rejected", False, "stop"),
        ("EHLO", 501, "5.5.2 invalid name", False, "stop"),
        ("AUTH", 535, "5.7.8 authentication failed", True, "stop"),
        ("AUTH", 454, "4.7.0 temporary authentication failure", True, "slow"),
        ("MAIL", 530, "5.7.0 Authentication required", True, "stop"),
        ("MAIL", 538, "5.7.11 encryption required", True, "stop"),
        ("MAIL", 450, "4.7.1 too much mail", True, "slow"),
        ("MAIL", 550, "5.1.8 sender domain not found", True, "count"),
        ("RCPT", 554, "5.7.1 <x@y.test>: Relay access denied", False, "stop"),
        ("RCPT", 554, "5.7.1 <x@y.test>: Relay access denied", True, "count"),
        ("RCPT", 550, "relay not permitted", False, "stop"),
        ("RCPT", 454, "4.7.1 <x@y.test>: Relay access denied", False, "stop"),
        ("RCPT", 454, "4.7.1 <x@y.test>: Relay access denied", True, "slow"),
        ("RCPT", 450, "4.7.1 relay busy, slow down", False, "slow"),
        ("RCPT", 550, "5.7.1 listed by a blocklist", False, "count"),
        ("RCPT", 550, "5.7.1 No such user!", False, "count"),
        ("RCPT", 550, "5.7.133 sender not authenticated for this group", False, "count"),
        ("RCPT", 450, "4.7.1 rate limit exceeded", False, "slow"),
        ("RCPT", 450, "4.2.2 mailbox full", False, "count"),
        ("RCPT", 550, "5.1.1 unknown user", False, "count"),
        ("DATA end", 554, "5.7.1 spam", False, "count"),
        ("DATA end", 421, "4.3.2 closing", False, "slow"),
    ],
)
def test_an_answer_has_a_consequence(
    moment: Moment, code: int, text: str, signs_in: bool, expected: Consequence
) -> None:
    """Only what is said of us slows or stops everybody's mail."""
    reply = Reply(code, text)
    assert consequence_of(moment, reply, meaning_of(moment, reply), signs_in=signs_in) == expected


def test_a_push_back_halves_and_a_way_back_leads_up_by_steps() -> None:
    """Fewer connections, a lower rate and a pause; then more with every email that is taken."""
    slow = pushed_back(fresh(LIMITS), setback(100, pace=40))
    assert (slow.condition, slow.connections, slow.rate, slow.next_at) == ("slow", 8, 20, 101)
    once = taken(slow, LIMITS, 102)
    assert 8 < once.connections < 9
    assert 20 < (once.rate or 0) < 21
    up, steps = busy_until_up(once, 103)
    assert steps > 50
    assert up == RelayState(connections=16, since=103, turned_at=100, takes_ours=True)


def test_many_that_were_under_way_push_back_once() -> None:
    """Answers to what had begun before say nothing new."""
    slow = pushed_back(fresh(LIMITS), setback(100))
    assert pushed_back(slow, setback(101, began_at=99)) == slow
    assert stopped(slow, setback(101, began_at=99)) == slow
    assert pushed_back(slow, setback(101, began_at=100.5)).connections == 4


def test_a_server_that_lets_no_more_in_keeps_those_it_has() -> None:
    """A limit of connections is found, and nobody pauses."""
    slow = pushed_back(fresh(LIMITS), setback(100, others=5, pace=40))
    assert (slow.condition, slow.connections, slow.rate) == ("slow", 5, None)
    assert seconds_to_turn(slow, busy=5, slot=0, now=100) is None
    assert seconds_to_turn(slow, busy=4, slot=0, now=100) == 0


def test_down_lets_one_ask_at_a_time_and_less_and_less_often() -> None:
    """Pauses double up to less than a minute; whatever is taken ends it."""
    state, now, pauses = fresh(LIMITS), 100.0, []
    for _ in range(9):
        state = stopped(state, setback(now))
        assert seconds_to_turn(state, busy=1, slot=0, now=now) is None
        pauses.append(seconds_to_turn(state, busy=0, slot=0, now=now) or 0)
        now += pauses[-1]
    assert pauses == [1, 2, 4, 8, 16, 32, 40, 40, 40]
    assert (state.condition, state.since) == ("down", 100)
    back = taken(state, LIMITS, now)
    assert (back.condition, back.connections, back.since) == ("slow", 2, now)
    assert seconds_to_turn(back, busy=1, slot=0, now=now) == 0
    assert busy_until_up(back, now)[0].reason == ""


@pytest.mark.parametrize(
    ("code", "text", "needed", "condition"),
    [
        (550, "5.1.8 <us@mail.example>: Sender address rejected", DOMAINS_IN_A_ROW, "down"),
        (550, "blocked, see https://list.test/?ip=192.0.2.7", DOMAINS_IN_A_ROW, "down"),
        (552, "5.2.2 mailbox of {} is full", DOMAINS_IN_A_ROW, "down"),
        (451, "4.3.0 <{}>: temporary lookup failure", DOMAINS_IN_A_ROW, "slow"),
        (550, "5.1.1 <{}>: unknown user", RECIPIENT_DOMAINS_IN_A_ROW, "down"),
    ],
)
def test_the_same_words_for_several_domains_are_about_us(
    code: int, text: str, needed: int, condition: str
) -> None:
    """Fewer domains, other words between or an email that is taken do not make a habit."""

    def refuse(state: RelayState, number: int, domain: str | None = None) -> RelayState:
        domain = domain or f"d{number}.test"
        reply = Reply(code, text.format(f"x{number}@{domain}"))
        return refused(state, reply, meaning_of("RCPT", reply), domain, setback(100.0 + number))

    state = fresh(LIMITS)
    for number in range(needed + 2):
        state = refuse(state, number, "one.test")
    assert state.condition == "up"
    state = taken(state, LIMITS, 200)
    for number in range(needed - 1):
        state = refuse(state, number)
    assert state.condition == "up"
    other = Reply(550, "5.1.8 quite another matter of the sender")
    between = refused(state, other, "relay", "else.test", setback(110))
    assert refuse(between, needed).condition == "up"
    assert refuse(taken(state, LIMITS, 110), needed).condition == "up"
    again = refuse(state, needed)
    assert again.condition == condition
    assert refuse(again, needed + 1, "one.test").condition == condition


@pytest.mark.parametrize(
    ("meaning", "code", "text"),
    [
        pytest.param("soft", 451, "4.7.1 greylisted, come back later", id="each has to come again"),
        pytest.param("message", 554, "5.7.1 spam", id="a newsletter that is refused is one's own fault"),
    ],
)
def test_what_everybody_hears_may_be_no_fault_of_the_relay(meaning: Meaning, code: int, text: str) -> None:
    state = fresh(LIMITS)
    for number in range(30):
        state = refused(state, Reply(code, text), meaning, f"d{number}.test", setback(100.0 + number))
    assert state.condition == "up"


def test_an_answer_about_one_email_ends_an_outage() -> None:
    """Whoever refuses a recipient by name is there."""
    down = stopped(fresh(LIMITS), setback(100))
    back = refused(down, Reply(550, "5.1.1 unknown user"), "recipient", "d.test", setback(101))
    assert (back.condition, back.setbacks) == ("slow", 0)
    assert seconds_to_turn(back, busy=0, slot=0, now=101) == 0


def test_a_rate_that_is_set_is_never_passed() -> None:
    """It is found again after a push-back, and no more."""
    limits = Limits(connections=4, rate=10)
    state = pushed_back(fresh(limits), setback(100, pace=10))
    assert state.rate == 5
    for _ in range(200):
        state = taken(state, limits, 101)
    assert (state.condition, state.rate) == ("up", 10)
    assert seconds_to_turn(state, busy=0, slot=101.1, now=101) == pytest.approx(0.1)


@given(st.lists(st.tuples(st.sampled_from(["taken", "slow", "stop"]), st.floats(0, 100)), max_size=60))
def test_whatever_it_says_somebody_may_ask_within_a_minute(answers: list[tuple[str, float]]) -> None:
    """No sequence of answers leaves mail waiting for ever, or more under way than is allowed."""
    state, now = fresh(LIMITS), 0.0
    for answer, seconds in answers:
        now += seconds
        worse = setback(now, jitter=1.25, pace=seconds)
        match answer:
            case "taken":
                state = taken(state, LIMITS, now)
            case "slow":
                state = pushed_back(state, worse)
            case _:
                state = stopped(state, worse)
        wait = seconds_to_turn(state, busy=0, slot=0, now=now)
        assert wait is not None
        assert wait <= LONGEST_PAUSE * 1.25 + 1e-6 < 60
        assert 1 <= state.connections <= LIMITS.connections
    assert pause_after(1000) == LONGEST_PAUSE
