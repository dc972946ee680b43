"""`loopwright contacts export`: every contact of the team into a file. Loops' own API lists nobody."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer
from msgspec import Struct

from loopwright.cli.failure import CommandFailed, ExitCode
from loopwright.cli.importing.contact_files import Types, open_contact_file
from loopwright.cli.importing.files import Form, form_of
from loopwright.cli.importing.text import FileError
from loopwright.cli.options import Email, UserId
from loopwright.cli.paths import file_path
from loopwright.cli.person_export import export_person
from loopwright.cli.session import AsJson, client, say, show_json
from loopwright.client.config import DEFAULT_TIMEOUT, resolve_settings
from loopwright.errors import LoopsConnectionError, ServerError

if TYPE_CHECKING:
    import httpx2

ATTEMPTS = 6
"""So often in a row the connection may break, or the server be away, without anything new."""

LONGEST_PAUSE = 8.0
COUNT_HEADER = "loopwright-contacts"
LATER = {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.BAD_GATEWAY}


class Piece(Struct, frozen=True):
    """Contacts as they arrived, and how many are to come in all, these included, as far as is known."""

    contacts: Sequence[dict[str, Any]]
    total: int


class NoExport(Exception):
    """The server has no such operation."""


def export_contacts(
    file: Annotated[
        Path,
        typer.Argument(parser=file_path, metavar="FILE", help="CSV, JSON Lines or Parquet, by its name."),
    ],
    *,
    form: Annotated[
        Form | None, typer.Option("--format", help="What to write, when the file's name does not say.")
    ] = None,
    raw: Annotated[
        bool,
        typer.Option("--raw", help="Do not guard cells of CSV that spreadsheets would take for formulas."),
    ] = False,
    all_data: Annotated[
        bool, typer.Option("--all-data", help="Write all that is held about one person, as JSON.")
    ] = False,
    email: Email = None,
    user_id: UserId = None,
    as_json: AsJson = False,
) -> None:
    """Write every contact into a file that `contacts import` reads.

    With --all-data and --email or --user-id, write all that is held about one person instead: the contact,
    events, runs, emails, messages in the inbox and suppression.

    Needs a Loopwright server: Loops' own API has no way to list contacts; use Export on its Audience page.
    The file appears when it is whole, and only its owner may read it. Text in CSV that begins with = + - or @
    is guarded by an apostrophe, which an import takes away again.
    """
    identity = {key: value for key, value in (("email", email), ("userId", user_id)) if value is not None}
    if all_data != (len(identity) == 1):
        raise typer.BadParameter(
            "--all-data goes with one of --email and --user-id, and each of them with it"
        )
    if all_data:
        export_person(file, identity, as_json)
        return
    part = file.with_name(file.name + ".part")
    try:
        form = form or form_of(file)
        if raw and form != "csv":
            raise FileError(f"--raw is for CSV, and {file.name} is to be {form}")
        count = _write(part, form, raw=raw)
        part.replace(file)
    except FileError as error:
        raise typer.BadParameter(str(error)) from None
    except NoExport as error:
        raise CommandFailed(str(error), ExitCode.REFUSED) from None
    finally:
        part.unlink(missing_ok=True)
    if as_json:
        show_json(msgspec.json.encode({"contacts": count, "file": str(file)}))
    else:
        say(f"Wrote {count} contacts to {file}.")


def _write(path: Path, form: Form, *, raw: bool) -> int:
    """Write all contacts; how many they were."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    count = 0
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    console = Console(stderr=True)
    bar = Progress(*columns, console=console, transient=True, disable=not console.is_terminal)
    with client() as loops, bar:
        custom: Types = {one.key: one.type for one in loops.contact_properties.list("custom")}
        writer = open_contact_file(path, form, custom, raw=raw)
        try:
            line = bar.add_task("exporting", total=None)
            for piece in _pieces():
                writer.add(piece.contacts)
                count += len(piece.contacts)
                bar.update(line, completed=count, total=piece.total)
        finally:
            writer.close()
    return count


def _pieces() -> Iterator[Piece]:
    """All contacts, going on after the last that came when the connection breaks.

    Raises `NoExport`, and the client's errors when the server stays away.
    """
    import httpx2

    settings = resolve_settings(None, None, DEFAULT_TIMEOUT, 0, None, pacing=False)
    url = settings.root.removesuffix("/api") + "/loopwright/v1/contacts"
    after, seen, failures = "", 0, 0
    with httpx2.Client(headers=dict(settings.headers), timeout=DEFAULT_TIMEOUT) as http:
        while True:
            try:
                with http.stream("GET", url, params={"after": after}) as response:
                    _check(response)
                    total = seen + int(response.headers.get(COUNT_HEADER, 0))
                    for contacts in _contacts(response):
                        after, seen, failures = str(contacts[-1]["id"]), seen + len(contacts), 0
                        yield Piece(contacts, max(total, seen))
                return
            except (httpx2.TransportError, ServerError) as error:
                failures += 1
                if failures == ATTEMPTS:
                    raise LoopsConnectionError(f"the export broke off: {error}", attempts=failures) from error
                time.sleep(min(2.0**failures / 4, LONGEST_PAUSE))


def _check(response: httpx2.Response) -> None:
    if response.status_code in LATER:
        raise ServerError(f"answered {response.status_code}", status=response.status_code)
    if response.status_code != HTTPStatus.OK or "ndjson" not in response.headers.get("content-type", ""):
        raise NoExport(
            f"{response.url.copy_with(query=None)} answered {response.status_code}. Exporting needs a "
            "Loopwright server (LOOPS_BASE_URL); Loops' own API has no way to list contacts: "
            "use Export on its Audience page."
        )


def _contacts(response: httpx2.Response) -> Iterator[list[dict[str, Any]]]:
    """The whole lines that came, as they come."""
    decode = msgspec.json.Decoder(dict[str, Any]).decode
    rest = b""
    for piece in response.iter_bytes():
        *lines, rest = (rest + piece).split(b"\n")
        if lines:
            yield [decode(line) for line in lines]
