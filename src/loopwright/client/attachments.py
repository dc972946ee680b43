"""Files to send along with a transactional email."""

from __future__ import annotations

import os
from base64 import b64encode
from pathlib import Path
from typing import Self

from loopwright.client.arguments import path_of_file, required
from loopwright.errors import ArgumentTypeError, ArgumentValueError, described
from loopwright.wire import transactional
from loopwright.wire.limits import TRANSACTIONAL_BYTES

ANY_TYPE = "application/octet-stream"


class Attachment(transactional.Attachment, frozen=True, kw_only=True):
    """A file to send along: its name, its media type and its content as base64 text.

    `from_path` and `from_bytes` do the encoding. A whole request stays below 4,000,000 bytes.
    """

    @classmethod
    def from_path(cls, path: str | os.PathLike[str], *, content_type: str | None = None) -> Self:
        """Read a file; its media type is guessed by its name unless given.

        Raises `OSError` for one that cannot be read, and `ArgumentError` for one too large to send.
        """
        with Path(path_of_file("path", path)).open("rb") as file:
            data = file.read(TRANSACTIONAL_BYTES)
        return cls.from_bytes(Path(path).name, data, content_type=content_type)

    @classmethod
    def from_bytes(
        cls, name: str, data: bytes | bytearray | memoryview, *, content_type: str | None = None
    ) -> Self:
        """Name some bytes as a file; the media type is guessed by the name unless given.

        Raises `ArgumentError` for what is no bytes or too large to send.
        """
        name = required("name", name)
        if isinstance(data, str):
            raise ArgumentTypeError("data is bytes, not str; give data.encode()")
        if not isinstance(data, (bytes, bytearray, memoryview)):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ArgumentTypeError(f"data is bytes, not {described(data)}")
        encoded = b64encode(data).decode()
        if len(encoded) >= TRANSACTIONAL_BYTES:
            raise ArgumentValueError(
                f"{name} is too large to attach: a whole request stays below {TRANSACTIONAL_BYTES:,} bytes, "
                "and base64 makes three bytes four"
            )
        kind = type_of_file(name) if content_type is None else required("content_type", content_type)
        return cls(filename=name, content_type=kind, data=encoded)


def type_of_file(name: str) -> str:
    """The media type by a file's name; of compressed and unknown ones only that they are bytes."""
    from mimetypes import guess_type  # reads the system's table, which takes a while

    kind, compression = guess_type(name)
    return ANY_TYPE if kind is None or compression else kind
