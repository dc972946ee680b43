"""Unsubscribe tokens: only ours open, and each opens one thing."""

import pytest

from loopwright.server.mail.links import Ticket, is_genuine, read_token, unsubscribe_url

SECRET = b"s" * 32


def ticket(
    *, secret: bytes = SECRET, team: str = "t1", email: str = "e1", mailing_list: str | None = "l1"
) -> Ticket:
    url = unsubscribe_url("https://x.org", secret, team_id=team, email_id=email, mailing_list_id=mailing_list)
    assert url.startswith("https://x.org/unsubscribe/")
    found = read_token(url.rpartition("/")[2])
    assert found is not None
    return found


def test_our_own_token_opens() -> None:
    assert is_genuine(ticket(), SECRET, mailing_list_id="l1")
    assert is_genuine(ticket(mailing_list=None), SECRET, mailing_list_id=None)


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param(ticket(secret=b"x" * 32), id="another team's secret"),
        pytest.param(Ticket("t1", "e2", ticket().signature), id="another email"),
        pytest.param(Ticket("t2", "e1", ticket().signature), id="another team"),
        pytest.param(ticket(mailing_list="l2"), id="another list"),
        pytest.param(ticket(mailing_list=None), id="the audience for a list"),
        pytest.param(Ticket("t1", "e1", ""), id="no signature"),
        pytest.param(Ticket("t1", "e1", ticket().signature[:-1]), id="cut off"),
        pytest.param(Ticket("t1", "e1", ticket().signature + "="), id="longer"),
    ],
)
def test_no_other_does(forged: Ticket) -> None:
    assert not is_genuine(forged, SECRET, mailing_list_id="l1")


@pytest.mark.parametrize(
    "token", ["", ".", "..", "a.b", "a.b.", "a.b.c.d", "a..c", "é.b.c", "\x00.b.c", "a b.c.d"]
)
def test_what_has_not_the_shape_of_a_token_is_none(token: str) -> None:
    assert read_token(token) is None
