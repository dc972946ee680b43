"""`loopwright team`: the teams of a database, a team's settings and its API keys, in the database itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import msgspec
import typer

from loopwright.cli.failure import CommandFailed
from loopwright.cli.hosting import find_data
from loopwright.cli.hosting_options import DatabaseUrl, DataDirOfServer
from loopwright.cli.on_database import Team, opened_team, run_on_database
from loopwright.cli.session import AsJson, say, show_table

if TYPE_CHECKING:
    from loopwright.server.store.database import Connection
    from loopwright.server.store.teams import KeyRow, TeamRow
    from loopwright.server.store.warm_ups import WarmUpRow
    from loopwright.server.team_settings import SettingChanges

    Settings = tuple[TeamRow, list[str], WarmUpRow | None]

app = typer.Typer(no_args_is_help=True, help="List, make and change teams: settings, blocklist, API keys.")
keys = typer.Typer(no_args_is_help=True, help="List, create and revoke API keys.")
app.add_typer(keys, name="keys")


@app.command()
def show(
    *,
    team: Team = None,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Show a team's settings, and where its forms send to."""

    async def read() -> "Settings":
        async with opened_team(team, data_dir, database_url) as (tx, found):
            return await _load(tx, found)

    _show(*run_on_database(read()), as_json=as_json)


@app.command("list")
def list_teams(
    *, data_dir: DataDirOfServer = None, database_url: DatabaseUrl = None, as_json: AsJson = False
) -> None:
    """List the teams of a database, oldest first."""

    async def read() -> "list[TeamRow]":
        from loopwright.server.definitions.database import open_database
        from loopwright.server.store.teams import load_teams

        async with (
            open_database(find_data(data_dir, database_url), database_url) as pool,
            pool.acquire() as tx,
        ):
            return await load_teams(tx)

    teams = run_on_database(read())
    if as_json:
        rows = [{"id": team.id, "name": team.name, "sendingDomain": team.sending_domain} for team in teams]
        typer.echo(msgspec.json.encode(rows).decode())
    else:
        show_table(
            ("id", "name", "sending domain"), [(team.id, team.name, team.sending_domain) for team in teams]
        )


@app.command()
def create(
    name: Annotated[str, typer.Argument(help="What the API and the dashboard call the team.")],
    *,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make a further team, and print its first API key. It is shown only now.

    Servers that run know it at once. Teams see nothing of each other; `team set --team NAME` changes one.
    """

    async def make() -> "tuple[TeamRow, str]":
        from loopwright.server.bootstrap import create_team
        from loopwright.server.clock import SystemClock
        from loopwright.server.definitions.database import open_database

        async with (
            open_database(find_data(data_dir, database_url), database_url) as pool,
            pool.acquire() as tx,
            tx.transaction(),
        ):
            return await create_team(tx, name, SystemClock().now())

    team, key = run_on_database(make())
    if as_json:
        typer.echo(msgspec.json.encode({"id": team.id, "name": team.name, "apiKey": key}).decode())
    else:
        say(f"Team {team.name}: {team.id}")
        say(f"API key (shown only now): {key}")


@app.command("set")
def set_(
    *,
    name: Annotated[str | None, typer.Option(help="What the API and the dashboard call the team.")] = None,
    company: Annotated[str | None, typer.Option(help="Stands in the footer of marketing email.")] = None,
    address: Annotated[str | None, typer.Option(help="The postal address, same place.")] = None,
    sending_domain: Annotated[str | None, typer.Option(help="The domain that email comes from.")] = None,
    double_opt_in: Annotated[
        bool | None,
        typer.Option("--double-opt-in/--no-double-opt-in", help="Have contacts of forms confirm first."),
    ] = None,
    copies: Annotated[
        bool | None,
        typer.Option("--copies/--no-copies", help="Let workflow and transactional emails have CC and BCC."),
    ] = None,
    attachments: Annotated[
        bool | None,
        typer.Option("--attachments/--no-attachments", help="Let transactional sends bring files along."),
    ] = None,
    tracking: Annotated[
        bool | None,
        typer.Option("--tracking/--no-tracking", help="Have marketing email tell of opens and clicks."),
    ] = None,
    hash_visitors: Annotated[
        bool | None,
        typer.Option(
            "--hash-visitors/--drop-visitors",
            help="Keep a hash of the address and program of an open or click, or nothing of them.",
        ),
    ] = None,
    time_zone: Annotated[
        str | None,
        typer.Option(help="Of times without an offset, as those of schedules: Europe/Berlin, for one."),
    ] = None,
    warm_up: Annotated[
        int | None,
        typer.Option(
            "--warm-up",
            metavar="EMAILS",
            help="Begin a warm-up plan: so much marketing email on the first day, then more day by day.",
        ),
    ] = None,
    warm_up_hour: Annotated[
        int | None,
        typer.Option(metavar="EMAILS", help="In an hour of its first day; else an eighth of the day's."),
    ] = None,
    warm_up_growth: Annotated[
        int | None,
        typer.Option(metavar="PERCENT", help="That a day has more after a day of use; 50 at first."),
    ] = None,
    warm_up_until: Annotated[
        int | None,
        typer.Option(metavar="EMAILS", help="A day with which the plan is over; 100000 at first."),
    ] = None,
    no_warm_up: Annotated[bool, typer.Option("--no-warm-up", help="Have no caps.")] = False,
    block: Annotated[
        list[str] | None,
        typer.Option(help="Keep addresses out: *@example.com, *@*.edu, or one address. Repeatable."),
    ] = None,
    unblock: Annotated[list[str] | None, typer.Option(help="Take a pattern off. Repeatable.")] = None,
    team: Team = None,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Change what is given and leave the rest.

    Servers that run see the change within seconds. Blocking keeps new addresses out; contacts that have one
    stay.
    """
    from loopwright.server.team_settings import OFF, SettingChanges, WarmUpChanges

    plan = WarmUpChanges(per_day=warm_up, per_hour=warm_up_hour, growth=warm_up_growth, until=warm_up_until)
    if no_warm_up and plan != WarmUpChanges():
        raise CommandFailed("give a warm-up plan, or --no-warm-up, not both")
    changes = SettingChanges(
        name=name,
        company=company,
        address=address,
        sending_domain=sending_domain,
        double_opt_in=double_opt_in,
        copies=copies,
        attachments=attachments,
        tracking=tracking,
        hash_visitors=hash_visitors,
        time_zone=time_zone,
        warm_up=OFF if no_warm_up else plan,
        block=block or (),
        unblock=unblock or (),
    )
    _show(*run_on_database(_change(changes, team, data_dir, database_url)), as_json=as_json)


@app.command()
def notices(
    address: Annotated[str | None, typer.Argument(help="Where to write to.")] = None,
    *,
    off: Annotated[bool, typer.Option("--off", help="Write to nobody.")] = False,
    team: Team = None,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Have a team written to when something needs somebody, such as a paused workflow that loses contacts.

    Without an address or --off it shows where notices go.
    """

    async def run() -> str | None:
        from loopwright.server.mail.addresses import ascii_address
        from loopwright.server.store.notices import load_address, set_address

        async with opened_team(team, data_dir, database_url) as (tx, found):
            if address is not None or off:
                await set_address(tx, found.id, None if address is None else ascii_address(address))
            return await load_address(tx, found.id)

    if address is not None and off:
        raise CommandFailed("give an address, or --off, not both")
    to = run_on_database(run())
    say(f"Notices go to {to}." if to else "Notices go to nobody.")


async def _change(
    changes: "SettingChanges", team: str | None, data_dir: Path | None, database_url: str | None
) -> "Settings":
    from loopwright.server.clock import SystemClock
    from loopwright.server.team_settings import change_team

    async with opened_team(team, data_dir, database_url) as (tx, found):
        return await _load(tx, await change_team(tx, found.id, changes, now=SystemClock().now()))


async def _load(tx: "Connection", team: "TeamRow") -> "Settings":
    """A team with what is kept apart from it: its forms, and its warm-up plan."""
    from loopwright.server.store.forms import load_forms
    from loopwright.server.store.warm_ups import find_warm_up

    forms = [f"/api/newsletter-form/{form.id}" for form in await load_forms(tx, team.id)]
    return team, forms, await find_warm_up(tx, team.id)


@keys.command("list")
def list_keys(
    *,
    team: Team = None,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the keys by name; the keys themselves are not stored."""

    async def read() -> "list[KeyRow]":
        from loopwright.server.store.teams import load_keys

        async with opened_team(team, data_dir, database_url) as (tx, found):
            return await load_keys(tx, found.id)

    rows = run_on_database(read())
    if as_json:
        typer.echo(msgspec.json.encode(rows).decode())
    else:
        show_table(
            ("id", "name", "created"), [(row.id, row.name, f"{row.created_at:%Y-%m-%d}") for row in rows]
        )


@keys.command("create")
def create_key(
    name: Annotated[str, typer.Argument(help="What the key is for; one key for each purpose.")],
    *,
    team: Team = None,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Make a key and print it. It is shown only now."""

    async def create() -> str:
        from loopwright.ids import new_id
        from loopwright.server.clock import SystemClock
        from loopwright.server.keys import hash_key, new_key
        from loopwright.server.store.teams import insert_key

        key, now = new_key(), SystemClock().now()
        async with opened_team(team, data_dir, database_url) as (tx, found):
            await insert_key(tx, found.id, key_id=new_id(now), name=name, key_hash=hash_key(key), now=now)
        return key

    typer.echo(run_on_database(create()))


@keys.command("revoke")
def revoke_key(
    key_id: Annotated[str, typer.Argument(help="The key's id, from the list.")],
    *,
    team: Team = None,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Take a key away. Servers that run refuse it within seconds."""

    async def revoke() -> bool:
        from loopwright.server.store.teams import delete_key

        async with opened_team(team, data_dir, database_url) as (tx, found):
            return await delete_key(tx, found.id, key_id)

    if not run_on_database(revoke()):
        raise CommandFailed(f"there is no key {key_id}; `loopwright team keys list` shows those there are")
    say("Revoked.")


def _show(team: "TeamRow", forms: list[str], plan: "WarmUpRow | None", *, as_json: bool) -> None:
    facts = {
        "id": team.id,
        "name": team.name,
        "company": team.company,
        "address": team.address,
        "sendingDomain": team.sending_domain,
        "doubleOptIn": team.double_opt_in,
        "optInEmail": team.opt_in_id,
        "copies": team.copies,
        "attachments": team.attachments,
        "tracking": team.tracking,
        "hashVisitors": team.hash_visitors,
        "timeZone": team.time_zone,
        "warmUp": plan
        and {
            "perDay": plan.per_day,
            "perHour": plan.per_hour,
            "growth": plan.growth,
            "until": plan.until,
            "cap": plan.cap,
            "day": plan.day.isoformat(),
        },
        "blocklist": team.blocklist,
        "forms": forms,
    }
    if as_json:
        typer.echo(msgspec.json.encode(facts).decode())
        return
    show_table(("setting", "value"), [(key, _text(value)) for key, value in facts.items()])


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, dict):
        return ", ".join(f"{name} {one}" for name, one in cast("dict[str, object]", value).items())
    if isinstance(value, list):
        return ", ".join(str(one) for one in cast("list[object]", value))
    return str(value or "")
