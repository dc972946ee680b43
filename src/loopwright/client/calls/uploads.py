"""Images on their way to the API."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec import Struct

from loopwright.client.arguments import count, path_of_file, text
from loopwright.client.call import Call, CallOptions
from loopwright.errors import ArgumentValueError
from loopwright.wire.answers import Answer
from loopwright.wire.limits import IMAGE_BYTES, IMAGE_TYPES
from loopwright.wire.operations import Operation

PUT_FILE = Operation("putFile", "PUT", "(presigned URL)", "always")
"""The second step of an upload: not the API's, and so without its key."""


class Image(Struct, frozen=True):
    content_type: str
    content: bytes


class Stored(Answer, frozen=True, kw_only=True):
    """The bytes are where they belong."""


def read_image(path: str | os.PathLike[str]) -> Image:
    """Read an image and tell its type. Raises `ArgumentError` for one the API would refuse, `OSError`."""
    with Path(path_of_file("path", path)).open("rb") as file:
        content = file.read(IMAGE_BYTES + 1)
    content_type = type_of_image(content)
    if content_type is None:
        raise ArgumentValueError(f"{os.fspath(path)} is no JPEG, PNG, GIF or WebP image")
    check_image(content_type, len(content))
    return Image(content_type, content)


def type_of_image(content: bytes) -> str | None:
    """The media type by the first bytes, which file names are no proof of."""
    if content.startswith(b"\xff\xd8\xff"):
        return "image/jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "image/png"
    if content.startswith((b"GIF87a", b"GIF89a")):
        return "image/gif"
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    return None


def upload_body(content_type: str, content_length: int) -> dict[str, object]:
    """Raises `ArgumentError` for what the API would refuse."""
    content_type = text("content_type", content_type)
    content_length = count("content_length", content_length, least=1)
    check_image(content_type, content_length)
    return {"contentType": content_type, "contentLength": content_length}


def check_image(content_type: str, content_length: int) -> None:
    if content_type not in IMAGE_TYPES:
        raise ArgumentValueError(f"content_type is one of {', '.join(IMAGE_TYPES)}, not {content_type!r}")
    if not 0 < content_length <= IMAGE_BYTES:
        raise ArgumentValueError(f"an image has 1 to {IMAGE_BYTES:,} bytes")


def put_call(url: str, image: Image, options: CallOptions) -> Call[Stored]:
    """Put an image to the address the API gave for it."""
    return Call(
        PUT_FILE, url, _stored, options, image.content, content_type=image.content_type, elsewhere=True
    )


def _stored(body: bytes) -> Stored:
    return Stored()
