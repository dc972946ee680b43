"""What a mail server's refusal means: for our standing with it, for the recipient, or for the message. Pure.

relay      it speaks of us: who we are, how fast we go, how the server itself is. The email waits, nobody pays
recipient  there is no such mailbox, and there will not be one: a hard bounce
soft       this mailbox does not take it now; later it may
message    this message will never pass, and no other message or person has part in that

Only a reply that names the recipient's address as wrong is held against the recipient: whoever is suppressed
by mistake gets no mail ever again, and whoever is not costs one more try. Codes are those of RFC 5321 and,
where the server gives one, the enhanced code of RFC 3463 with RFC 7505's 5.1.10.
"""

import re
from typing import Literal, TypeAlias

from msgspec import Struct

Moment: TypeAlias = Literal["connect", "EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "DATA end"]
Meaning: TypeAlias = Literal["relay", "recipient", "soft", "message"]


class Reply(Struct, frozen=True):
    """A reply: its code, and its text without the code, lines separated by line feeds."""

    code: int
    text: str = ""

    @property
    def is_temporary(self) -> bool:
        """The server says that the same may pass later."""
        return self.code < 500


_WHAT: dict[Moment, str] = {
    "connect": "no connection to the SMTP server",
    "EHLO": "the SMTP server refused our name",
    "STARTTLS": "no TLS with the SMTP server",
    "AUTH": "the SMTP server refused the sign-in",
    "MAIL": "the sender was refused",
    "RCPT": "the recipient was refused",
    "DATA": "the message was refused",
    "DATA end": "the message was refused",
}
# Two moments have one sentence. Read back it is the later one, where recipients may be refused, too.
_MOMENTS: dict[str, Moment] = {what: moment for moment, what in _WHAT.items()}
_TOLD = re.compile(r"([^:]+): (\d{3}) ?(.*)", re.DOTALL)


def told(moment: Moment, detail: str) -> str:
    """What went wrong at that moment, in words: an email's reason."""
    return f"{_WHAT[moment]}: {detail}"


def read_told(reason: str) -> tuple[Moment, Reply] | None:
    """The refusal that an email's reason tells of; None when it tells of none."""
    found = _TOLD.fullmatch(reason)
    moment = _MOMENTS.get(found[1]) if found else None
    return (moment, Reply(int(found[2]), found[3])) if found and moment else None


_ENHANCED = re.compile(r"(?:^|[\s(\[#])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
# Addresses and links are the server's own words for nothing.
_QUOTED = re.compile(r"<[^<>\s]*>|[^\s@]{1,64}@(?:\[\S+|[\w.\-]+)|https?:\S*|www\.\S*")

_RECIPIENT = frozenset({(1, 1), (1, 2), (1, 3), (1, 6), (1, 10)})
_FULL = frozenset({(2, 2), (2, 0), (2, 4), (4, 1), (4, 2), (4, 3), (4, 4), (4, 6), (4, 7)})
_SERVER_UNWELL = frozenset({(3, 1), (3, 2), (3, 3), (3, 5)})
_TOO_LARGE = frozenset({(2, 3), (3, 4)})
# Lists and mailboxes that take mail from some people only: RFC 3463's, and those of Exchange.
_RESTRICTED = frozenset({(7, 2), (7, 124), (7, 129), (7, 133), (7, 134), (7, 135), (7, 136)})


def _any(*alternatives: str) -> re.Pattern[str]:
    return re.compile("|".join(alternatives), re.IGNORECASE)


_SENDER = _any(
    r"\bsender\b", r"\b(?:sending|submitting) (?:domain|address|host|server)", "return[- ]path",
    r"mail from\b", "envelope from", r"\b(?:helo|ehlo)\b", "hostname",
)  # fmt: skip
_US = _any(
    "relay", "client host", r"your (?:ip|host|server|network|domain|connection|address\b)", r"\bsender\b",
    r"\b(?:helo|ehlo)\b", "(?:black|block) ?-?list", r"\b(?:block|blocked|banned)\b", r"\b(?:rbl|dnsbl)\b",
    "spamhaus", "spamcop", "barracuda", "reputation", r"\b(?:spf|dkim|dmarc)\b", r"\bptr\b",
    r"reverse (?:dns|hostname)", r"\brdns\b", "authenticat", "authori[sz]", r"\btls\b", "credential",
    "not (?:allowed|permitted) to send", "not verified", "your account",
    r"sending (?:\w+ )?(?:paused|suspended|disabled)", "submitting domain", "spoof", "bounce attack",
    r"from (?:this |your |the )?ip\b", r"\bspam", "unsolicited", "invalid dns",
)  # fmt: skip
_SENDER_REFUSED = _any(
    r"\bsender (?:address|domain|verif|identity)", "submitting domain", "not owned by",
    "as this sender", r"\b(?:spf|dkim|dmarc)\b",
)  # fmt: skip
_RELAYING = _any("relay", "authenticat", r"\bauth\b", "credential")
_RELAY_DENIED = _any(
    "relay(?:ing)? (?:access )?(?:is )?(?:denied|prohibited|not (?:permitted|allowed))",
    "(?:not (?:permitted|allowed)|unable) to relay",
)
_LISTED = _any(
    "(?:black|block) ?-?list", r"\b(?:blocked|banned|listed)\b", "reputation", r"\b(?:spf|dkim|dmarc)\b"
)
_PACE = _any(
    "too (?:many|much|fast|quick)", r"\brates?\b", "throttl", "quota", "limit (?:exceeded|reached)",
    "exceeded .{0,40}limit", "(?:daily|hourly|sending|connection|message) .{0,20}limit", "slow down",
    "concurren", "limits (?:exceeded|reached)", r"\bper (?:second|minute|hour|day)\b", "frequency",
)  # fmt: skip
_GREYLISTED = _any(r"gr[ea]y-?\s?list")
_MAILBOX_FULL = _any(
    "(?:mailbox|inbox|account|user|recipient|quota|storage).{0,40}(?:full|over ?quota|exceed|over (?:it|th))",
    "over ?quota", "quota exceeded", "exceeded.{0,20}(?:storage|quota)", "insufficient (?:disk|storage)",
)  # fmt: skip
_OUR_LIMIT = _any(r"\bsending\b", "your account")
_SERVER_FULL = _any("insufficient (?:system|disk)")
_CONTENT = _any(r"\bcontents?\b", r"\battachments?\b", r"\bvirus", "malware", "phish")
# What filters say of one message, unless they name the server that it came from.
_SPAM = _any(r"\bspam", "unsolicited", r"\bur[il]s?\b", r"\b(?:surbl|uribl)\b")
_ORIGIN = _any(
    r"\bip\b", r"your (?:host|server|network|domain|connection)", "client host",
    "sending (?:host|server|domain)", "reputation", r"\b(?:spf|dkim|dmarc)\b", "authenticat",
    r"\b(?:rbl|dnsbl)\b", "spamhaus", "spamcop",
)  # fmt: skip
_UNAVAILABLE = _any("mailbox unavailable")
_MAILBOX_RATE = _any("receiving .{0,40}(?:rate|quickly|too (?:many|much))")
_SIZE = _any(
    "(?:message|mail|size|data).{0,30}(?:too (?:big|large|long)|exceed|larger|limit)", "too (?:big|large)"
)
_WHO = "(?:" + "|".join((
    "user", "mailbox", "recipient", "account", "address", "addressee", "person", "customer", "subscriber",
    "local[- ]?part", "alias", "destinataire", "utilisateur", "empf[äa]nger", "benutzer", "usuario",
    "destinatario", "destinat[áa]rio", "utente",
)) + ")"  # fmt: skip
_GONE = "(?:" + "|".join((
    "unknown", "not (?:found|known|valid|here|listed)", r"not exist\w*", "(?:n't|not) exist", "invalid",
    "no longer (?:valid|available|exists?|active|here)", "non-?existent",
    "has been (?:deleted|removed|closed|terminated)", "(?:cannot|could not) be found", "not recogni[sz]ed",
    "not local", "no longer accepts", "inconnue?", "unbekannt", "desconocid[oa]", "desconhecid[oa]",
    "sconosciut[oa]",
)) + ")"  # fmt: skip
_SAME = r"(?:(?!\. |[;\n]).){0,40}"  # what stands between in one sentence
_UNKNOWN_USER = _any(
    rf"no such (?:\w+ )?{_WHO}", f"no {_WHO} (?:here|by that|with that|found|of that)", "no mailbox",
    rf"(?:unknown|invalid|bad|non-?existent) (?:\w+ )?{_WHO}", rf"{_WHO}\b{_SAME}?{_GONE}",
    rf"{_GONE} (?:\w+ )?{_WHO}\b", "unroute?able address", f"not (?:a|our) (?:valid |known )?{_WHO}",
    r"(?:does not|doesn't) have an? (?:[\w.\-]+ )?(?:account|mailbox)", "not a user here",
    rf"(?:cannot|can't|could not|unable to) find (?:\w+ )?{_WHO}", rf"{_WHO} (?:does not|doesn't) live here",
)  # fmt: skip
_DISABLED = _any(
    "disabled",
    "inactive",
    "deactivated",
    "suspended",
    "(?:not|no longer) active",
    "closed",
    "expired",
    r"\blocked",
)
_DISABLED_USER = _any(rf"{_WHO}\b.{{0,40}}?(?:{_DISABLED.pattern}|discontinued)")
_FOR_NOW = _any("temporar", "at this time", "right now", "for now")
# What the edge of Exchange Online says of somebody whom it does not know, with a code of its own for that.
_UNKNOWN_AT_EDGE = _any(r"recipient address rejected: access denied")


def meaning_of(moment: Moment, reply: Reply) -> Meaning:
    """What a refusal at `moment` means. `reply` has a code of 400 or more."""
    if moment in ("connect", "EHLO", "STARTTLS", "AUTH") or reply.code == 421:
        return "relay"
    text = without_addresses(reply.text)
    detail = _enhanced(reply)
    if moment == "MAIL":
        return "message" if _is_about_message(reply, detail, text) else "relay"
    if reply.is_temporary:
        return _of_temporary(detail, text)
    return _of_permanent(moment, reply, detail, text)


def speaks_of_sender(moment: Moment, reply: Reply) -> bool:
    """Whether what is refused for good is where an email comes from: that of another team may pass."""
    if reply.is_temporary or reply.code in _SIGN_IN_CODES or meaning_of(moment, reply) != "relay":
        return False
    text = without_addresses(reply.text)
    return _enhanced(reply) in {(1, 7), (1, 8)} or bool(_SENDER_REFUSED.search(text))


def asks_to_sign_in(reply: Reply, *, signs_in: bool) -> bool:
    """Whether a refusal that is about us says that we lack credentials, or that those we have are wrong."""
    if reply.code in _SIGN_IN_CODES:
        return True
    text = without_addresses(reply.text)
    if signs_in or _LISTED.search(text):
        return False
    if reply.is_temporary:  # Postfix has 454 for this where it may be set up wrongly
        return bool(_RELAY_DENIED.search(text))
    return bool(_RELAYING.search(text)) or _enhanced(reply) in {(7, 0), (7, 1)}


def tells_that_nobody_is_there(reply: Reply) -> bool:
    """Whether a refusal says so by its words, behind a code of its own or one that says little.

    A report that came back is the last word on an email, and counts. A server that speaks to us may be asked
    again: there such a code waits, and only `meaning_of` is held against the recipient.
    """
    return not reply.is_temporary and _names_nobody(_enhanced(reply), without_addresses(reply.text))


def is_greylisting(reply: Reply) -> bool:
    """Whether the server wants to see the same email again, and each of them."""
    return reply.is_temporary and bool(_GREYLISTED.search(reply.text))


def says_full(reply: Reply) -> bool:
    """Whether the server says that the mailbox is there, and full."""
    return _is_full(_enhanced(reply), without_addresses(reply.text))


def without_addresses(text: str) -> str:
    """The words of a reply alone."""
    return _QUOTED.sub(" ", text)


def _of_temporary(detail: tuple[int, int] | None, text: str) -> Meaning:
    """Later; the question is who is to wait, everybody or this one."""
    if _GREYLISTED.search(text) or _MAILBOX_RATE.search(text) or (detail and detail[0] == 2):
        return "soft"
    if detail is None and _SERVER_FULL.search(text):
        return "relay"
    if _MAILBOX_FULL.search(text) and not _PACE.search(text):
        return "soft" if detail is None or detail[0] != 3 else "relay"
    # Filters have codes of policy for one email that they want to see again; words say it when it is us.
    if detail and detail[0] != 7 and (detail in _SERVER_UNWELL or _is_about_us(detail)):
        return "relay"
    return "relay" if _US.search(text) or _PACE.search(text) else "soft"


def _of_permanent(moment: Moment, reply: Reply, detail: tuple[int, int] | None, text: str) -> Meaning:
    if detail in _RECIPIENT:
        return _of_wrong_address(text)
    if _names_nobody(detail, text):
        return "recipient" if detail is None else "soft"
    if detail == (2, 1):
        return _of_disabled(text)
    if _is_about_message(reply, detail, text):
        return "message"
    if moment == "DATA end" and _is_about_content(text):
        return "message"
    if detail in _RESTRICTED:
        return "soft"
    if detail in _SERVER_UNWELL:
        return "relay"
    if _is_full(detail, text):
        return "soft"
    if _UNAVAILABLE.search(text) and not _is_ours(text):
        return "soft"
    if detail and _is_about_us(detail):
        if moment == "DATA end" and not _is_ours(text):
            return "message"
        return "soft" if _is_only_about_somebody(detail, text) else "relay"
    if _is_ours(text):
        return "relay"
    if reply.code in _OUR_CODES:
        return "relay"
    return "message" if moment == "DATA end" and not (detail and detail[0] == 2) else "soft"


def _of_wrong_address(text: str) -> Meaning:
    """With a code that blames the recipient's address; some servers have no other code for anything."""
    if _SENDER.search(text):
        return "relay"
    if _UNKNOWN_USER.search(text):
        return "recipient"
    if _MAILBOX_FULL.search(text) or _PACE.search(text):
        return "soft"
    return "relay" if _LISTED.search(text) else "recipient"


def _of_disabled(text: str) -> Meaning:
    """With the code of mailboxes that are closed, which stands for rates and blocks as well."""
    if _PACE.search(text) or _FOR_NOW.search(text) or not _DISABLED.search(text):
        return "relay" if _LISTED.search(text) else "soft"
    return "relay" if _US.search(text) else "recipient"


_SIGN_IN_CODES = frozenset({530, 534, 535, 538})
_OUR_CODES = frozenset({500, 501, 502, 503, 504, 521, 523, 530, 534, 535, 538, 555})


def _names_nobody(detail: tuple[int, int] | None, text: str) -> bool:
    """Whether the words say that nobody is there, where the code says no more than a class or a subject."""
    if detail == (4, 1):
        return bool(_UNKNOWN_AT_EDGE.search(text))
    if (detail and detail not in _VAGUE) or _is_ours(text) or _MAILBOX_FULL.search(text):
        return False
    if detail == (1, 0) and _ADDRESS_REJECTED.search(text):
        return True
    return bool(_UNKNOWN_USER.search(text) or (_DISABLED_USER.search(text) and not _FOR_NOW.search(text)))


_VAGUE = frozenset({(0, 0), (1, 0), (2, 0), (3, 0), (5, 0), (1, 351)})
_ADDRESS_REJECTED = _any("(?:address|recipient) rejected", "unknown address")


def _is_full(detail: tuple[int, int] | None, text: str) -> bool:
    if detail is None:
        return bool(_MAILBOX_FULL.search(text)) and not _OUR_LIMIT.search(text)
    return detail in _FULL


def _is_ours(text: str) -> bool:
    return bool(_US.search(text) or _PACE.search(text))


def _is_about_content(text: str) -> bool:
    """What a filter found in a message, and not where it came from."""
    return bool(_CONTENT.search(text) or (_SPAM.search(text) and not _ORIGIN.search(text)))


def _is_about_us(detail: tuple[int, int]) -> bool:
    """Sender addresses, our quota, protocol, and policy."""
    return detail in {(1, 0), (1, 7), (1, 8), (4, 5)} or detail[0] in (5, 7)


def _is_only_about_somebody(detail: tuple[int, int], text: str) -> bool:
    """A code of policy, as some have for everything, with words that nobody is there."""
    return detail[0] == 7 and bool(_UNKNOWN_USER.search(text)) and not _is_ours(text)


def _is_about_message(reply: Reply, detail: tuple[int, int] | None, text: str) -> bool:
    if reply.is_temporary:
        return False
    if detail is None:
        return reply.code == 552 and bool(_SIZE.search(text)) and not _MAILBOX_FULL.search(text)
    return detail in _TOO_LARGE or detail[0] == 6


def _enhanced(reply: Reply) -> tuple[int, int] | None:
    """Subject and detail of the enhanced code, where its class agrees with the reply's."""
    for found in _ENHANCED.finditer(reply.text[:500]):
        if int(found[1]) == reply.code // 100:
            return int(found[2]), int(found[3])
    return None
