"""`loopwright serve`: the server, in the foreground."""

import asyncio
import signal
from pathlib import Path
from typing import Annotated

import typer

from loopwright.server.settings import DEFAULT_DATA_DIR, DEFAULT_PORT, RateLimit, Settings


def serve(
    host: Annotated[str, typer.Option(envvar="LOOPWRIGHT_HOST", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            envvar="LOOPWRIGHT_PORT", min=0, max=65535, help="Port to listen on; 0 takes a free one."
        ),
    ] = DEFAULT_PORT,
    data_dir: Annotated[
        Path,
        typer.Option(envvar="LOOPWRIGHT_DATA_DIR", help="Folder of the embedded PostgreSQL."),
    ] = DEFAULT_DATA_DIR,
    database_url: Annotated[
        str | None,
        typer.Option(
            envvar="LOOPWRIGHT_DATABASE_URL", help="A PostgreSQL of your own, instead of the embedded."
        ),
    ] = None,
    smtp_url: Annotated[
        str | None,
        typer.Option(
            envvar="LOOPWRIGHT_SMTP_URL",
            help="Where email goes out, smtp://user:password@host:587. Without it, email stays in the inbox.",
        ),
    ] = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="LOOPWRIGHT_API_KEY",
            help="Fix an API key, for tests and demos. Otherwise one is made for you.",
        ),
    ] = None,
    rate_limit: Annotated[
        str,
        typer.Option(
            envvar="LOOPWRIGHT_RATE_LIMIT",
            help="Requests per second and team; 'loops' for Loops' own; 'off'.",
        ),
    ] = "off",
    public_url: Annotated[
        str | None,
        typer.Option(
            envvar="LOOPWRIGHT_PUBLIC_URL", help="What links in emails begin with, as the world sees it."
        ),
    ] = None,
) -> None:
    """Run the server: the API, the dashboard, the workers and the inbox, on a PostgreSQL of its own.

    Prints its address once it takes requests; at the first start, also an API key, which is shown only then.
    Ctrl-C or SIGTERM stops it after finishing what it accepted.
    """
    settings = Settings(
        host=host,
        port=port,
        data_dir=data_dir,
        database_url=database_url,
        smtp_url=smtp_url,
        api_key=api_key,
        rate_limit=_rate_limit(rate_limit),
        public_url=public_url,
    )
    # The server's parts take longer to import than all the rest of the command line.
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings))


async def _serve(settings: Settings) -> None:
    from loopwright.server.app import run

    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    async with run(settings) as running:
        if running.new_key:
            typer.echo(f"API key (shown only now): {running.new_key}")
        typer.echo(f"Loopwright listens on {running.address}")
        await stop.wait()


def _rate_limit(text: str) -> RateLimit:
    if text in ("loops", "off"):
        return text  # type: ignore[return-value]  # narrowed by the line above
    try:
        number = float(text)
    except ValueError:
        number = 0
    if not 0 < number < float("inf"):
        raise typer.BadParameter(f"{text} is not a rate; give a number above 0, 'loops' or 'off'")
    return number
