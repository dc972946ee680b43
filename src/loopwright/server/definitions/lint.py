"""Advice on the emails of a definition folder, as `file:line: rule: message`."""

from collections.abc import Iterator, Mapping

from loopwright.server.mail.lint import lint
from loopwright.server.mail.variables import EmailKind

from .mistakes import Mistake
from .names import somewhere


def advice(files: Mapping[str, str]) -> Iterator[Mistake]:
    """What to look at in the bodies; `files` maps names from the folder's root to texts."""
    for file, text in files.items():
        if file.endswith(".lmx"):
            kind: EmailKind = "transactional" if file.startswith("transactional/") else "marketing"
            for found in lint(somewhere(text), kind=kind):
                yield Mistake(file, found.place.line, f"{found.rule}: {found.message}")
