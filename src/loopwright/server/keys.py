"""API keys: made here, shown once, stored as a hash."""

from hashlib import sha256
from secrets import token_hex


def new_key() -> str:
    """A key as Loops makes them: 32 hex digits."""
    return token_hex(16)


def hash_key(key: str) -> bytes:
    """What is stored of a key. Keys are long and random, so a plain SHA-256 is enough."""
    return sha256(key.encode()).digest()
