"""Messages in the formats of real servers, written anew, and what each of them says."""

from pathlib import Path

import pytest

from loopwright.server.feedback.message import read_message
from loopwright.server.feedback.report import Ignored, NotUnderstood, Report

MESSAGES = Path(__file__).parent / "messages"
EMAIL = "cmf0000000000000000000001"
TOKEN = f"{EMAIL}-abcdefghijklmnop"
MIME_ID = f"{EMAIL}@acme.test"
ADA = "ada@elsewhere.test"

HARD = {
    "postfix_unknown_user": "5.1.1",
    "exim_unrouteable": "550",
    "exim_smtp_error": "5.1.1",
    "exim_router": "550",
    "exchange_recipient_not_found": "5.1.1",
    "office365_recipient_not_found": "5.1.10",
    "gmail_no_such_user": "5.1.1",
    "yahoo_unknown_user": "5.1.1",
    "yahoo_no_account": "554",
    "qmail_no_mailbox": "5.1.1",
    "sendmail_user_unknown": "5.1.1",
    "ses_dsn_permanent": "5.1.1",
    "mailgun_dsn": "5.2.1",
    "domino_not_listed": "5.1.1",
    "groupwise_no_user": "5.1.1",
    "proofpoint_domain_gone": "5.1.2",
}
SOFT = {
    "postfix_no_host": "5.4.4",
    "postfix_mailbox_full": "5.2.2",
    "postfix_expired": "4.4.1",
    "exim_retry_timeout": "4.2.2",
    "gmail_over_quota": "5.2.2",
    "gmail_delayed_soft": "4.2.1",
    "qmail_remote_busy": "4.2.2",
    "zimbra_over_quota": "4.2.2",
}
BLOCKED = {
    "postfix_blocked": "5.7.1",
    "office365_access_denied": "5.7.511",
    "gmail_spam": "5.7.1",
    "barracuda_rejected": "5.7.1",
    "courier_relay_denied": "550",
}
COMPLAINTS = {
    "arf_yahoo": "abuse",
    "arf_aol_redacted": "abuse",
    "arf_headers_only": "fraud",
    "outlook_jmrp": "abuse",
}
AUTO_REPLIES = [
    "out_of_office_english", "out_of_office_german", "out_of_office_french", "out_of_office_spanish",
    "out_of_office_japanese", "out_of_office_russian", "vacation_unix",
]  # fmt: skip


def read(name: str) -> object:
    return read_message((MESSAGES / f"{name}.eml").read_bytes())


def reports(name: str) -> list[Report]:
    found = read(name)
    assert isinstance(found, list), found
    return found


@pytest.mark.parametrize(
    ("name", "verdict", "code"),
    [
        *((name, "hard", code) for name, code in HARD.items()),
        *((name, "soft", code) for name, code in SOFT.items()),
        *((name, "blocked", code) for name, code in BLOCKED.items()),
        ("postfix_delivered", "delivered", "2.0.0"),
    ],
)
def test_bounces_are_read(name: str, verdict: str, code: str) -> None:
    """Whom it is about, what follows, and which email it was."""
    [report] = reports(name)
    assert (report.verdict, report.code, report.recipients) == (verdict, code, [ADA])
    assert report.reference.tokens == [TOKEN] or report.reference.mime_ids == [MIME_ID]


@pytest.mark.parametrize(("name", "kind"), COMPLAINTS.items())
def test_complaints_are_read(name: str, kind: str) -> None:
    """Providers that hide whose complaint it is still hand back what names the email."""
    [report] = reports(name)
    assert (report.verdict, report.code) == ("complaint", kind)
    assert report.recipients in ([ADA], [])
    assert report.reference.mime_ids == [MIME_ID]


@pytest.mark.parametrize("name", AUTO_REPLIES)
def test_auto_replies_are_no_bounces(name: str) -> None:
    """Whoever is out of office is there."""
    assert read(name) == Ignored("auto_reply")


@pytest.mark.parametrize(
    ("name", "what"),
    [("postfix_delayed", "delayed"), ("sendmail_warning", "delayed"), ("arf_not_spam", "not_spam")],
)
def test_what_concerns_no_address_is_left_alone(name: str, what: str) -> None:
    """An email that is still on its way, by a fault that is nobody's; a complaint taken back."""
    assert read(name) == Ignored(what)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "name",
    ["arf_dmarc_failure", "person_answers", "daemon_unknown_words", "status_without_recipient"],
)
def test_the_rest_says_why_it_was_not_understood(name: str) -> None:
    """For people to look at."""
    found = read(name)
    assert isinstance(found, NotUnderstood)
    assert found.reason


def test_the_final_recipient_decides_who_failed() -> None:
    """Whoever got a copy is another one than the contact; a forward is the contact's own."""
    copy, contact = reports("two_recipients")
    assert (copy.verdict, copy.recipients) == ("hard", ["boss@elsewhere.test"])
    assert (contact.verdict, contact.recipients) == ("delivered", [ADA])
    [forwarded] = reports("forwarded")
    assert forwarded.recipients == ["lovelace@home.test", ADA]
    [international] = reports("eai_global_status")
    assert international.recipients == ["jürgen@elsewhere.test"]


def test_an_email_is_named_by_token_message_id_and_link() -> None:
    """The surest first."""
    [report] = reports("ses_dsn_permanent")
    assert report.reference.tokens == [TOKEN]
    assert report.reference.mime_ids == ["0102018e0a-rewritten-000000@eu-west-1.amazonses.test"]
    assert report.reference.tickets == [f"cmt0000000000000000000001.{EMAIL}.c2lnbmF0dXJl"]
    [by_envelope] = read_message(  # type: ignore[misc]
        (MESSAGES / "arf_headers_only.eml").read_bytes(),
        envelope=[f"Bounces+{TOKEN.upper()}@bounce.acme.test"],
    )
    assert isinstance(by_envelope, Report)
    assert by_envelope.reference.tokens == [TOKEN]


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\xff\x00" * 5_000, id="noise"),
        pytest.param(b"Content-Type: multipart/report; boundary=x\n\n" + b"--x\n\n" * 80_000, id="parts"),
        pytest.param(b"Content-Type: " + b";" * 400_000 + b"\n\n", id="parameters"),
        pytest.param(b"Subject: x\n\n" + b"<a@b.c>:\n" * 60_000, id="addresses"),
        pytest.param(
            b"Content-Type: message/delivery-status\n\n" + b"Final-Recipient: rfc822;a@b.c\n\n" * 20_000,
            id="recipients",
        ),
        pytest.param(b"From: MAILER-DAEMON@x.test\n\n" + b"< " * 200_000, id="brackets"),
    ],
)
def test_any_bytes_are_soon_done_with(raw: bytes) -> None:
    """Anybody can send to the door."""
    assert read_message(raw) is not None
