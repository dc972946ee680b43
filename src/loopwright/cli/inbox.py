"""`loopwright inbox`: the emails that stayed on a Loopwright server, as people read them."""

from __future__ import annotations

import time
from typing import Annotated, Any

import msgspec
import typer

from loopwright import Loops
from loopwright.cli.failure import CommandFailed, ExitCode
from loopwright.cli.own import ask_own
from loopwright.cli.session import AsJson, client, say, show_json, show_table
from loopwright.wire.operations import Operation

LOOK_SECONDS = 0.25
_LIST = Operation("listInbox", "GET", "/loopwright/v1/inbox", "always")

app = typer.Typer(no_args_is_help=True, help="Read the emails that stayed on a Loopwright server.")

To = Annotated[str | None, typer.Option("--to", help="Only what went to this address.")]


@app.command("list")
def list_(*, to: To = None, as_json: AsJson = False) -> None:
    """List the newest messages, at most 50."""
    with client() as loops:
        found = _load(loops, to)
    if as_json:
        show_json(msgspec.json.encode(found))
    else:
        rows = [[message[key] for key in ("id", "receivedAt", "toEmail", "subject")] for message in found]
        show_table(("id", "received", "to", "subject"), rows)


@app.command()
def show(
    message_id: Annotated[
        str | None, typer.Argument(metavar="[ID]", help="A message's id; the newest without.")
    ] = None,
    *,
    to: To = None,
    wait: Annotated[float, typer.Option("--wait", min=0, help="Seconds to wait for it to arrive.")] = 0,
    as_json: AsJson = False,
) -> None:
    """Show a message's text. Ends with 4 when there is none.

    loopwright inbox show --to ada@example.com --wait 30
    """
    deadline = time.monotonic() + wait
    with client() as loops:
        while True:
            found = [each for each in _load(loops, to) if message_id in (None, each["id"])]
            if found or time.monotonic() >= deadline:
                break
            time.sleep(LOOK_SECONDS)
    if not found:
        raise CommandFailed(
            f"No message {message_id} is among the newest."
            if message_id
            else "The inbox holds no such message.",
            ExitCode.NOT_FOUND,
        )
    message = found[0]
    if as_json:
        show_json(msgspec.json.encode(message))
    else:
        say(
            f"From:    {message['fromEmail']}\nTo:      {message['toEmail']}\n"
            f"Subject: {message['subject']}\n\n"
            f"{message['text'] or '(no text part; the dashboard shows its HTML)'}"
        )


def _load(loops: Loops, to: str | None) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = msgspec.json.decode(ask_own(loops, _LIST, to=to))
    return found
