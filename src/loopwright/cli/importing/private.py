"""Files about people are nobody else's to read."""

import os


def private(path: str, flags: int) -> int:
    """An `opener` for `open`: a file that it makes is for its owner alone (0600)."""
    return os.open(path, flags, 0o600)
