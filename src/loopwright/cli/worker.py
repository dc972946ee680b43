"""`loopwright worker`: the jobs without the API, in the foreground."""

import asyncio

import typer

from loopwright.server.settings import DEFAULT_DATA_DIR, Settings

from .hosting import (
    DatabaseUrl,
    DataDir,
    EventRetention,
    PublicUrl,
    SmtpUrl,
    postgres_meanwhile,
    read_retention,
    run_until_stopped,
)


def worker(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database_url: DatabaseUrl = None,
    smtp_url: SmtpUrl = None,
    public_url: PublicUrl = None,
    event_retention: EventRetention = "forever",
) -> None:
    """Run workflows, deliver email and keep house, beside servers that were started with --no-jobs.

    Any number of them may share a database. Give the same --public-url as to the servers: links in emails
    begin with it. Ctrl-C or SIGTERM stops it after finishing the jobs under way.
    """
    settings = Settings(
        data_dir=data_dir,
        database_url=database_url,
        smtp_url=smtp_url,
        public_url=public_url,
        event_retention=read_retention(event_retention),
    )
    with postgres_meanwhile(settings):
        from loopwright.server.app import work

    async def main(stop: asyncio.Event) -> None:
        async with work(settings):
            typer.echo("Loopwright does jobs")
            await stop.wait()

    run_until_stopped(main)
