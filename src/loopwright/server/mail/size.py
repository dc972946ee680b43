"""How large the HTML of an email may be: Gmail hides what comes after 102 KB, the unsubscribe link first."""

WARNED_FROM = 100_000
"""Bytes of UTF-8."""


def size_warning(size: int) -> str | None:
    """What to say about HTML of that many bytes; None while it is shown whole."""
    if size < WARNED_FROM:
        return None
    return (
        f"its HTML has {size:,} bytes, and Gmail hides what comes after 102 KB, "
        f"the unsubscribe link first; keep it below {WARNED_FROM:,}"
    )
