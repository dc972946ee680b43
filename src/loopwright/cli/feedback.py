"""`loopwright feedback`: doors for what comes back, what was not understood, whom marketing leaves out."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
import typer

from loopwright.cli.own import ask_own
from loopwright.cli.session import AsJson, client, say, show_json, show_table
from loopwright.wire.operations import Operation

_ROOT = "/loopwright/v1/feedback"
_DOORS = Operation("listFeedbackDoors", "GET", f"{_ROOT}/doors", "always")
_ADD = Operation("createFeedbackDoor", "POST", f"{_ROOT}/doors")
_REMOVE = Operation("deleteFeedbackDoor", "DELETE", f"{_ROOT}/doors/{{doorId}}")
_UNKNOWN = Operation("listFeedbackUnknown", "GET", f"{_ROOT}/unknown", "always")
_CLEAR = Operation("clearFeedbackUnknown", "DELETE", f"{_ROOT}/unknown")
_STOPPED = Operation("listStoppedAddresses", "GET", f"{_ROOT}/stopped", "always")
_BRAKES = Operation("listBrakes", "GET", "/loopwright/v1/brakes", "always")
_RELEASE = Operation("releaseAddress", "DELETE", f"{_ROOT}/stopped")

app = typer.Typer(no_args_is_help=True, help="What comes back: bounces and complaints, and their doors.")


@app.command()
def doors(*, as_json: AsJson = False) -> None:
    """List the doors, oldest first."""
    body = _ask(_DOORS)
    if as_json:
        show_json(body)
        return
    rows = [
        (
            one["id"],
            one["provider"],
            one["lastAt"] or "nothing has come yet",
            one["lastProblem"] or "no problems",
        )
        for one in msgspec.json.decode(body)
    ]
    show_table(("id", "provider", "told last", "state"), rows)


@app.command()
def add(
    provider: Annotated[
        str, typer.Argument(help="ses, postmark, mailgun, sendgrid, resend, or imap for a mailbox.")
    ],
    *,
    key: Annotated[
        str | None,
        typer.Option(
            envvar="LOOPWRIGHT_FEEDBACK_KEY",
            help="What it signs with: Mailgun's signing key, SendGrid's verification key, Resend's secret.",
        ),
    ] = None,
    topics: Annotated[
        list[str] | None,
        typer.Option("--topic", help="A topic of SNS, for ses; may be given more than once."),
    ] = None,
    username: Annotated[str | None, typer.Option(help="The user, for postmark and imap.")] = None,
    password: Annotated[
        str | None,
        typer.Option(
            envvar="LOOPWRIGHT_FEEDBACK_PASSWORD", help="The password, for postmark and imap; else asked for."
        ),
    ] = None,
    host: Annotated[str | None, typer.Option(help="The mailbox's server, which is reached by TLS.")] = None,
    port: Annotated[int | None, typer.Option(help="Its port, 993 unless given.")] = None,
    folder: Annotated[str | None, typer.Option(help="Its folder, INBOX unless given.")] = None,
    tells_delivered: Annotated[
        bool,
        typer.Option(
            "--tells-delivered", help="Emails are delivered when it says so, not when the relay takes them."
        ),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Add a door, and print the address to give to the provider, only now."""
    if provider in ("postmark", "imap") and password is None:
        password = typer.prompt("Password", hide_input=True, err=True)
    body = {
        "provider": provider,
        "key": key,
        "topics": topics,
        "username": username,
        "password": password,
        "host": host,
        "port": port,
        "folder": folder,
        "tellsDelivered": tells_delivered,
    }
    answer = _ask(_ADD, body={name: value for name, value in body.items() if value is not None})
    if as_json:
        show_json(answer)
        return
    door = msgspec.json.decode(answer)
    say(f"{door['id']}  {door['provider']}")
    if "url" in door:
        say(f"Address (shown only now): {door['url']}")


@app.command()
def remove(
    door_id: Annotated[str, typer.Argument(metavar="ID", help="The door's id, as `doors` shows it.")],
    *,
    as_json: AsJson = False,
) -> None:
    """Remove a door."""
    body = _ask(_REMOVE, door_id)
    show_json(body) if as_json else say(f"{door_id} is gone")


@app.command()
def unknown(
    *,
    cursor: Annotated[str | None, typer.Option(help="The page after the one that named this cursor.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what came back and was not understood, or not applied, and why; newest first."""
    body = _ask(_UNKNOWN, cursor=cursor)
    if as_json:
        show_json(body)
        return
    page = msgspec.json.decode(body)
    show_table(
        ("came", "door", "reason"),
        [(one["receivedAt"], one["door"], one["reason"]) for one in page["data"]],
    )
    if page["pagination"]["nextCursor"]:
        say(f"--cursor {page['pagination']['nextCursor']} lists older ones; --json shows how each began")


@app.command()
def clear(*, as_json: AsJson = False) -> None:
    """Forget what was not understood."""
    body = _ask(_CLEAR)
    show_json(body) if as_json else say(f"{msgspec.json.decode(body)['deleted']} are gone")


@app.command()
def stopped(*, as_json: AsJson = False) -> None:
    """List addresses that marketing no longer goes to, as they bounced softly for a week or more."""
    body = _ask(_STOPPED)
    if as_json:
        show_json(body)
        return
    found = msgspec.json.decode(body)
    rows = [(one["email"], one["firstAt"], one["stoppedAt"]) for one in found["data"]]
    show_table(("address", "bounces since", "stopped"), rows)
    if found["total"] > len(rows):
        say(f"{found['total'] - len(rows)} more are not shown")


@app.command()
def release(email: Annotated[str, typer.Argument(help="The address.")], *, as_json: AsJson = False) -> None:
    """Have marketing go to an address again that it no longer went to."""
    body = _ask(_RELEASE, email=email)
    show_json(body) if as_json else say(f"marketing goes to {email} again")


@app.command()
def brakes(*, as_json: AsJson = False) -> None:
    """List campaigns and workflows that were paused for what comes back, and those that soon may be."""
    body = _ask(_BRAKES)
    if as_json:
        show_json(body)
        return
    rows = [
        (one["id"], f"{one['kind']} {one['name']}", one["state"], one["since"], one["reason"])
        for one in msgspec.json.decode(body)
    ]
    show_table(("id", "what", "state", "since", "reason"), rows)


def _ask(operation: Operation, *ids: str, body: dict[str, Any] | None = None, **query: str | None) -> bytes:
    with client() as loops:
        return ask_own(loops, operation, *ids, body=body, **query)
