"""`loopwright serve`: the server, in the foreground."""

import asyncio
from typing import Annotated

import typer

from loopwright.server.observe.logs import configure
from loopwright.server.runtime.connections import LEAST_CONNECTIONS, MOST_CONNECTIONS, raise_open_files
from loopwright.server.runtime.interpreter import tune_interpreter
from loopwright.server.settings import (
    DEFAULT_DATA_DIR,
    DEFAULT_PORT,
    EVERYWHERE,
    SMTP_CONNECTIONS,
    SMTP_MESSAGES,
    Settings,
)
from loopwright.wire.limits import SUPPRESSION_REMOVALS

from .hosting import check_server_runs_here, failures_told, postgres_meanwhile, run_until_stopped
from .hosting_options import (
    DatabaseUrl,
    DataDir,
    EhloName,
    EmailRetention,
    EventRetention,
    GiveUpAfter,
    InboxRetention,
    LogFormat,
    LogLevel,
    MediaUrl,
    PublicUrl,
    RunRetention,
    SealingKeyOption,
    SendRate,
    SmtpConnections,
    SmtpMessages,
    SmtpUrl,
    WebhookNetworks,
    check_smtp_url,
    read_api_key,
    read_ehlo_name,
    read_give_up_after,
    read_proxies,
    read_rate_limit,
    read_retention,
    read_send_rate,
    read_url,
    read_webhook_networks,
)


def serve(
    host: Annotated[
        str,
        typer.Option(
            envvar="LOOPWRIGHT_HOST", help="Address or name to listen on; :: is every address, IPv4 too."
        ),
    ] = "127.0.0.1",
    port: Annotated[
        int,
        typer.Option(
            envvar="LOOPWRIGHT_PORT", min=0, max=65535, help="Port to listen on; 0 takes a free one."
        ),
    ] = DEFAULT_PORT,
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database_url: DatabaseUrl = None,
    smtp_url: SmtpUrl = None,
    smtp_connections: SmtpConnections = SMTP_CONNECTIONS,
    smtp_messages: SmtpMessages = SMTP_MESSAGES,
    send_rate: SendRate = None,
    ehlo_name: EhloName = None,
    give_up_after: GiveUpAfter = None,
    api_key: Annotated[
        str | None,
        typer.Option(
            envvar="LOOPWRIGHT_API_KEY",
            help="Fix an API key, 16 characters or more, for tests and demos; replaces the one fixed before.",
        ),
    ] = None,
    rate_limit: Annotated[
        str,
        typer.Option(
            envvar="LOOPWRIGHT_RATE_LIMIT",
            help="Requests per second and team; 'loops' for Loops' own; 'off'. Each process counts its own.",
        ),
    ] = "off",
    removal_quota: Annotated[
        int,
        typer.Option(
            envvar="LOOPWRIGHT_REMOVAL_QUOTA",
            min=0,
            help="Suppressions that a team may lift in any 30 days.",
        ),
    ] = SUPPRESSION_REMOVALS,
    public_url: PublicUrl = None,
    media_url: MediaUrl = None,
    trusted_proxies: Annotated[
        str | None,
        typer.Option(
            envvar="LOOPWRIGHT_TRUSTED_PROXIES",
            help="Addresses or networks of proxies whose X-Forwarded-For, -Proto and -Host count, by commas.",
        ),
    ] = None,
    connections: Annotated[
        int,
        typer.Option(
            envvar="LOOPWRIGHT_CONNECTIONS",
            min=LEAST_CONNECTIONS,
            help="Clients' connections of each process at a time; fewer where too few files may be open.",
        ),
    ] = MOST_CONNECTIONS,
    workers: Annotated[
        int,
        typer.Option(
            envvar="LOOPWRIGHT_WORKERS",
            min=1,
            max=64,
            help="Processes that share the port; about one a processor, and one left for PostgreSQL.",
        ),
    ] = 1,
    jobs: Annotated[
        bool,
        typer.Option(
            "--jobs/--no-jobs",
            envvar="LOOPWRIGHT_JOBS",
            help="Whether to run workflows and deliver email here, or leave it to `loopwright worker`.",
        ),
    ] = True,
    bounce_port: Annotated[
        int | None,
        typer.Option(
            envvar="LOOPWRIGHT_BOUNCE_PORT",
            min=1,
            max=65535,
            help="Port where email comes back to, by SMTP or LMTP; without it, none is opened.",
        ),
    ] = None,
    bounce_host: Annotated[
        str, typer.Option(envvar="LOOPWRIGHT_BOUNCE_HOST", help="Address of that port.")
    ] = "127.0.0.1",
    webhook_networks: WebhookNetworks = None,
    sealing_key: SealingKeyOption = None,
    event_retention: EventRetention = "forever",
    email_retention: EmailRetention = "forever",
    run_retention: RunRetention = "forever",
    inbox_retention: InboxRetention = "forever",
    log_format: LogFormat = None,
    log_level: LogLevel = "info",
    for_tests: Annotated[
        bool,
        typer.Option(
            "--test", help="A server for test suites: a clock that tests move, faults on demand, own data."
        ),
    ] = False,
    with_parent: Annotated[
        bool,
        typer.Option(
            "--with-parent",
            help="With --test: stop when standard input closes, and remove the data folder.",
        ),
    ] = False,
) -> None:
    """Run the server: the API, the dashboard, the workers and the inbox, on a PostgreSQL of its own.

    Prints its address once it takes requests; at the first start, also an API key, which is shown only then.
    Ctrl-C or SIGTERM stops it after finishing what it accepted.
    """
    check_server_runs_here()
    if with_parent and not for_tests:
        raise typer.BadParameter("--with-parent is for servers with --test alone")
    settings = Settings(
        host=host,
        port=port,
        data_dir=data_dir,
        database_url=database_url,
        smtp_url=smtp_url,
        smtp_connections=smtp_connections,
        smtp_messages=smtp_messages,
        send_rate=read_send_rate(send_rate),
        ehlo_name=read_ehlo_name(ehlo_name),
        give_up_after=read_give_up_after(give_up_after),
        api_key=read_api_key(api_key),
        rate_limit=read_rate_limit(rate_limit),
        removal_quota=removal_quota,
        public_url=read_url(public_url),
        media_url=read_url(media_url, "--media-url"),
        trusted_proxies=read_proxies(trusted_proxies),
        connections=connections,
        workers=workers,
        jobs=jobs,
        bounce_host=bounce_host,
        bounce_port=bounce_port,
        event_retention=read_retention("--event-retention", event_retention),
        email_retention=read_retention("--email-retention", email_retention),
        run_retention=read_retention("--run-retention", run_retention),
        inbox_retention=read_retention("--inbox-retention", inbox_retention),
        webhook_networks=read_webhook_networks(webhook_networks),
        sealing_key=sealing_key,
        for_tests=for_tests,
    )
    check_smtp_url(smtp_url)
    configure(log_format, log_level)
    if host in EVERYWHERE and public_url is None:
        typer.echo(
            "Every address of this machine is listened on, but links in emails lead to 127.0.0.1; "
            "give --public-url the address that readers can reach.",
            err=True,
        )
    raise_open_files()
    if for_tests:
        from .serve_tests import serve_tests

        serve_tests(settings, with_parent=with_parent)
    elif workers == 1:
        _serve_here(settings)
    else:
        from loopwright.server.runtime.supervisor import Supervisor

        with failures_told():
            raise typer.Exit(Supervisor(settings).run(_announce))


def _serve_here(settings: Settings) -> None:
    with postgres_meanwhile(settings) as started:
        from loopwright.server.app import run

        started()

        async def main(stop: asyncio.Event) -> None:
            async with run(settings) as running:
                tune_interpreter()
                _announce(running.address, running.new_key)
                await stop.wait()

        run_until_stopped(main)


def _announce(address: str, new_key: str | None) -> None:
    if new_key:
        typer.echo(f"API key (shown only now): {new_key}")
    typer.echo(f"Loopwright listens on {address}")
    if new_key:
        typer.echo(
            f"""\
The dashboard is at {address}; sign in with the key. A program, or another shell, finds the server by

  export LOOPS_API_KEY={new_key}
  export LOOPS_BASE_URL={address}/api
"""
        )
