"""API keys: made here and shown once, or chosen by the operator; stored as a hash."""

import re
from hashlib import sha256
from secrets import token_hex

LEAST_FIXED = 16
MOST_FIXED = 200
# What RFC 6750 lets stand behind `Bearer`.
_FIXED = re.compile(r"[A-Za-z0-9\-._~+/]+=*")


def new_key() -> str:
    """A key as Loops makes them: 32 hex digits."""
    return token_hex(16)


def read_fixed_key(text: str) -> str:
    """A key that the operator chose. Raises `ValueError` with a sentence that says what to choose."""
    key = text.strip()
    if len(key) < LEAST_FIXED:
        raise ValueError(
            f"a key of {len(key)} characters can be guessed; "
            f"take at least {LEAST_FIXED}, such as those of `openssl rand -hex 16`"
        )
    if len(key) > MOST_FIXED or not _FIXED.fullmatch(key):
        raise ValueError(f"a key is at most {MOST_FIXED} letters, digits and - _ . ~ + / =, without blanks")
    return key


def is_demo(key: str) -> bool:
    """Whether a key says of itself that it is for demonstrations."""
    return key.lower().startswith("demo")


def hash_key(key: str) -> bytes:
    """What is stored of a key. Keys are long and random, so a plain SHA-256 is enough."""
    return sha256(key.encode()).digest()
