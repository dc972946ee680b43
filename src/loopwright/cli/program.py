"""`loopwright` and its commands."""

import typer

from .apply import apply
from .serve import serve

program = typer.Typer(
    name="loopwright",
    help="The Loops API for Python: call it, or serve it yourself.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)
program.command()(serve)
program.command()(apply)
