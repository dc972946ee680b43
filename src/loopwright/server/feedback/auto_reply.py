"""Replies that nobody wrote: out of office, thank you for your message. Nothing about an address. Pure."""

import re

from .reference import Headers, header

_DAEMONS = re.compile(
    r"mailer-?daemon|postmaster|mail[ -]?delivery|mdaemon|microsoftexchange|bounce"
    r"|no-?reply@.*mail|^\s*<>\s*$",
    re.IGNORECASE,
)
_MARKS = ("x-autoreply", "x-autorespond", "x-autoresponder", "x-auto-reply-from", "x-mail-autoreply",
          "x-auto-response-suppress", "x-fc-machinegenerated")  # fmt: skip
# Words that begin or end the subjects of such replies.
_SUBJECT = re.compile(
    "|".join((
        r"\bout[ -]of[ -](?:the )?office\b", r"^\s*auto(?:matic|mated)?[ -]?(?:reply|response)\b",
        r"\bautoreply\b", r"^\s*auto: ", r"\booo\b", r"\bon (?:vacation|(?:annual |parental )?leave)\b",
        r"\bvacation (?:response|reply|message)\b", r"^\s*abwesend\b", r"\ben vacances\b", r"\bferie\b",
        r"\baway from (?:my|the) (?:office|desk|mail)\b",
        "abwesenheit", r"automatische antwort", r"nicht im (?:b[üu]ro|haus)", r"\burlaub\b",
        r"absence du bureau", r"r[ée]ponse automatique", r"absent\(?e?\)? du bureau", r"message d'absence",
        r"respuesta autom[áa]tica", r"fuera de (?:la )?oficina", r"resposta autom[áa]tica",
        r"ausencia temporal", r"fora do escrit[óo]rio", r"risposta automatica", r"fuori (?:sede|ufficio)",
        r"automatisch antwoord", r"afwezig", r"autosvar", r"fr[åa]nvarande",
        r"poissa (?:toimistosta|t[öo]ist)", r"automaattinen vastaus", r"fraværende",
        r"autoodpowied", r"automatyczna odpowied", r"poza biurem",
        r"automatick[áa] odpov", r"nep[řr][íi]tomen", r"автоматический ответ", r"автоответ", r"отпуск",
        r"автоматична відповідь", r"otomatik yan.t", r"ofis d.[şs].nda", "自動(?:応答|返信)", "不在", "休暇",
        "自动(?:回复|答复)", "自動回覆", "자동 (?:응답|회신)", "부재", "תשובה אוטומטית", "رد تلقائي",
    )),
    re.IGNORECASE,
)  # fmt: skip


def is_from_daemon(headers: Headers) -> bool:
    """Whether a mail system wrote it."""
    return bool(header(headers, "x-failed-recipients") or _DAEMONS.search(header(headers, "from")))


def is_auto_reply(headers: Headers) -> bool:
    """Whether a program of the recipient's wrote it, and no mail system."""
    if is_from_daemon(headers):
        return False
    submitted = header(headers, "auto-submitted").lower()
    return bool(
        submitted.startswith("auto-")
        or header(headers, "precedence").lower() in ("auto_reply", "auto-reply")
        or any(header(headers, name) for name in _MARKS)
        or _SUBJECT.search(header(headers, "subject"))
    )
