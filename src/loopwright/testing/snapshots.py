"""Emails compared with files: what they say, without what differs from run to run."""

from __future__ import annotations

import difflib
import re
from pathlib import Path

from .received import Email

SERVER_LINK = re.compile(r"http://(?:127\.0\.0\.1|localhost|\[::1\]):\d+(/[\w.\-]*)?(/[^\s\"'<>)]*)?")

BETWEEN_TAGS = re.compile(r">\s*<")


def written(email: Email, name: str) -> str:
    """What a file of that name holds: the text of the email for `.txt`, and its HTML for `.html`.

    Links to the server keep only what they are for, since the rest is new for each email.
    Raises `ValueError` for other endings.
    """
    match Path(name).suffix:
        case ".html":
            told = BETWEEN_TAGS.sub(">\n<", email.html)  # or it would be a few lines of thousands of letters
        case ".txt":
            told = email.text
        case _:
            raise ValueError(f"{name} is to end in .html or .txt")
    told = SERVER_LINK.sub(lambda found: f"http://loopwright.test{found[1] or ''}", told)
    return told.replace("\r\n", "\n")


def compare(email: Email, file: Path) -> str | None:
    """How the email differs from the file, line by line; None when it does not."""
    now = written(email, file.name).splitlines()
    before = file.read_text().splitlines()
    if now == before:
        return None
    return "\n".join(
        difflib.unified_diff(before, now, str(file), f"the email {email.subject!r}", lineterm="")
    )


def write(email: Email, file: Path) -> None:
    """Have the file hold what the email says."""
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join([*written(email, file.name).splitlines(), ""]))
