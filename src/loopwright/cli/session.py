"""What every client command does around its one call: make a client, print the answer, end with a code."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterable, Sequence
from contextlib import contextmanager
from typing import Annotated, TypeVar

import msgspec
import typer

from loopwright import Loops
from loopwright.cli.failure import CommandFailed, ExitCode
from loopwright.errors import (
    ArgumentError,
    AuthenticationError,
    ConfigurationError,
    LoopsError,
    NotFoundError,
    RateLimitError,
    RecipientNotAllowedError,
    ServerError,
    StatusError,
)
from loopwright.wire.paging import Page

Item = TypeVar("Item")

AsJson = Annotated[bool, typer.Option("--json", help="Print the API's answer as JSON, for programs to read.")]


@contextmanager
def client() -> Generator[Loops]:
    """A client from LOOPS_API_KEY and LOOPS_BASE_URL; what goes wrong ends the command."""
    try:
        with Loops() as loops:
            yield loops
    except ArgumentError as error:
        raise CommandFailed(str(error), ExitCode.MISUSED) from None
    except LoopsError as error:
        raise CommandFailed(advice(error), code_of(error), _facts(error)) from None
    except ValueError as error:
        raise CommandFailed(str(error), ExitCode.MISUSED) from None


def code_of(error: LoopsError) -> ExitCode:
    """The code for an error that ends a command."""
    match error:
        case ConfigurationError() | AuthenticationError():
            return ExitCode.KEY_WRONG
        case NotFoundError():
            return ExitCode.NOT_FOUND
        case RateLimitError() | ServerError():
            return ExitCode.TRY_LATER
        case StatusError() | RecipientNotAllowedError():
            return ExitCode.REFUSED
        case _:
            return ExitCode.TRY_LATER


def advice(error: LoopsError) -> str:
    """The error, and what helps where that is known."""
    if code_of(error) is ExitCode.KEY_WRONG:
        return f"{error}\nLOOPS_API_KEY holds the key, LOOPS_BASE_URL the address of a server of your own."
    return str(error)


def _facts(error: LoopsError) -> dict[str, object]:
    """What a program may want to know of an error beside its sentence."""
    return {"status": error.status} if isinstance(error, StatusError) else {}


def show_json(body: bytes) -> None:
    """Print an answer's body: in lines for people, in one line for programs."""
    if sys.stdout.isatty():
        from rich.console import Console

        Console().print_json(body.decode())
    else:
        typer.echo(msgspec.json.format(body, indent=-1))


def say(text: str) -> None:
    """Print one line for people."""
    from rich.console import Console

    Console(highlight=False).print(text, markup=False, soft_wrap=True)


def show_page(
    answer: Page[Item], headings: Sequence[str], row: Callable[[Item], Sequence[object]], *, as_json: bool
) -> None:
    """Print one page of a list, and how to get the next."""
    if as_json:
        show_json(answer.raw.body)
        return
    show_table(headings, [row(one) for one in answer.data])
    if answer.pagination.next_cursor:
        say(f"More: --cursor {answer.pagination.next_cursor}")


def show_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print rows for people; nothing to show says so."""
    from rich.console import Console
    from rich.table import Table

    table = Table(*headings, box=None, header_style="bold", pad_edge=False)
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    if table.row_count:
        Console(highlight=False).print(table)
    else:
        say("none")
