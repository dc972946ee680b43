"""`loopwright contacts`: the people mail goes to."""

from __future__ import annotations

from typing import Annotated, Any

import typer
from msgspec import UNSET

from loopwright.cli import values
from loopwright.cli.contact_export import export_contacts
from loopwright.cli.contact_import import import_contacts
from loopwright.cli.failure import ExitCode
from loopwright.cli.options import ContactProps, Email, Lists, UserId
from loopwright.cli.session import AsJson, client, say, show_json, show_table
from loopwright.cli.undeclared import check_declared

app = typer.Typer(no_args_is_help=True, help="Create, change, find and delete contacts.")

FirstName = Annotated[str | None, typer.Option("--first-name")]
LastName = Annotated[str | None, typer.Option("--last-name")]
UserGroup = Annotated[str | None, typer.Option("--user-group", help="The one group a contact can be in.")]
Source = Annotated[str | None, typer.Option("--source", help="Where the contact came from.")]
Subscribed = Annotated[
    bool | None,
    typer.Option(
        "--subscribed/--unsubscribed",
        "-s",
        help="Leave both out unless you mean to: --subscribed brings back even somebody who left.",
    ),
]


@app.command()
def create(
    *,
    email: Annotated[str, typer.Option("--email", "-e", help="The contact's email address.")],
    user_id: UserId = None,
    first_name: FirstName = None,
    last_name: LastName = None,
    source: Source = None,
    user_group: UserGroup = None,
    subscribed: Subscribed = None,
    contact_props: ContactProps = None,
    lists: Lists = None,
    as_json: AsJson = False,
) -> None:
    """Create a contact. One that is there already is refused; `update` takes both.

    loopwright contacts create --email ada@example.com --prop plan=pro
    """
    properties, mailing_lists = values.properties(contact_props), values.mailing_lists(lists)
    with client() as loops:
        check_declared(loops, properties)
        answer = loops.contacts.create(
            email,
            user_id=user_id,
            **_texts(first_name=first_name, last_name=last_name, source=source, user_group=user_group),
            subscribed=UNSET if subscribed is None else subscribed,
            properties=properties,
            mailing_lists=mailing_lists,
        )
    if as_json:
        show_json(answer.raw.body)
    else:
        say(f"Created contact {answer.id}.")


@app.command()
def update(
    *,
    email: Email = None,
    user_id: UserId = None,
    first_name: FirstName = None,
    last_name: LastName = None,
    source: Source = None,
    user_group: UserGroup = None,
    subscribed: Subscribed = None,
    contact_props: ContactProps = None,
    lists: Lists = None,
    as_json: AsJson = False,
) -> None:
    """Change a contact, or create it. What is not given stays as it is; KEY=null clears.

    With both --email and --user-id the one that is known finds the contact, and the other is set.
    """
    properties, mailing_lists = values.properties(contact_props), values.mailing_lists(lists)
    with client() as loops:
        check_declared(loops, properties)
        answer = loops.contacts.update(
            email=email,
            user_id=user_id,
            **_texts(first_name=first_name, last_name=last_name, source=source, user_group=user_group),
            subscribed=UNSET if subscribed is None else subscribed,
            properties=properties,
            mailing_lists=mailing_lists,
        )
    if as_json:
        show_json(answer.raw.body)
    else:
        say(f"Updated contact {answer.id}.")


@app.command()
def find(*, email: Email = None, user_id: UserId = None, as_json: AsJson = False) -> None:
    """Show the contact with this email or this user id. Ends with 4 when there is none."""
    with client() as loops:
        contact = loops.contacts.find(email=email, user_id=user_id)
    if contact is None:
        say("[]" if as_json else "No such contact.")
        raise typer.Exit(ExitCode.NOT_FOUND)
    if as_json:
        show_json(contact.raw.body)
    else:
        show_table(("property", "value"), sorted(contact.to_wire().items()))


@app.command()
def delete(*, email: Email = None, user_id: UserId = None, as_json: AsJson = False) -> None:
    """Delete the contact with this email or this user id, for good."""
    with client() as loops:
        answer = loops.contacts.delete(email=email, user_id=user_id)
    if as_json:
        show_json(answer.raw.body)
    else:
        say(answer.message or "Contact deleted.")


@app.command()
def suppression(*, email: Email = None, user_id: UserId = None, as_json: AsJson = False) -> None:
    """Tell whether mail to a contact is suppressed after a bounce or a complaint."""
    with client() as loops:
        answer = loops.contacts.suppression(email=email, user_id=user_id)
    if as_json:
        show_json(answer.raw.body)
        return
    quota = answer.removal_quota
    say("Suppressed: nothing is sent to this contact." if answer.is_suppressed else "Not suppressed.")
    say(f"Removals left: {quota.remaining} of {quota.limit}")


@app.command()
def unsuppress(*, email: Email = None, user_id: UserId = None, as_json: AsJson = False) -> None:
    """Allow mail to a suppressed contact again. Uses up one of the removals of these 30 days."""
    with client() as loops:
        answer = loops.contacts.remove_suppression(email=email, user_id=user_id)
    if as_json:
        show_json(answer.raw.body)
    else:
        say(answer.message or "Email removed from suppression list.")


app.command("import")(import_contacts)
app.command("export")(export_contacts)


def _texts(**given: str | None) -> dict[str, Any]:
    """Those that were given, by the SDK's argument."""
    return {name: text for name, text in given.items() if text is not None}
