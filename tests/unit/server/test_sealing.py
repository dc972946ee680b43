"""Sealing: only the right key opens, for the same purpose, what nobody has changed."""

from pathlib import Path

import pytest

from loopwright.server.sealing import (
    CannotUnseal,
    SealingFailure,
    SealingKey,
    new_sealing_key,
    read_sealing_key,
)


def test_there_and_back() -> None:
    """The secret comes back, is nowhere in what is stored, and is never sealed alike twice."""
    key = SealingKey(bytes(32))
    sealed = key.seal(b"a secret", "dkim")
    assert key.unseal(sealed, "dkim") == b"a secret"
    assert b"secret" not in sealed
    assert sealed != key.seal(b"a secret", "dkim")


@pytest.mark.parametrize("cut", [slice(0, -1), slice(1, None), slice(0, 5), slice(0, 0)])
def test_what_does_not_open(cut: slice) -> None:
    """Another key, another purpose, another letter, or less of it."""
    key = SealingKey(bytes(32))
    sealed = key.seal(b"a secret", "dkim")
    with pytest.raises(CannotUnseal):
        SealingKey(bytes(31) + b"1").unseal(sealed, "dkim")
    with pytest.raises(CannotUnseal):
        key.unseal(sealed, "dkin")
    with pytest.raises(CannotUnseal):
        key.unseal(sealed[:-1] + bytes([sealed[-1] ^ 1]), "dkim")
    with pytest.raises(CannotUnseal):
        key.unseal(sealed[cut], "dkim")


def test_a_key_as_it_is_given(tmp_path: Path) -> None:
    """As text, or in a file, with blanks around it."""
    text = new_sealing_key()
    file = tmp_path / "sealing key"
    file.write_text(f"  {text}\n\n")
    sealed = read_sealing_key(text).seal(b"a secret", "dkim")
    assert read_sealing_key(f" {text}\n").unseal(sealed, "dkim") == b"a secret"
    assert read_sealing_key(str(file)).unseal(sealed, "dkim") == b"a secret"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("c2hvcnQ=", id="short"),
        pytest.param(new_sealing_key()[:-3], id="cut off"),
        pytest.param(new_sealing_key() * 2, id="twice"),
        pytest.param("s3cret" * 100, id="long"),
        pytest.param("s3cret\nmore", id="two lines"),
        pytest.param("s3cret-nowhere", id="no such file"),
    ],
)
def test_what_is_no_key(text: str) -> None:
    """The sentence says how to make one, and does not show what may be nearly the key."""
    with pytest.raises(SealingFailure, match="loopwright sealing new") as failure:
        read_sealing_key(text)
    assert not text or text not in str(failure.value)


def test_a_file_that_holds_none(tmp_path: Path) -> None:
    """It is named, its contents are not."""
    file = tmp_path / "sealing.key"
    file.write_bytes(b"s3cret\xff")
    with pytest.raises(SealingFailure, match=r"sealing\.key holds no sealing key") as failure:
        read_sealing_key(str(file))
    assert "s3cret" not in str(failure.value)
