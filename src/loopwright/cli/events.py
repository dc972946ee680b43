"""`loopwright events`: send one, or import a file of them."""

from __future__ import annotations

from typing import Annotated

import typer

from loopwright.cli import values
from loopwright.cli.event_import import import_events
from loopwright.cli.options import ContactProps, Email, IdempotencyKey, Lists, UserId
from loopwright.cli.session import AsJson, client, say, show_json
from loopwright.cli.undeclared import check_declared

app = typer.Typer(no_args_is_help=True, help="Send events, which start workflows.")


@app.command()
def send(
    name: Annotated[str, typer.Argument(help="The event's name, as in signup.")],
    *,
    email: Email = None,
    user_id: UserId = None,
    props: Annotated[
        list[str] | None,
        typer.Option(
            "--props",
            metavar="KEY=VALUE",
            help="An event property; also a JSON object, or a file with one. Repeatable.",
        ),
    ] = None,
    contact_props: ContactProps = None,
    lists: Lists = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Send one event for a contact, who is created when the address is new.

    loopwright events send signup --email ada@example.com --props plan=pro
    """
    properties, contact = values.properties(props), values.properties(contact_props)
    mailing_lists = values.mailing_lists(lists)
    with client() as loops:
        check_declared(loops, contact)
        answer = loops.events.send(
            name,
            email=email,
            user_id=user_id,
            properties=properties,
            contact=contact,
            mailing_lists=mailing_lists,
            idempotency_key=idempotency_key,
        )
    if as_json:
        show_json(answer.raw.body)
    else:
        say(f"Sent {name}.")


app.command("import")(import_events)
