"""Images of emails: what their bytes say they are, and what they are called. Pure."""

import re
from hashlib import sha256

EXTENSIONS = {"image/jpeg": "jpg", "image/png": "png", "image/gif": "gif", "image/webp": "webp"}
BEGINNINGS = {
    "image/jpeg": re.compile(rb"\xff\xd8\xff"),
    "image/png": re.compile(rb"\x89PNG\r\n\x1a\n"),
    "image/gif": re.compile(rb"GIF8[79]a"),
    "image/webp": re.compile(rb"RIFF.{4}WEBP", re.DOTALL),
}


def type_of(data: bytes) -> str | None:
    """The type of an image, by how its bytes begin; None for what is none of those that emails may hold."""
    return next((name for name, beginning in BEGINNINGS.items() if beginning.match(data)), None)


def image_url(public_url: str, digest: bytes, content_type: str) -> str:
    """Where the server with that address has an image, by the SHA-256 of its bytes."""
    return f"{public_url}/images/{digest.hex()}.{EXTENSIONS[content_type]}"


def digest_of(data: bytes) -> bytes:
    """By what an image is known."""
    return sha256(data).digest()
