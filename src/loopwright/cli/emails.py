"""`loopwright emails`: the emails of a team, in the database itself."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import msgspec
import typer

from loopwright.cli.hosting import check_server_runs_here, failures_told, find_data
from loopwright.cli.hosting_options import DatabaseUrl, DataDirOfServer
from loopwright.cli.session import AsJson, say, show_table

from .failure import CommandFailed
from .on_database import Team, opened_team, run_on_database

if TYPE_CHECKING:
    from loopwright.server.store.held import HeldReason
    from loopwright.server.store.retries import Choice

_CLOCKS = ("%H:%M", "%H:%M:%S", "%H:%M:%S.%f")
MOMENTS = ["%Y-%m-%d", *(f"%Y-%m-%dT{clock}{zone}" for zone in ("", "%z") for clock in _CLOCKS)]
"""A date, or a date with a time, in UTC unless it ends in an offset such as `Z` or `+02:00`."""

app = typer.Typer(
    no_args_is_help=True, help="Emails that did not leave: why they are held, and sending them again."
)


@app.command()
def retry(
    *,
    status: Annotated[
        Literal["failed", "skipped", "all", "unknown"],
        typer.Option(help="Those that failed, were skipped, or both; or those that may have left or not."),
    ] = "failed",
    reason: Annotated[str, typer.Option(help="Only those whose reason holds these words, in any case.")] = "",
    since: Annotated[
        datetime | None,
        typer.Option(
            formats=MOMENTS,
            metavar="TIME",
            help="Only those queued then or later, such as 2026-05-17T10:00Z; in UTC.",
        ),
    ] = None,
    until: Annotated[
        datetime | None,
        typer.Option(formats=MOMENTS, metavar="TIME", help="Only those queued before then, in UTC."),
    ] = None,
    campaign: Annotated[
        str | None, typer.Option("--campaign", metavar="ID", help="Only those of this campaign.")
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Count them, and change nothing.")] = False,
    team: Team = None,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Have emails sent again that failed, or were skipped.

    Each says what it was to say, and whether it may go is decided anew: a contact that has left since, or an
    address that is suppressed, gets none. Whoever did get one of a campaign whose sender died is written to
    twice by --status unknown.
    """
    from loopwright.server.store.retries import Choice

    choice = Choice(
        team_id="",
        statuses=("failed", "skipped") if status == "all" else (status,),
        words=reason,
        campaign_id=campaign,
        since=since and _aware(since),
        until=until and _aware(until),
    )
    check_server_runs_here()
    try:
        with failures_told():
            count = asyncio.run(_retry(choice, team, data_dir, database_url, dry_run=dry_run))
    except LookupError as problem:
        raise CommandFailed(str(problem)) from None
    emails = "1 email" if count == 1 else f"{count} emails"
    if as_json:
        typer.echo(msgspec.json.encode({"emails": count, "dryRun": dry_run}).decode())
    else:
        say(f"{emails} would be sent again." if dry_run else f"{emails} will be sent again.")


@app.command()
def held(
    *,
    team: Team = None,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show which emails are held, and what they lack: the reason names the command that mends it.

    Once that is done they leave by themselves, within seconds.
    """

    async def work() -> "Sequence[HeldReason]":
        from loopwright.server.store.held import load_reasons

        async with opened_team(team, data_dir, database_url) as (tx, found):
            return await load_reasons(tx, found.id)

    reasons = run_on_database(work())
    if as_json:
        typer.echo(msgspec.json.encode({"held": reasons}).decode())
    elif reasons:
        show_table(
            ("emails", "kind", "since", "reason"),
            [(one.emails, one.kind, f"{one.since:%Y-%m-%d %H:%M}", one.reason) for one in reasons],
        )
    else:
        say("No email is held.")


def _aware(moment: datetime) -> datetime:
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def _retry(
    choice: "Choice", team: str | None, data_dir: Path | None, database_url: str | None, *, dry_run: bool
) -> int:
    from loopwright.server.bootstrap import ensure_team
    from loopwright.server.clock import SystemClock
    from loopwright.server.definitions.database import choose_team, open_database
    from loopwright.server.store.retries import count_unsent, queue_again
    from loopwright.server.store.teams import load_teams

    clock = SystemClock()
    async with open_database(find_data(data_dir, database_url), database_url) as pool:
        await ensure_team(pool, clock)
        async with pool.acquire() as tx:
            chosen = choose_team(await load_teams(tx), team)
            mine = msgspec.structs.replace(choice, team_id=chosen.id)
            return await (count_unsent(tx, mine) if dry_run else queue_again(tx, mine, now=clock.now()))
