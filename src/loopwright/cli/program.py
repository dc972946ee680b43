"""`loopwright` and its commands. A command's module is loaded when somebody asks for the command."""

from collections.abc import Iterator, MutableMapping
from importlib import import_module
from typing import Annotated, Any

import typer

from loopwright.version import VERSION

from .failure import Commands

# name -> module of this package, and what in it is the command or the group of commands
COMMANDS = {
    "init": ("init", "init"),
    "serve": ("serve", "serve"),
    "worker": ("worker", "worker"),
    "apply": ("apply", "apply"),
    "pull": ("pull", "pull"),
    "check": ("check", "check"),
    "preview": ("preview", "preview"),
    "backup": ("backup", "backup"),
    "restore": ("backup", "restore"),
    "team": ("team", "app"),
    "domain": ("domain", "app"),
    "doctor": ("doctor", "app"),
    "sealing": ("sealing", "app"),
    "api-key": ("api_key", "app"),
    "contacts": ("contacts", "app"),
    "properties": ("properties", "app"),
    "lists": ("lists", "app"),
    "segments": ("segments", "app"),
    "campaigns": ("campaigns", "app"),
    "workflows": ("workflows", "app"),
    "events": ("events", "app"),
    "emails": ("emails", "app"),
    "transactional": ("transactional", "app"),
    "suppressions": ("suppressions", "app"),
    "feedback": ("feedback", "app"),
    "inbox": ("inbox", "app"),
    "webhooks": ("webhooks", "app"),
}


class _OnDemand(MutableMapping[str, Any]):
    """The commands by name, each loaded when it is looked up: loading all takes longer than most of them."""

    def __init__(self) -> None:
        self._loaded: dict[str, Any] = {}

    def __getitem__(self, name: str) -> Any:
        if name not in self._loaded:
            self._loaded[name] = _load(name)
        return self._loaded[name]

    def __setitem__(self, name: str, command: Any) -> None:
        self._loaded[name] = command

    def __delitem__(self, name: str) -> None:
        del self._loaded[name]

    def __contains__(self, name: object) -> bool:
        return name in COMMANDS

    def __iter__(self) -> Iterator[str]:
        return iter(COMMANDS)

    def __len__(self) -> int:
        return len(COMMANDS)


def _load(name: str) -> Any:
    module, attribute = COMMANDS[name]
    found = getattr(import_module(f"{__package__}.{module}"), attribute)
    around = typer.Typer()
    if isinstance(found, typer.Typer):
        around.add_typer(found, name=name)
    else:
        around.command(name)(found)
    return typer.main.get_group(around).commands[name]


class Program(Commands):
    """The root, whose commands are there on demand."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.commands = _OnDemand()


program = typer.Typer(
    name="loopwright",
    cls=Program,
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
