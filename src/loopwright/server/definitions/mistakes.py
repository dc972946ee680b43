"""What is wrong in a definition file, and where."""

from collections.abc import Iterable
from difflib import get_close_matches

from msgspec import Struct


class Mistake(Struct, frozen=True, order=True):
    """Something wrong at a line (from 1) of a file, named from the folder's root with forward slashes."""

    file: str
    line: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.message}"


class InvalidDefinitions(ValueError):
    """The definition files have mistakes, so nothing was changed; `mistakes` holds all of them."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = sorted(set(mistakes))
        super().__init__("\n".join(map(str, self.mistakes)))


def meant(word: str, known: Iterable[str]) -> str:
    """Words to end a message with: the known word that `word` looks like, or all of them."""
    known = sorted(known)
    folded = {candidate.lower(): candidate for candidate in known}
    close = get_close_matches(word.lower(), folded, n=1, cutoff=0.6)
    if close:
        return f"did you mean {folded[close[0]]}?"
    return f"known here: {', '.join(known)}" if known else "nothing is known here"
