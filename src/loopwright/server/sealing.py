"""Sealing: what has to stay secret is encrypted in the database, so that a copy of it gives nothing away.

One key seals everything in a database. It is a file in the data folder of the embedded PostgreSQL. Beside a
database of the operator's it is a setting, which every server and worker has to have.
"""

import os
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from datetime import datetime
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from loopwright.server.refusal import BadRequest
from loopwright.server.store.database import Connection
from loopwright.server.store.sealing import insert_check_value, load_check_value, lock_sealing

KEY_BYTES = 32
NONCE_BYTES = 12
_CHECK = "check"
_CHECKED = b"loopwright"


class SealingFailure(Exception):
    """The sealing key is missing or wrong; the text is a sentence for the operator and shows no key."""


class CannotUnseal(Exception):
    """This was sealed with another key, for another purpose, or has been changed."""


class SealingKey:
    """Seals and unseals secrets, each for a purpose: one that is moved elsewhere does not open there."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, secret: bytes, purpose: str) -> bytes:
        """Encrypt a secret."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, purpose.encode())

    def unseal(self, sealed: bytes, purpose: str) -> bytes:
        """The secret again. Raises `CannotUnseal`."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], purpose.encode())
        except (InvalidTag, ValueError):
            raise CannotUnseal from None


def new_sealing_key() -> str:
    """A new key, as it is written in settings and files."""
    return b64encode(os.urandom(KEY_BYTES)).decode()


def read_sealing_key(text: str) -> SealingKey:
    """The key that a setting gives: 32 bytes in base64, or the name of a file that holds them so.

    Raises `SealingFailure`.
    """
    key = _decoded(text)
    if key is not None:
        return SealingKey(key)
    file = Path(text.strip())
    # What may be a key with a mistake in it is not shown.
    if len(text) > 200 or "\n" in text or not file.is_file():
        raise SealingFailure(
            "The sealing key is neither 32 bytes in base64 nor a file that holds them; "
            "make one with: loopwright sealing new"
        )
    return read_sealing_file(file)


def read_sealing_file(file: Path) -> SealingKey:
    """The key in a file. Raises `SealingFailure`."""
    try:
        key = _decoded(file.read_bytes().decode("ascii", errors="replace"))
    except OSError as problem:
        raise SealingFailure(f"The sealing key in {file} cannot be read: {problem.strerror}") from None
    if key is None:
        raise SealingFailure(
            f"{file} holds no sealing key, which is 32 bytes in base64; put the one of this database there"
        )
    return SealingKey(key)


def _decoded(text: str) -> bytes | None:
    try:
        key = b64decode("".join(text.split()), validate=True)
    except (NotBase64, ValueError):
        return None
    return key if len(key) == KEY_BYTES else None


async def open_sealing(
    tx: Connection, given: str | None, file: Path | None, *, now: datetime
) -> SealingKey | None:
    """The key of the database: the one that is `given`, or the one in `file`, made when there is none.

    None while nothing is sealed and neither is there. Raises `SealingFailure` for a key that is not the one
    which the database's secrets are sealed with. To be called in a transaction.
    """
    await lock_sealing(tx)
    check_value = await load_check_value(tx)
    key = _find(given, file)
    if check_value is None:
        if key is None and file is not None:
            key = _make(file)
        if key is not None:
            await insert_check_value(tx, key.seal(_CHECKED, _CHECK), now=now)
        return key
    if key is None:
        raise SealingFailure(f"{_missing(file)} {_REMEDY}")
    try:
        key.unseal(check_value, _CHECK)
    except CannotUnseal:
        where = f"in {file}" if given is None else "that was given (--sealing-key)"
        raise SealingFailure(
            f"The sealing key {where} is not the one that this database's secrets are sealed with. {_REMEDY}"
        ) from None
    return key


_REMEDY = (
    "Give the right one: in --sealing-key or LOOPWRIGHT_SEALING_KEY, or as the file sealing.key of the data "
    "folder. If it is lost, `loopwright sealing reset` takes away what it has sealed, the DKIM keys"
)


def _missing(file: Path | None) -> str:
    where = f", and there is no {file}" if file else ""
    return f"This database's secrets are sealed with a key that was not given{where}."


def _find(given: str | None, file: Path | None) -> SealingKey | None:
    if given is not None:
        return read_sealing_key(given)
    if file is not None and file.exists():
        return read_sealing_file(file)
    return None


def _make(file: Path) -> SealingKey:
    """Write a new key for its owner alone."""
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as out:
            out.write(new_sealing_key() + "\n")
            out.flush()
            os.fsync(descriptor)
    except OSError as problem:
        raise SealingFailure(f"The sealing key {file} cannot be written: {problem.strerror}") from None
    return read_sealing_file(file)


def needed(sealing: SealingKey | None) -> SealingKey:
    """The key that secrets are sealed with. Raises `BadRequest` where the server has none."""
    if sealing is None:
        raise BadRequest(
            "The server has no sealing key, and keeps no secret without one; start it with --sealing-key, "
            "which `loopwright sealing new` makes.",
            code="sealing_key_missing",
        )
    return sealing
