"""How a command ends when it cannot do what it was told: one sentence, or one JSON object, and a code.

0    done
1    refused: by the API, or because of what a file or an answer holds
2    the command was given wrongly: an option, an address, a place where nothing is
3    the API key is missing or wrong
4    there is no such thing: nothing found, or a 404
5    no answer, too many requests, or the server is unwell; the same command may work later
130  interrupted
"""

import os
import sys
from collections.abc import Mapping, Sequence
from enum import IntEnum
from functools import partial
from typing import Any, NoReturn, cast

import msgspec
import typer
from typer.core import TyperGroup

# typer brings its own click and names the leaves of its errors alone: this is the root of them.
_Misuse = cast("type[Exception]", typer.BadParameter.__mro__[2])


class ExitCode(IntEnum):
    """What a command ends with."""

    DONE = 0
    REFUSED = 1
    MISUSED = 2
    KEY_WRONG = 3
    NOT_FOUND = 4
    TRY_LATER = 5
    INTERRUPTED = 130


class CommandFailed(Exception):
    """The command ends here: a sentence that says why and what to do, and a code.

    `facts` are what a program may want to know beside it, by camelCase name.
    """

    def __init__(
        self, message: str, code: ExitCode = ExitCode.MISUSED, facts: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.message = message
        self.code = code
        self.facts = facts or {}


class Commands(TyperGroup):
    """The root of the command line: shows failures of every command in one way."""

    def main(
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        complete_var: str | None = None,
        standalone_mode: bool = True,
        windows_expand_args: bool = True,
        **extra: Any,
    ) -> Any:
        """Carry out `args` and end the process; without `standalone_mode`, return or raise instead."""
        given = list(sys.argv[1:] if args is None else args)
        carry_out = partial(super().main, given, prog_name, complete_var, False, windows_expand_args, **extra)
        if not standalone_mode:
            return carry_out()
        try:
            code = carry_out()
        except CommandFailed as failure:
            _end(failure, given)
        except _Misuse as misuse:
            _end(_as_failure(misuse), given)
        except OSError as problem:
            if problem.filename is None:  # no file that somebody named, so a fault of ours
                raise
            _end(CommandFailed(f"{os.fsdecode(problem.filename)}: {problem.strerror}"), given)
        except typer.Abort:
            typer.echo("Aborted.", err=True)
            sys.exit(ExitCode.REFUSED)
        sys.exit(code if isinstance(code, int) else ExitCode.DONE)


def _as_failure(misuse: Any) -> CommandFailed:
    """A misuse that the option parser found, with the way to the command's help."""
    message = str(misuse.format_message())
    context = getattr(misuse, "ctx", None)
    if context is not None and message:
        message = f"{message}\nTry: {context.command_path} --help"
    return CommandFailed(message, ExitCode.MISUSED)


def _end(failure: CommandFailed, given: Sequence[str]) -> NoReturn:
    if "--json" in given:
        facts = {"success": False, "message": failure.message, "exitCode": failure.code, **failure.facts}
        typer.echo(msgspec.json.encode(facts).decode())
    elif failure.message:
        typer.secho(failure.message, err=True, fg=typer.colors.RED if sys.stderr.isatty() else None)
    sys.exit(failure.code)
