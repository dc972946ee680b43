"""`loopwright worker`: the jobs without the API, in the foreground."""

import asyncio
from contextlib import nullcontext
from typing import Annotated

import typer

from loopwright.server.observe.logs import configure
from loopwright.server.runtime.interpreter import tune_interpreter
from loopwright.server.runtime.listening import listen
from loopwright.server.settings import DEFAULT_DATA_DIR, SMTP_CONNECTIONS, SMTP_MESSAGES, Settings

from .hosting import check_server_runs_here, postgres_meanwhile, run_until_stopped
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
    PublicUrl,
    RunRetention,
    SealingKeyOption,
    SendRate,
    SmtpConnections,
    SmtpMessages,
    SmtpUrl,
    WebhookNetworks,
    check_smtp_url,
    read_ehlo_name,
    read_give_up_after,
    read_retention,
    read_send_rate,
    read_url,
    read_webhook_networks,
)


def worker(
    data_dir: DataDir = DEFAULT_DATA_DIR,
    database_url: DatabaseUrl = None,
    smtp_url: SmtpUrl = None,
    smtp_connections: SmtpConnections = SMTP_CONNECTIONS,
    smtp_messages: SmtpMessages = SMTP_MESSAGES,
    send_rate: SendRate = None,
    ehlo_name: EhloName = None,
    give_up_after: GiveUpAfter = None,
    public_url: PublicUrl = None,
    host: Annotated[
        str, typer.Option(envvar="LOOPWRIGHT_HOST", help="Address for those who ask how it goes.")
    ] = "127.0.0.1",
    port: Annotated[
        int | None,
        typer.Option(
            envvar="LOOPWRIGHT_WORKER_PORT",
            min=0,
            max=65535,
            help="Port of /healthz, /readyz and /metrics; without it, none is opened.",
        ),
    ] = None,
    webhook_networks: WebhookNetworks = None,
    sealing_key: SealingKeyOption = None,
    event_retention: EventRetention = "forever",
    email_retention: EmailRetention = "forever",
    run_retention: RunRetention = "forever",
    inbox_retention: InboxRetention = "forever",
    log_format: LogFormat = None,
    log_level: LogLevel = "info",
) -> None:
    """Run workflows, deliver email and keep house, beside servers that were started with --no-jobs.

    Any number of them may share a database. Give the same --public-url as to the servers: links in emails
    begin with it. Ctrl-C or SIGTERM stops it after finishing the jobs under way.
    """
    check_server_runs_here()
    settings = Settings(
        data_dir=data_dir,
        database_url=database_url,
        smtp_url=smtp_url,
        smtp_connections=smtp_connections,
        smtp_messages=smtp_messages,
        send_rate=read_send_rate(send_rate),
        ehlo_name=read_ehlo_name(ehlo_name),
        give_up_after=read_give_up_after(give_up_after),
        public_url=read_url(public_url),
        event_retention=read_retention("--event-retention", event_retention),
        email_retention=read_retention("--email-retention", email_retention),
        run_retention=read_retention("--run-retention", run_retention),
        inbox_retention=read_retention("--inbox-retention", inbox_retention),
        webhook_networks=read_webhook_networks(webhook_networks),
        sealing_key=sealing_key,
    )
    check_smtp_url(smtp_url)
    configure(log_format, log_level)
    with postgres_meanwhile(settings) as started:
        from loopwright.server.app import work

        started()

        async def main(stop: asyncio.Event) -> None:
            with nullcontext(None) if port is None else listen(host, port)[0] as listener:
                async with work(settings, listener):
                    tune_interpreter()
                    where = f" and tells of them on {listener.address}" if listener else ""
                    typer.echo(f"Loopwright does jobs{where}")
                    await stop.wait()

        run_until_stopped(main)
