"""What a server's words say of an address, by the rules that sending goes by. Pure."""

import re
from itertools import islice
from typing import Literal

from loopwright.server.mail.reply import Moment, Reply, meaning_of, tells_that_nobody_is_there

from .report import Verdict

_STATUS = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
_SMTP_REPLY = re.compile(r"(?<![\d.])([45]\d\d)(?=[ \-:]|$)[ \-:]*", re.MULTILINE)
_AFTER_DATA = re.compile(r"end of data|after (?:end of )?data", re.IGNORECASE)
_NEXT = re.compile(r"\n[ \t]*\r?\n")
_CODE_AGAIN = re.compile(r"(?:^|(?<=\s))[45]\d\d[ \-](?=[245]\.\d)")

TEXT_CHARACTERS = 1_000
"""Of what a server said, what is kept."""


def verdict_of(status: str, diagnostic: str, *, is_final: bool) -> tuple[Verdict, str]:
    """What follows for the address, and the code that says so.

    `status` is an enhanced code or empty, `diagnostic` the server's words, with or without an SMTP code.
    `is_final`: nobody tries any more, which counts where neither has a class.
    """
    found = _SMTP_REPLY.search(diagnostic)
    enhanced = _STATUS.search(status)
    code = _smtp_code(found, enhanced, is_final=is_final)
    words = _CODE_AGAIN.sub("", diagnostic[found.end() :] if found else diagnostic).strip()
    if enhanced and not _STATUS.search(words[:500]) and _says_something(enhanced):
        words = f"{code // 100}.{enhanced[2]}.{enhanced[3]} {words}"
    moment: Moment = "DATA end" if _AFTER_DATA.search(diagnostic) else "RCPT"
    shown = _STATUS.search(words[:500])
    reply = Reply(code, words)
    meaning = "recipient" if tells_that_nobody_is_there(reply) else meaning_of(moment, reply)
    return _VERDICTS[meaning], shown[0] if shown else str(code)


def code_in(text: str) -> str:
    """The part of a text that begins with the first SMTP code in it; all of it when there is none."""
    found = _SMTP_REPLY.search(text)
    return text[found.start() :] if found else text


def words_about(address: str, said: str) -> str:
    """What a text says of an address: its line and what follows, up to the next paragraph but one.

    Of several places the first that says what happened; all of the text where the address is not in it.
    """
    places = [found.start() for found in islice(re.finditer(re.escape(address), said.lower()), PLACES)]
    about = [words for at in places if (words := _paragraph(said, at, at + len(address)))]
    return next((words for words in about if tells_failure(words)), about[0] if about else said)


def tells_failure(words: str) -> bool:
    """Whether there is a code in them, or that nobody is there."""
    if _SMTP_REPLY.search(words) or _STATUS.search(words):
        return True
    return meaning_of("RCPT", Reply(550, words)) == "recipient"


PLACES = 20
"""Of an address in a text, what is looked at."""
_LINE_CHARACTERS = 200


def _paragraph(said: str, start: int, end: int) -> str:
    """The line before an address and the words behind it; nothing where there are none behind."""
    behind = said[end:]
    ends = [found.start() for found in islice(_NEXT.finditer(behind), 2)]
    about = behind[: ends[1]] if len(ends) > 1 else behind
    if not about.strip(_EDGES):
        return ""
    before = said[max(said.rfind("\n", 0, start) + 1, start - _LINE_CHARACTERS) : start].strip(_EDGES)
    return f"{before} {said[start:end]} {about.strip(_EDGES)}" if before else about.strip(_EDGES)


_EDGES = " \t\r\n:<>"


_VERDICTS: dict[Literal["relay", "recipient", "soft", "message"], Verdict] = {
    "recipient": "hard",
    "soft": "soft",
    "relay": "blocked",
    "message": "blocked",
}


def _smtp_code(found: re.Match[str] | None, enhanced: re.Match[str] | None, *, is_final: bool) -> int:
    """The server's own, or else the general one of that class."""
    if found:
        return int(found[1])
    if enhanced and enhanced[1] in "45":
        return int(enhanced[1]) * 100 + 50
    return 550 if is_final else 450


def _says_something(enhanced: re.Match[str]) -> bool:
    """Whether the code is more than a class: 5.0.0 is what servers say that know no better."""
    return (enhanced[2], enhanced[3]) != ("0", "0")
