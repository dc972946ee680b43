"""`loopwright properties`: what can be known about contacts."""

from __future__ import annotations

from typing import Annotated, Literal

import typer

from loopwright.cli.session import AsJson, client, say, show_json, show_table

app = typer.Typer(no_args_is_help=True, help="List and declare contact properties.")


@app.command("list")
def list_(
    *,
    custom: Annotated[bool, typer.Option("--custom", help="Leave out those that every team has.")] = False,
    as_json: AsJson = False,
) -> None:
    """List contact properties with their types."""
    with client() as loops:
        answer = loops.contact_properties.list("custom" if custom else "all")
    if as_json:
        show_json(answer.raw.body)
    else:
        show_table(("key", "label", "type"), [(item.key, item.label, item.type) for item in answer])


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="camelCase, as in planName.")],
    kind: Annotated[
        Literal["string", "number", "boolean", "date"], typer.Option("--type", help="It cannot change later.")
    ] = "string",
    *,
    as_json: AsJson = False,
) -> None:
    """Declare a custom property. It must exist before contacts can have it; unknown ones are ignored.

    loopwright properties create planName
    loopwright properties create seats --type number
    """
    with client() as loops:
        answer = loops.contact_properties.create(name, kind)
    if as_json:
        show_json(answer.raw.body)
    else:
        say(f"Created property {name} ({kind}).")
