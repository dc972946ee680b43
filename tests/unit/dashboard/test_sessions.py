"""A session cookie opens only what it was sealed for, and only while it lasts."""

from datetime import UTC, datetime, timedelta

import pytest

from loopwright.server.dashboard import sessions

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SECRET = b"k" * 32
COOKIE = sessions.seal("cteam", "ckey", secret=SECRET, now=NOW)


def test_a_sealed_cookie_is_read_back() -> None:
    """What was sealed is claimed, and holds until it expires."""
    claim = sessions.read(COOKIE)
    assert claim is not None
    assert (claim.team_id, claim.key_id) == ("cteam", "ckey")
    assert sessions.holds(claim, secret=SECRET, now=NOW)
    assert sessions.holds(claim, secret=SECRET, now=NOW + sessions.LIFETIME - timedelta(seconds=1))


def test_a_cookie_expires() -> None:
    """After its lifetime a cookie opens nothing."""
    claim = sessions.read(COOKIE)
    assert claim is not None
    assert not sessions.holds(claim, secret=SECRET, now=NOW + sessions.LIFETIME)


@pytest.mark.parametrize(
    "cookie",
    [
        pytest.param(COOKIE.replace("cteam", "cother"), id="another team"),
        pytest.param(COOKIE.replace("ckey", "cyek"), id="another key"),
        pytest.param(COOKIE.replace(".17", ".18"), id="a longer life"),
        pytest.param(COOKIE[:-1] + ("0" if COOKIE[-1] != "0" else "1"), id="another seal"),
    ],
)
def test_a_changed_cookie_does_not_hold(cookie: str) -> None:
    """Whatever is changed, the seal no longer fits."""
    claim = sessions.read(cookie)
    assert claim is not None
    assert cookie != COOKIE
    assert not sessions.holds(claim, secret=SECRET, now=NOW)


def test_another_secret_does_not_fit() -> None:
    """A team's secret opens that team's sessions only."""
    claim = sessions.read(COOKIE)
    assert claim is not None
    assert not sessions.holds(claim, secret=b"x" * 32, now=NOW)


@pytest.mark.parametrize(
    "cookie",
    [
        pytest.param("", id="empty"),
        pytest.param("cteam.ckey", id="too short"),
        pytest.param(COOKIE + "\n", id="trailing line end"),
        pytest.param(COOKIE.replace(".1", ".\N{ARABIC-INDIC DIGIT ONE}"), id="digits of another script"),
        pytest.param(COOKIE.upper(), id="capitals"),
        pytest.param("\0" * 200, id="NULs"),
    ],
)
def test_what_is_no_cookie_of_ours_claims_nothing(cookie: str) -> None:
    """Another shape is not even looked up."""
    assert sessions.read(cookie) is None
