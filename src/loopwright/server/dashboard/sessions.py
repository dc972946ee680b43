"""The session cookie: a random token. The server keeps its hash, and forgets it at the sign-out."""

from datetime import timedelta
from hashlib import sha256
from secrets import token_urlsafe

LIFETIME = timedelta(days=30)


def new_token() -> str:
    """A token that nobody can guess, as a cookie may hold it."""
    return token_urlsafe(32)


def hash_token(token: str) -> bytes:
    """What is stored of a token, and looked up of a cookie."""
    return sha256(token.encode()).digest()
