"""Whom to trust: authorities in files that somebody named, looked at before they are needed."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from loopwright.errors import ConfigurationError

if TYPE_CHECKING:
    from loopwright.client.transport import Verify

HASHED = re.compile(r"[0-9a-f]{8}\.[0-9]+")


class Authorities(Struct, frozen=True, kw_only=True):
    """Certificates of authorities: in a `file`, or in `folders` joined as OpenSSL takes them. `files` are all
    that may hold some.
    """

    file: str | None = None
    folders: str | None = None
    files: list[Path]


def named_authorities(url: str, verify: Verify, environment: Mapping[str, str]) -> Authorities | None:
    """Those that `verify` names, else for https those of `SSL_CERT_FILE` or `SSL_CERT_DIR`, if any does.

    Raises `ConfigurationError` for a path without certificates, and for a `verify` that says nothing.
    """
    if isinstance(verify, str | os.PathLike):
        path = os.fspath(verify)
        return _in_folder(path, "verify") if os.path.isdir(path) else _in_file(path, "verify")
    if not isinstance(verify, bool) and not _is_context(verify):
        raise ConfigurationError(
            f"verify is True, False, the path of a PEM file or folder, or an ssl.SSLContext, not {verify!r}"
        )
    if verify is True and url.startswith("https:"):
        if file := environment.get("SSL_CERT_FILE"):
            return _in_file(file, "SSL_CERT_FILE")
        if folders := environment.get("SSL_CERT_DIR"):
            return _in_folder(folders, "SSL_CERT_DIR")
    return None


def _in_file(path: str, source: str) -> Authorities:
    try:
        _load(Path(path))
    except (OSError, ValueError) as error:
        reason = (isinstance(error, OSError) and error.strerror) or error
        raise ConfigurationError(
            f"{source} names {path!r}, which is no file of certificates in PEM form: {reason}"
        ) from error
    return Authorities(file=path, files=[Path(path)])


def _in_folder(path: str, source: str) -> Authorities:
    """OpenSSL finds certificates in folders by the hashes that are their names."""
    folders = [Path(one) for one in path.split(os.pathsep) if one]
    files = [file for one in folders if one.is_dir() for file in one.iterdir() if HASHED.fullmatch(file.name)]
    if not any(_is_sound(file) for file in files):
        raise ConfigurationError(
            f"{source} names {path!r}, which is no folder with certificates under their hashes, "
            "as `openssl rehash` makes it"
        )
    return Authorities(folders=path, files=files)


def _is_sound(file: Path) -> bool:
    try:
        _load(file)
    except OSError:
        return False
    return True


def _load(file: Path) -> None:
    """Raises `OSError`, of which OpenSSL's errors are, for a file without certificates."""
    import ssl

    ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cafile=file)


def _is_context(verify: object) -> bool:
    import ssl

    return isinstance(verify, ssl.SSLContext)
