"""What mail systems write in words that no list of them has, and what follows."""

import pytest

from loopwright.server.feedback.message import read_message
from loopwright.server.feedback.report import Ignored, NotUnderstood, Reading

ADA = "ada@elsewhere.test"
TOKEN = "cmf0000000000000000000001-abcdefghijklmnop"
RETURNED = f"Message-ID: <cmf0000000000000000000001@acme.test>\nFrom: Acme <hello@acme.test>\nTo: {ADA}\n"


def read(
    text: str, *heads: str, sender: str = "postmaster@elsewhere.test", kind: str = "text/plain"
) -> Reading:
    head = [
        f"From: {sender}", f"To: bounces+{TOKEN}@bounce.acme.test", "Date: Wed, 4 Mar 2026 05:06:07 +0000",
        "MIME-Version: 1.0", f"Content-Type: {kind}; charset=utf-8", *heads,
    ]  # fmt: skip
    return read_message("\n".join([*head, "", text]).encode())


@pytest.mark.parametrize(
    ("verdict", "code", "text"),
    [
        pytest.param(
            "hard",
            "5.1.1",
            f"Your message\n\n  To:      {ADA}\n  Subject: News\n\n"
            "did not reach the following recipient(s):\n\n"
            f"{ADA} on Wed, 4 Mar 2026\n    The e-mail account does not exist at the organization.\n"
            "    <mx.elsewhere.test #5.1.1>\n",
            id="Exchange 2003",
        ),
        pytest.param(
            "hard",
            "550",
            f"Your message\n\n  Subject: News\n\nwas not delivered to:\n\n  {ADA}\n\nbecause:\n\n"
            f"  User ada ({ADA}) not listed in public Name & Address Book\n",
            id="Lotus Notes",
        ),
        pytest.param(
            "hard",
            "550",
            "Hi. This is the qmail-send program at mx.elsewhere.test.\n"
            "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
            "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
            f"<{ADA}>:\nThis address no longer accepts mail.\n\n"
            f"--- Below this line is a copy of the message.\n\n{RETURNED}",
            id="qmail with vpopmail",
        ),
        pytest.param(
            "hard",
            "550",
            "Your message was not delivered to the following recipients.\n\n"
            f"<{ADA}>: 550 Unknown user {ADA}\n\n" + RETURNED,
            id="a Japanese carrier",
        ),
        pytest.param(
            "hard",
            "550",
            f"PERMANENT fatal delivery errors!\n\nFailed address: {ADA}\n\n--- Session Transcript ---\n"
            f" 05:06:07: --> RCPT To:<{ADA}>\n 05:06:07: <-- 550 <{ADA}>, Recipient unknown\n",
            id="MDaemon",
        ),
        pytest.param(
            "hard",
            "550",
            f"The message that you sent was undeliverable to the following:\n\t{ADA} (user not found)\n\n"
            + RETURNED,
            id="GroupWise",
        ),
        pytest.param(
            "soft",
            "5.2.2",
            f"The following recipient(s) could not be reached:\n\n\tRecipient: [SMTP:{ADA}]\n"
            "\tReason: Remote SMTP Server Returned: 552 5.2.2 mailbox full\n",
            id="MailEnable, a full mailbox",
        ),
        pytest.param(
            "blocked",
            "554",
            f"<{ADA}>: host mx.elsewhere.test said: 554 Client host blocked using Barracuda Reputation\n",
            id="a block list",
        ),
    ],
)
def test_what_a_mail_system_says_of_an_address(verdict: str, code: str, text: str) -> None:
    """The place that says what happened counts, wherever else the address stands."""
    reading = read(text)
    assert isinstance(reading, list), reading
    assert [(one.verdict, one.code, one.recipients) for one in reading] == [(verdict, code, [ADA])]
    assert reading[0].reference.tokens == [TOKEN]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(
            f"We will keep trying to reach these:\n\n  {ADA}\n    450 busy\n",
            id="in words of its own",
        ),
        pytest.param(
            "This message was created automatically by mail delivery software.\n"
            "A message that you sent has not yet been delivered to one or more of its\n"
            "recipients after more than 24 hours on the queue on mx.acme.test.\n\n"
            f"The address to which the message has not yet been delivered is:\n\n  {ADA}\n"
            "    Delay reason: host lookup did not complete\n\nNo action is required on your part.\n",
            id="Exim",
        ),
    ],
)
def test_an_email_that_is_still_tried_is_no_bounce(text: str) -> None:
    """A warning ends nothing."""
    assert read(text) == Ignored("delayed")


def test_words_of_people_about_an_address_are_no_bounce() -> None:
    """Only mail systems are believed, and only what they say of the address."""
    assert isinstance(read(f"{ADA}: 550 user unknown, ha ha", sender="eve@elsewhere.test"), NotUnderstood)
    assert isinstance(read(f"Something happened to {ADA}."), NotUnderstood)
    assert isinstance(read(f"It failed.\n\n{RETURNED}\n550 user unknown"), NotUnderstood)


@pytest.mark.parametrize(
    "heads",
    [
        pytest.param(["Subject: Re: News", "X-Auto-Response-Suppress: All"], id="Exchange"),
        pytest.param(["Subject: Re: News", "Auto-Submitted: auto-notified"], id="a notice"),
        pytest.param(["Subject: Auto: News"], id="Auto:"),
        pytest.param(["Subject: I am on leave until Monday"], id="on leave"),
        pytest.param(["Subject: =?utf-8?b?5LyR5pqH?="], id="Japanese"),
    ],
)
def test_more_replies_that_nobody_wrote(heads: list[str]) -> None:
    """Whoever is away is there."""
    assert read("ada is away", *heads, sender=ADA) == Ignored("auto_reply")


def test_a_receipt_tells_nothing_of_an_address() -> None:
    """Whether somebody read an email or threw it away, it came."""
    report = f"Final-Recipient: rfc822;{ADA}\nDisposition: manual-action/MDN-sent-manually; displayed\n"
    kind = "message/disposition-notification"
    text = f"--b\nContent-Type: text/plain\n\nread\n--b\nContent-Type: {kind}\n\n{report}\n--b--"
    assert read(text, sender=ADA, kind="multipart/report; boundary=b") == Ignored("other")


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(
            f"\nFinal-Recipient: rfc822; {ADA}\nAction: failed\nStatus: 5.1.1", id="of recipients alone"
        ),
        pytest.param(
            f"Reporting-MTA: dns; x\n\nFinal-Recipient: {ADA}\nAction: failed\nStatus: 5.1.1", id="no type"
        ),
    ],
)
def test_notifications_that_leave_something_out(fields: str) -> None:
    """What is said is enough."""
    reading = read(
        f"--b\nContent-Type: message/delivery-status\n\n{fields}\n--b--", kind="multipart/report; boundary=b"
    )
    assert isinstance(reading, list), reading
    assert [(one.verdict, one.recipients) for one in reading] == [("hard", [ADA])]


def test_a_complaint_may_name_the_email_by_its_envelope_sender_alone() -> None:
    """Some providers hand nothing of the email back, or black it out."""
    fields = f"Feedback-Type: abuse\nVersion: 1\nOriginal-Mail-From: <bounces+{TOKEN}@bounce.acme.test>"
    report = (
        "From: fbl@elsewhere.test\nTo: fbl@acme.test\nContent-Type: multipart/report; boundary=b\n\n"
        f"--b\nContent-Type: message/feedback-report\n\n{fields}\n\n--b--"
    )
    reading = read_message(report.encode())
    assert isinstance(reading, list), reading
    assert [(one.verdict, one.reference.tokens) for one in reading] == [("complaint", [TOKEN])]
