"""Bounces of servers that write them in words of their own: flufl.bounce knows most of them. Pure.

Of the others, what a mail system wrote is read by the words about an address: a code, or that nobody is
there. Whether that is the address of the email in question is asked behind this.
"""

import re
from collections.abc import Callable, Sequence
from email.message import Message
from email.policy import compat32

from flufl import bounce

from .classify import TEXT_CHARACTERS, code_in, tells_failure, verdict_of, words_about
from .reference import Headers, addresses_in, header
from .report import Reference, Report

TEXT_BYTES = 64_000
"""Of the text, what is looked at: servers say it first, and then return the email."""
_HEADERS = ("from", "subject", "x-failed-recipients", "auto-submitted", "precedence", "x-mailer")
# What begins the email that was returned within the text.
_RETURNED = re.compile(
    r"^[ \t]*[-=_*]{2,}.{0,80}(?:copy of|original message|headers of|unsent message|below this line)",
    re.IGNORECASE | re.MULTILINE,
)
# What begins it where nothing is said before; such lines of a server's own are indented, or follow others.
_RETURNED_HEAD = re.compile(
    r"(?<=\n\n)(?:Return-Path|Received|Message-ID|MIME-Version|DKIM-Signature|From|Date):", re.IGNORECASE
)
_GOES_ON = re.compile(
    r"\bdelayed\b|not yet been delivered|still (?:being )?(?:try|attempt|queue)"
    r"|will (?:continue|keep|be retried)|no action is required",
    re.IGNORECASE,
)
ADDRESSES = 20
"""Of those in a text, how many are looked at."""


def read_plain_bounce(headers: Headers, text: str, reference: Reference) -> Sequence[Report]:
    """What a bounce without any fields says; nothing when it is none that anybody knows."""
    own = text[:TEXT_BYTES]
    temporary, permanent = _all_failures(_rebuilt(headers, own))
    # Its patterns that stand for a warning are of an email that goes on.
    failed = {address.decode("utf-8", "replace").lower() for address in permanent}
    warned = {address.decode("utf-8", "replace").lower() for address in temporary} - failed
    said = _said(own, _RETURNED)
    if goes_on(said):
        warned = {one for one in warned if tells_failure(words_about(one, said))}
    return [
        _report(address, said, reference, is_final=address in failed) for address in sorted(failed | warned)
    ]


def read_daemon_words(text: str, reference: Reference) -> Sequence[Report]:
    """What a mail system says of addresses in words that are not known; nothing where it says no reason.

    Nor is anything where the email is still on its way.
    """
    said = _said(text[:TEXT_BYTES].replace("\r\n", "\n"), _RETURNED, _RETURNED_HEAD)
    if goes_on(said):
        return []
    addresses = list(dict.fromkeys(one for one in addresses_in(said) if not one.startswith("bounces+")))
    return [
        _report(address, said, reference, is_final=True)
        for address in addresses[:ADDRESSES]
        if tells_failure(words_about(address, said))
    ]


def _said(own: str, *marks: re.Pattern[str]) -> str:
    """What stands before the email that came back, which begins at the first of the marks that is there."""
    begun = next((found for mark in marks if (found := mark.search(own))), None)
    return own[: begun.start()] if begun else own


def goes_on(text: str) -> bool:
    """Whether a text says that the email is still being tried."""
    return bool(_GOES_ON.search(text[:TEXT_BYTES]))


def _all_failures(message: Message) -> tuple[frozenset[bytes], frozenset[bytes]]:
    """The addresses that failed for now, and for good."""
    find: Callable[[Message], tuple[frozenset[bytes], frozenset[bytes]]] = bounce.all_failures  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    try:
        return find(message)
    except Exception:  # its detectors raise many things over messages that they never expected
        return frozenset(), frozenset()


def _rebuilt(headers: Headers, text: str) -> Message:
    """The message with a single part and the headers that are looked at: any more may cost seconds."""
    message = Message(policy=compat32)
    for name in _HEADERS:
        if value := header(headers, name):
            message[name] = " ".join(value.split())
    if "from" not in message:  # one of its detectors needs one
        message["from"] = "nobody@invalid"
    message.set_payload(text)
    return message


def _report(address: str, said: str, reference: Reference, *, is_final: bool) -> Report:
    words = words_about(address, said)
    verdict, code = verdict_of("" if is_final else "4.0.0", code_in(words), is_final=is_final)
    return Report(
        verdict=verdict,
        reference=reference,
        recipients=[address],
        code=code,
        text=" ".join(words.split())[:TEXT_CHARACTERS],
    )
