"""`loopwright transactional`: one email to one person."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import msgspec
import typer

from loopwright import Attachment
from loopwright.cli import values
from loopwright.cli.options import Cursor, IdempotencyKey, PerPage
from loopwright.cli.paths import existing_file_path
from loopwright.cli.session import AsJson, client, say, show_json, show_page

app = typer.Typer(no_args_is_help=True, help="Send transactional email.")


@app.command()
def send(
    *,
    transactional_id: Annotated[str, typer.Option("--id", help="The transactional email's id.")],
    email: Annotated[str, typer.Option("--email", "-e", help="To whom.")],
    var: Annotated[
        list[str] | None,
        typer.Option("--var", "-v", metavar="KEY=VALUE", help="A data variable. Repeatable."),
    ] = None,
    json_vars: Annotated[
        Path | None,
        typer.Option(
            "--json-vars",
            "-j",
            parser=existing_file_path,
            metavar="FILE",
            help="A JSON file of data variables.",
        ),
    ] = None,
    attachment: Annotated[
        list[Path] | None,
        typer.Option(
            "--attachment",
            "-A",
            parser=existing_file_path,
            metavar="FILE",
            help="A file to attach. Repeatable.",
        ),
    ] = None,
    add_to_audience: Annotated[
        bool | None, typer.Option("--add-to-audience", "-a", help="Create a contact for a new address.")
    ] = None,
    idempotency_key: IdempotencyKey = None,
    as_json: AsJson = False,
) -> None:
    """Send one transactional email.

    loopwright transactional send --id cm5a --email ada@example.com --var orderId=1042
    """
    variables = {**_file_variables(json_vars), **values.properties(var)}
    with client() as loops:
        attachments = [Attachment.from_path(path) for path in attachment or ()]
        answer = loops.transactional.send(
            transactional_id,
            email=email,
            data_variables=variables,
            add_to_audience=add_to_audience,
            attachments=attachments,
            idempotency_key=idempotency_key,
        )
    if as_json:
        show_json(answer.raw.body)
    else:
        say("Accepted; the email is on its way.")


@app.command("list")
def list_(*, per_page: PerPage = None, cursor: Cursor = None, as_json: AsJson = False) -> None:
    """List published transactional emails and the variables they want."""
    with client() as loops:
        answer = loops.transactional.list(per_page=per_page, cursor=cursor)
    columns = ("id", "name", "variables")
    show_page(answer, columns, lambda e: (e.id, e.name, ", ".join(e.data_variables)), as_json=as_json)


def _file_variables(path: Path | None) -> dict[str, object]:
    """Variables from a file may be lists of objects too, which KEY=VALUE cannot say."""
    if path is None:
        return {}
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, object])
    except msgspec.MsgspecError as error:
        raise typer.BadParameter(f"{path} is not a JSON object: {error}") from None
