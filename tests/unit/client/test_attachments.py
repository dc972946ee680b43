"""Attachments from files and bytes."""

from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from loopwright import Attachment
from loopwright.errors import ArgumentError, ArgumentTypeError, ArgumentValueError


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("invoice.pdf", "application/pdf"),
        ("Invoice 2024.PDF", "application/pdf"),
        ("notes.txt", "text/plain"),
        ("logo.png", "image/png"),
        ("data.tar.gz", "application/octet-stream"),
        ("no-ending", "application/octet-stream"),
    ],
)
def test_the_media_type_is_guessed(tmp_path: Path, name: str, content_type: str) -> None:
    """By the name, from a file and from bytes alike."""
    path = tmp_path / name
    path.write_bytes(b"\x00content\xff")
    for file in (
        Attachment.from_path(path),
        Attachment.from_path(str(path)),
        Attachment.from_bytes(name, b"\x00content\xff"),
    ):
        assert (file.filename, file.content_type) == (name, content_type)
        assert b64decode(file.data) == b"\x00content\xff"
    assert Attachment.from_path(path, content_type="text/x-own").content_type == "text/x-own"
    assert Attachment.from_bytes(name, b"", content_type="text/x-own").content_type == "text/x-own"


def test_all_kinds_of_bytes_are_taken() -> None:
    """A buffer that somebody wrote into, too."""
    for data in (b"abc", bytearray(b"abc"), memoryview(b"abc")):
        assert Attachment.from_bytes("a.txt", data).data == "YWJj"


@pytest.mark.parametrize(
    ("name", "data", "says"),
    [
        ("a.txt", "text", r"data is bytes, not str; give data\.encode\(\)"),
        ("a.txt", None, "data is bytes, not None"),
        ("a.txt", 5, "data is bytes, not int"),
        (None, b"", "name is text, not None"),
        (Path("a.txt"), b"", "name is text, not PosixPath"),
        ("", b"", "name is empty"),
    ],
)
def test_what_is_no_file(name: Any, data: Any, says: str) -> None:
    """One sentence, and an error of ours."""
    with pytest.raises(ArgumentError, match=f"^{says}"):
        Attachment.from_bytes(name, data)


def test_what_cannot_be_read(tmp_path: Path) -> None:
    """Python's own errors name the file."""
    with pytest.raises(FileNotFoundError, match="missing"):
        Attachment.from_path(tmp_path / "missing.pdf")
    with pytest.raises(IsADirectoryError):
        Attachment.from_path(tmp_path)
    number: Any = 0
    with pytest.raises(ArgumentTypeError, match="path is the path of a file, not int"):
        Attachment.from_path(number)


def test_what_no_request_can_carry(tmp_path: Path) -> None:
    """Four million bytes, after base64 has made them a third longer."""
    assert Attachment.from_bytes("a.bin", bytes(2_999_000)).data
    path = tmp_path / "large.bin"
    path.write_bytes(bytes(3_000_000))
    with pytest.raises(ArgumentValueError, match=r"large\.bin is too large to attach"):
        Attachment.from_path(path)
