"""`loopwright doctor`: what keeps email from arriving, and what to do about it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import msgspec
import typer

from loopwright.cli.domain import Name, ResolverOption
from loopwright.cli.failure import ExitCode
from loopwright.cli.hosting_options import (
    DatabaseUrl,
    DataDirOfServer,
    PublicUrl,
    SmtpUrl,
    check_smtp_url,
    read_url,
)
from loopwright.cli.on_database import Team, opened_team, run_on_database
from loopwright.cli.session import AsJson, say

if TYPE_CHECKING:
    from loopwright.server.doctor import Finding

app = typer.Typer(no_args_is_help=True, help="See what keeps email from arriving.")


@app.callback()
def doctor() -> None:
    """See what keeps email from arriving."""


@app.command()
def domain(
    name: Name = None,
    *,
    smtp_url: SmtpUrl = None,
    public_url: PublicUrl = None,
    resolver: ResolverOption = None,
    team: Team = None,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Compare what is published for a domain with what is needed, and try the relay and the public URL.

    Give --smtp-url and --public-url as to the server. Ends with 0 when all is well and with 1 when there is
    something to do.
    """
    check_smtp_url(smtp_url)
    url = read_url(public_url)

    async def work() -> "list[Finding]":
        from loopwright.server.dns import Dns
        from loopwright.server.doctor import examine
        from loopwright.server.domains import load_domain
        from loopwright.server.mail.smtp_url import read_url as read_smtp_url

        dns = Dns(resolver)
        async with opened_team(team, data_dir, database_url) as (tx, found):
            domain = await load_domain(tx, found.id, name)
        relay = read_smtp_url(smtp_url) if smtp_url else None
        return await examine(found, domain, dns, relay=relay, public_url=url)

    _tell(run_on_database(work()), as_json=as_json)


@app.command()
def workflows(
    *,
    team: Team = None,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """See whether contacts go on in the team's workflows when they are due, and what brakes say.

    Ends with 0 when all is well and with 1 when there is something to do.
    """

    async def work() -> "list[Finding]":
        from loopwright.server.clock import SystemClock
        from loopwright.server.doctor import of_brakes, of_runs
        from loopwright.server.store.brakes import load_brakes
        from loopwright.server.store.runs import load_overdue

        async with opened_team(team, data_dir, database_url) as (tx, found):
            overdue = await load_overdue(tx, found.id, now=SystemClock().now())
            return [of_runs(overdue), *of_brakes(await load_brakes(tx, found.id))]

    _tell(run_on_database(work()), as_json=as_json)


def _tell(findings: "Sequence[Finding]", *, as_json: bool) -> None:
    is_well = not any(finding.remedy for finding in findings)
    if as_json:
        typer.echo(msgspec.json.encode({"success": is_well, "findings": findings}).decode())
    else:
        for finding in findings:
            say(f"{'to do' if finding.remedy else 'ok   '}  {finding.about}: {finding.found}")
            if finding.remedy:
                say(f"       → {finding.remedy}")
    raise typer.Exit(ExitCode.DONE if is_well else ExitCode.REFUSED)
