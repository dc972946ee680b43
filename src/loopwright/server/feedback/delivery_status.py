"""Delivery status notifications (RFC 3464), and reports of abuse (RFC 5965): fields in, reports out. Pure."""

import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from msgspec.structs import replace

from loopwright.server.mail.parsed_email import read_headers

from .classify import TEXT_CHARACTERS, code_in, verdict_of, words_about
from .reference import Headers, addresses_in, header, tokens_in
from .report import Ignored, NotUnderstood, Reading, Reference, Report, Verdict

RECIPIENTS = 200
"""Groups of one notification that are looked at; an email of ours has few recipients."""

_BLANK = re.compile(r"\r?\n(?:[ \t]*\r?\n)+")
_KIND = re.compile(r"^\s*[A-Za-z][\w.\-]*\s*;")
# That of an address is asked for, and left out by some all the same.
_TYPE = re.compile(r"^[^;@]*;")
_DONE = ("delivered", "relayed", "expanded")


def read_delivery_status(fields: str, reference: Reference, text: str) -> Reading:
    """What a notification says of each recipient. `fields` are those of its message/delivery-status.

    `text` is what it says to people, which has the words where a server gives no more than a class.
    """
    groups = [read_headers(f"{one}\n\n".encode()) for one in _BLANK.split(fields.strip())[:RECIPIENTS]]
    about = [group for group in groups if header(group, "final-recipient") or header(group, "action")]
    reports = [report for group in about if (report := _report(group, reference, text))]
    if reports:
        return reports
    if any(header(group, "action").lower() == "delayed" for group in about):
        return Ignored("delayed")
    return NotUnderstood("its delivery status names no recipient and no action")


def read_abuse(fields: str, returned: Headers, reference: Reference) -> Reading:
    """What a report of abuse says. `fields` are those of its message/feedback-report."""
    report = read_headers(f"{fields.strip()}\n\n".encode())
    kind = header(report, "feedback-type").lower()
    if kind == "not-spam":
        return Ignored("not_spam")
    if kind not in _COMPLAINTS:
        return NotUnderstood(f"a feedback report of the type {kind or '(none)'} is no complaint")
    return [
        Report(
            verdict="complaint",
            reference=_also_by_sender(reference, report),
            recipients=_told_of(report, returned),
            code=kind,
            text=header(report, "source-ip") and f"reported from {header(report, 'source-ip')}",
            happened_at=read_date(header(report, "arrival-date") or header(report, "received-date")),
        )
    ]


_COMPLAINTS = frozenset({"abuse", "fraud", "virus", "other", "opt-out", "opt-out-list", "complaint"})
_HIDDEN = re.compile(r"redacted|hidden|xxxx|\*\*\*|removed", re.IGNORECASE)
_ORIGINAL = ("original-rcpt-to", "removal-recipient")
_ORIGINAL_RETURNED = ("x-hmxmroriginalrecipient", "x-original-recipient")


def _also_by_sender(reference: Reference, report: Headers) -> Reference:
    """Where the email's head is left out or blackened, its envelope sender may still be told."""
    told = tokens_in([header(report, "original-mail-from")])
    return replace(reference, tokens=list(dict.fromkeys([*reference.tokens, *told])))


def _told_of(report: Headers, returned: Headers) -> list[str]:
    """Whose complaint it is; nobody where providers hide that."""
    texts = [value for key, value in report if key.lower() in _ORIGINAL]
    texts += [value for key, value in returned if key.lower() in _ORIGINAL_RETURNED]
    return [one for text in texts for one in addresses_in(text) if not _HIDDEN.search(one)]


def complaint_about(returned: Headers, reference: Reference, happened_at: datetime | None) -> Report:
    """The complaint that hands an email back without any field of its own, as Microsoft's do."""
    return Report(
        verdict="complaint",
        reference=reference,
        recipients=_told_of((), returned),
        code="abuse",
        happened_at=happened_at,
    )


def read_date(text: str) -> datetime | None:
    """A moment of a header, aware; None for none."""
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def _report(group: Headers, reference: Reference, text: str) -> Report | None:
    """What one recipient's fields come to; None for one whose email is still on its way."""
    action = header(group, "action").split("(")[0].strip().lower()
    status = header(group, "status")
    diagnostic = _KIND.sub("", header(group, "diagnostic-code")).strip()
    recipients = list(_recipients(group))
    if not diagnostic and recipients and recipients[0] in text.lower():
        diagnostic = " ".join(code_in(words_about(recipients[0], text)).split())
    verdict: Verdict = "delivered"
    code = status.split(" ")[0]
    if action not in _DONE:
        verdict, code = verdict_of(status, diagnostic, is_final=action != "delayed")
        if action == "delayed" and verdict != "soft":
            return None
    return Report(
        verdict=verdict,
        reference=reference,
        recipients=recipients,
        code=code,
        text=(diagnostic or status)[:TEXT_CHARACTERS],
        happened_at=read_date(header(group, "last-attempt-date") or header(group, "arrival-date")),
    )


def _recipients(group: Headers) -> Sequence[str]:
    """Where it was sent, and where it ended."""
    found: Iterator[str] = (
        address
        for name in ("final-recipient", "original-recipient", "x-actual-recipient")
        for address in addresses_in(_TYPE.sub("", header(group, name)))
    )
    return list(dict.fromkeys(found))
