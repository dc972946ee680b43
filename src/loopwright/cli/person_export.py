"""`loopwright contacts export --all-data`: all that a server holds about one person, as one JSON file."""

from __future__ import annotations

import os
from http import HTTPStatus
from pathlib import Path

import msgspec

from loopwright.cli.session import AsJson, client, say, show_json
from loopwright.client.config import DEFAULT_TIMEOUT, resolve_settings
from loopwright.errors import LoopsConnectionError, error_class

NO_SERVER = "this needs a Loopwright server (LOOPS_BASE_URL); Loops' own API has no such operation"


def export_person(file: Path, identity: dict[str, str], as_json: AsJson) -> None:
    """Write the file, for its owner alone, once all of it has come. `identity` is an email or a user id."""
    part = file.with_name(file.name + ".part")
    try:
        with client():
            _write(part, identity)
        sections = msgspec.json.decode(part.read_bytes(), type=dict[str, list[msgspec.Raw]])
        part.replace(file)
    finally:
        part.unlink(missing_ok=True)
    counts = {section: len(rows) for section, rows in sections.items()}
    if as_json:
        show_json(msgspec.json.encode({"file": str(file), **counts}))
    else:
        held = ", ".join(f"{section} {count}" for section, count in counts.items() if count)
        say(f"Wrote all that is held to {file}: {held}.")


def _write(part: Path, identity: dict[str, str]) -> None:
    import httpx2

    settings = resolve_settings(None, None, DEFAULT_TIMEOUT, 0, None, pacing=False)
    url = settings.root.removesuffix("/api") + "/loopwright/v1/contacts/data"
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with (
            os.fdopen(descriptor, "wb") as out,
            httpx2.Client(headers=dict(settings.headers), timeout=DEFAULT_TIMEOUT) as http,
            http.stream("GET", url, params=identity) as response,
        ):
            if response.status_code != HTTPStatus.OK:
                raise error_class(response.status_code)(
                    _message(response.read()), status=response.status_code
                )
            for chunk in response.iter_bytes():
                out.write(chunk)
    except httpx2.TransportError as problem:
        raise LoopsConnectionError(f"the export broke off: {problem}", attempts=1) from problem


def _message(body: bytes) -> str:
    """What the server says; one that is not ours says nothing about a person."""
    try:
        return msgspec.json.decode(body, type=_Refusal).message
    except msgspec.MsgspecError:
        return NO_SERVER


class _Refusal(msgspec.Struct):
    message: str
