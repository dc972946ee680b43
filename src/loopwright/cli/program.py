"""`loopwright` and its commands."""

from typing import Annotated

import typer

from loopwright.version import VERSION

from . import (
    api_key,
    contacts,
    doctor,
    domain,
    emails,
    events,
    inbox,
    lists,
    properties,
    sealing,
    suppressions,
    team,
    transactional,
)
from .apply import apply
from .backup import backup, restore
from .check import check
from .failure import Commands
from .init import init
from .serve import serve
from .worker import worker

program = typer.Typer(
    name="loopwright",
    cls=Commands,
    help="The Loops API for Python: call it, or serve it yourself.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


def _show_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"loopwright {VERSION}")
        raise typer.Exit


@program.callback()
def _options(
    *,
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit."),
    ] = False,
) -> None:
    pass


program.command()(init)
program.command()(serve)
program.command()(worker)
program.command()(apply)
program.command()(check)
program.command()(backup)
program.command()(restore)
program.add_typer(team.app, name="team")
program.add_typer(domain.app, name="domain")
program.add_typer(doctor.app, name="doctor")
program.add_typer(sealing.app, name="sealing")
program.add_typer(api_key.app, name="api-key")
program.add_typer(contacts.app, name="contacts")
program.add_typer(properties.app, name="properties")
program.add_typer(lists.app, name="lists")
program.add_typer(events.app, name="events")
program.add_typer(emails.app, name="emails")
program.add_typer(suppressions.app, name="suppressions")
program.add_typer(transactional.app, name="transactional")
program.add_typer(inbox.app, name="inbox")
