"""Whether addresses were suppressed rightly, by what their servers said."""

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from loopwright.server.mail.reply import Moment, Reply, read_told, told
from loopwright.server.store.suppressions import BouncedRow
from loopwright.server.suppression_review import FORGOTTEN, Verdict, review

REFUSED = "the recipient was refused: "
GONE = f"{REFUSED}550 5.1.1 <ada@elsewhere.org>: User unknown"
RELAY = f"{REFUSED}550 relay not permitted"
UNCLEAR = f"{REFUSED}550 5.0.0 sorry"


def bounced(*reasons: str, was_subscribed: bool = True) -> BouncedRow:
    return BouncedRow(
        email="ada@elsewhere.org",
        suppressed_at=datetime(2026, 3, 4, tzinfo=UTC),
        reasons=reasons,
        was_subscribed=was_subscribed,
        contact_id="c1",
    )


@pytest.mark.parametrize(
    ("reasons", "verdict", "shown"),
    [
        ([GONE], "right", GONE),
        ([RELAY], "wrong", RELAY),
        ([f"{REFUSED}550 5.4.5 Daily user sending quota exceeded"], "wrong", None),
        ([f"{REFUSED}552 5.2.2 Mailbox full"], "wrong", None),
        ([f"{REFUSED}552 5.3.4 Message size exceeds fixed limit"], "wrong", None),
        ([f"{REFUSED}550 mailbox unavailable"], "uncertain", None),
        ([f"{REFUSED}550"], "uncertain", None),
        ([UNCLEAR], "uncertain", UNCLEAR),
        (["it could not be read"], "uncertain", None),
        ([], "uncertain", FORGOTTEN),
        ([RELAY, GONE], "right", GONE),
        ([RELAY, UNCLEAR], "uncertain", UNCLEAR),
    ],
)
def test_verdicts(reasons: Sequence[str], verdict: Verdict, shown: str | None) -> None:
    """A refusal that names the recipient is enough to stay, and a doubt is, too."""
    (reviewed,) = review([bounced(*reasons)])
    assert reviewed.verdict == verdict
    assert reviewed.reason == (shown or reasons[0])
    assert reviewed.contact_id == ("c1" if verdict == "wrong" else None)


def test_only_who_was_subscribed_is_so_again() -> None:
    """A transactional email says nothing about that."""
    (reviewed,) = review([bounced(RELAY, was_subscribed=False)])
    assert (reviewed.verdict, reviewed.contact_id) == ("wrong", None)


@pytest.mark.parametrize("moment", ["connect", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA end"])
def test_what_is_told_can_be_read(moment: Moment) -> None:
    """The reason of an email holds the reply."""
    assert read_told(told(moment, "550 5.1.1 gone: for good")) == (
        moment,
        Reply(550, "5.1.1 gone: for good"),
    )


@pytest.mark.parametrize("reason", ["", "the contact was deleted", "the recipient was refused: by nobody"])
def test_what_tells_of_no_reply(reason: str) -> None:
    """Other reasons are none."""
    assert read_told(reason) is None
