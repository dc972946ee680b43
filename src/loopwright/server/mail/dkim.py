"""DKIM signatures (RFC 6376, RFC 8463), relaxed/relaxed: bytes in, the same bytes below their signatures out.

Every header that is signed is named once more than it occurs: whoever adds another one breaks the signature.
"""

import re
from base64 import b64decode, b64encode
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Literal, TypeAlias

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
)
from msgspec import Struct

Algorithm: TypeAlias = Literal["rsa", "ed25519"]
PrivateKey: TypeAlias = RSAPrivateKey | Ed25519PrivateKey

RSA_BITS = 2048
SIGNED = (
    "From",
    "To",
    "Subject",
    "Date",
    "Message-ID",
    "Reply-To",
    "Cc",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
    "List-Unsubscribe",
    "List-Unsubscribe-Post",
    "Feedback-ID",
)
"""The headers that are signed, whether or not a message has them."""
_SIGNED_LOWER = [(name, name.lower().encode()) for name in SIGNED]

_BLANKS = re.compile(rb"  +")
_FOLD = re.compile(rb"\r\n(?=[ \t])")
_LINE_LENGTH = 76


class SigningKey(Struct, frozen=True, kw_only=True):
    """A private key, parsed, and where its public half is published: `selector` below `domain`."""

    domain: str
    selector: str
    private: PrivateKey


def sign(data: bytes, keys: Sequence[SigningKey]) -> bytes:
    """The message with a signature by each of `keys` above it; without any, as it is.

    `data` is a whole message whose lines end with CRLF, as `compose` writes it.
    """
    if not keys:
        return data
    head, body = _divide(data)
    names, signed = _signed_headers(head)
    body_hash = b64encode(sha256(_relaxed_body(body)).digest()).decode()
    return b"".join([*(_signature(key, names, signed, body_hash) for key in keys), data])


def new_private_key(algorithm: Algorithm) -> bytes:
    """A new private key, as DER."""
    key = generate_private_key(65537, RSA_BITS) if algorithm == "rsa" else Ed25519PrivateKey.generate()
    return key.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())


def read_private_key(der: bytes) -> PrivateKey:
    """The key that `new_private_key` made."""
    key = load_der_private_key(der, password=None)
    assert isinstance(key, RSAPrivateKey | Ed25519PrivateKey), "no other kind is made"
    return key


def public_record(key: PrivateKey) -> str:
    """What is published of a key, as the text of its TXT record."""
    if isinstance(key, RSAPrivateKey):
        public = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return f"v=DKIM1; k=rsa; p={b64encode(public).decode()}"
    raw = key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
    return f"v=DKIM1; k=ed25519; p={b64encode(raw).decode()}"


def publishes(record: str, key: str) -> bool:
    """Whether a TXT record that was found says the same key as `key`, ours, for email that we sign."""
    found, wanted = tags_of(record), tags_of(key)
    try:
        same = b64decode(found.get("p", "")) == b64decode(wanted["p"])
    except ValueError:
        return False
    is_ours = found.get("k", "rsa") == wanted["k"] and found.get("v", "DKIM1") == "DKIM1"
    hashes, services = found.get("h", "sha256").split(":"), found.get("s", "*").split(":")
    return same and is_ours and "sha256" in hashes and not {"*", "email"}.isdisjoint(services)


def tags_of(record: str) -> dict[str, str]:
    """The tags of a DKIM or DMARC record, in their order, and their values without blanks."""
    pairs = (pair.partition("=") for pair in record.split(";") if "=" in pair)
    return {name.strip(): "".join(value.split()) for name, _, value in pairs}


def _signature(key: SigningKey, names: tuple[str, ...], signed: bytes, body_hash: str) -> bytes:
    algorithm = "rsa" if isinstance(key.private, RSAPrivateKey) else "ed25519"
    unsigned = (
        f"DKIM-Signature: v=1; a={algorithm}-sha256; c=relaxed/relaxed;\r\n"
        f" d={key.domain};\r\n"
        f" s={key.selector};\r\n"
        f" h={_folded(names)};\r\n"
        f" bh={body_hash};\r\n"
        f" b="
    ).encode()
    name, _, value = unsigned.partition(b":")
    told = signed + _relaxed_header(name, value)
    if isinstance(key.private, RSAPrivateKey):
        signature = key.private.sign(told, PKCS1v15(), SHA256())
    else:
        signature = key.private.sign(sha256(told).digest())
    text = b64encode(signature)
    lines = [text[start : start + _LINE_LENGTH - 4] for start in range(0, len(text), _LINE_LENGTH - 4)]
    return unsigned + b"\r\n ".join(lines) + b"\r\n"


def _divide(data: bytes) -> tuple[bytes, bytes]:
    """A message's headers, each with its line's end, and its body."""
    head, blank, body = data.partition(b"\r\n\r\n")
    return (head + b"\r\n" if blank else head), body


def _signed_headers(head: bytes) -> tuple[tuple[str, ...], bytes]:
    """The names to sign, each as often as it occurs and once more, and the headers that they stand for."""
    found: dict[bytes, list[bytes]] = {}
    for line in _one_blank(_FOLD.sub(b"", head)).split(b"\r\n"):
        told, _, value = line.partition(b":")
        lower = told.rstrip(b" ").lower()
        found.setdefault(lower, []).append(lower + b":" + value.strip(b" "))
    names: list[str] = []
    lines: list[bytes] = []
    for name, lower in _SIGNED_LOWER:
        names.append(name)
        # Of several of one name the lowest is signed first (RFC 6376, 5.4.2).
        for line in reversed(found.get(lower, ())):
            names.append(name)
            lines += (line, b"\r\n")
    return tuple(names), b"".join(lines)


def _relaxed_header(name: bytes, value: bytes) -> bytes:
    """A header without the end of its line (RFC 6376, 3.4.2)."""
    unfolded = value.replace(b"\r\n", b"")
    return name.lower() + b":" + _one_blank(unfolded).strip(b" ")


def _relaxed_body(body: bytes) -> bytes:
    """A body as it is hashed (RFC 6376, 3.4.4)."""
    relaxed = _one_blank(body).replace(b" \r\n", b"\r\n")
    if not relaxed.endswith(b"\r\n"):
        relaxed = relaxed.removesuffix(b" ") + b"\r\n"
    end = len(relaxed)
    while relaxed[max(0, end - 4) : end] == b"\r\n\r\n":
        end -= 2
    return b"" if relaxed[:end] == b"\r\n" else relaxed[:end]


def _one_blank(text: bytes) -> bytes:
    """Every run of blanks and tabs as one blank. A pattern that begins with two is quick: few places do."""
    return _BLANKS.sub(b" ", text.replace(b"\t", b" "))


@lru_cache(64)
def _folded(names: tuple[str, ...]) -> str:
    """Names between colons, on lines that are not too long. Emails of few shapes have the same ones."""
    lines = [""]
    for name in names:
        if len(lines[-1]) + len(name) > _LINE_LENGTH - 6:
            lines.append("")
        lines[-1] += f"{name}:"
    return "\r\n  ".join(lines).removesuffix(":")
