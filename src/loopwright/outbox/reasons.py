"""What the log says of events that do not get through. Pure."""

import re

UNAUTHORIZED = 401
ADDRESS = re.compile(r"[^\s@<>\"'(),:;]+@[^\s@<>\"'(),:;]+")


def told(status: int | None, reason: str) -> str:
    """A status, if there was an answer, and the reason; people's addresses are left out of it."""
    words = ADDRESS.sub("(an address)", reason) or "no reason given"
    return words if status is None else f"{status}, {words}"


def outage(status: int | None) -> str:
    """What is the matter when nothing gets through: the last answer's `status`, None when there was none."""
    if status is None:
        return "nothing gets through"
    if status == UNAUTHORIZED:
        return "the API refuses the API key"
    if status == 429:
        return "the API takes no more for now"
    return "the API is unwell" if status >= 500 else "something else answers in place of the API"
