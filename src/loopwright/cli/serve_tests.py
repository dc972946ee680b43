"""`loopwright serve --test`: a server for test suites, which touches nothing beyond itself."""

import asyncio
import os
import shutil
import tempfile
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import typer

from loopwright.server.keys import new_key
from loopwright.server.networks import read_networks
from loopwright.server.runtime.interpreter import tune_interpreter
from loopwright.server.settings import DEFAULT_DATA_DIR, Settings

from .failure import CommandFailed
from .hosting import postgres_meanwhile, run_until_stopped

PREFIX = "loopwright-test-"
STDIN = 0
LOOPBACK = read_networks("127.0.0.0/8 ::1")


def serve_tests(settings: Settings, *, with_parent: bool) -> None:
    """Serve until told to stop, on a folder for the time being unless the settings name one.

    `with_parent`: also until standard input closes, and then the folder goes in any case.
    """
    check(settings)
    with _folder(settings.data_dir) as folder:
        complete = replace(
            settings,
            data_dir=folder,
            api_key=settings.api_key or new_key(),
            webhook_networks=(*settings.webhook_networks, *LOOPBACK),
        )
        parent_gone = _serve(complete, with_parent)
    if parent_gone:
        shutil.rmtree(folder, ignore_errors=True)


def check(settings: Settings) -> None:
    """See that tests stay on this machine, in one process. Raises `CommandFailed`."""
    from loopwright.server.mail.smtp_url import read_url
    from loopwright.server.testing.guard import is_loopback

    if not is_loopback(settings.host):
        raise CommandFailed(
            f"--test listens on this machine alone, and not on {settings.host}; leave --host out."
        )
    if settings.bounce_port is not None and not is_loopback(settings.bounce_host):
        raise CommandFailed(
            f"--test takes returned email from this machine alone, and not on {settings.bounce_host}; "
            "leave --bounce-host out."
        )
    if settings.smtp_url is not None and not is_loopback(read_url(settings.smtp_url).host):
        raise CommandFailed(
            "--test sends email to no server elsewhere; leave --smtp-url out, and it stays in the inbox."
        )
    if settings.workers != 1 or not settings.jobs:
        raise CommandFailed(
            "--test is one process that does all by itself; leave out --workers and --no-jobs."
        )


def _serve(settings: Settings, with_parent: bool) -> bool:
    """Serve until told to stop; whether that was because standard input closed."""
    gone = False
    with postgres_meanwhile(settings) as started:
        from loopwright.server.app import run

        started()

        async def main(stop: asyncio.Event) -> None:
            def parent_ended() -> None:
                nonlocal gone
                if not os.read(STDIN, 4096):
                    gone = True
                    asyncio.get_running_loop().remove_reader(STDIN)
                    stop.set()

            if with_parent:
                asyncio.get_running_loop().add_reader(STDIN, parent_ended)
            async with run(settings) as running:
                tune_interpreter()
                _announce(settings, running.address)
                await stop.wait()

        run_until_stopped(main)
    return gone


def _announce(settings: Settings, address: str) -> None:
    typer.echo(f"Loopwright listens on {address}")
    typer.echo(
        f"""\
For tests: its clock is moved and its faults are made under {address}/loopwright/test, with this key.

  export LOOPS_API_KEY={settings.api_key}
  export LOOPS_BASE_URL={address}/api
"""
    )


@contextmanager
def _folder(named: Path) -> Generator[Path]:
    """The folder for the data: the one that was named, or one that goes in the end."""
    if named != DEFAULT_DATA_DIR:
        yield named
        return
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    # As root PostgreSQL is another user, who has to get to its data below.
    folder.chmod(0o700 if os.geteuid() else 0o711)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
