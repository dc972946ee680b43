"""`loopwright domain`: the domains that a team sends from, their DKIM keys, and what belongs in the DNS."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from loopwright.cli.failure import CommandFailed, ExitCode
from loopwright.cli.hosting import find_data
from loopwright.cli.hosting_options import (
    DatabaseUrl,
    DataDirOfServer,
    PublicUrl,
    SealingKeyOption,
    SmtpUrl,
    check_smtp_url,
    read_url,
)
from loopwright.cli.on_database import Team, opened_team, run_on_database
from loopwright.cli.session import AsJson, say, show_table
from loopwright.server.settings import SEALING_FILE

if TYPE_CHECKING:
    from loopwright.server.domains import Domain
    from loopwright.server.sealing import SealingKey
    from loopwright.server.store.database import Connection

app = typer.Typer(
    no_args_is_help=True, help="Domains to send from: DKIM keys, their rotation, records for the DNS."
)

Name = Annotated[str | None, typer.Argument(help="Without it, the domain that the team sends from.")]
ResolverOption = Annotated[
    str | None,
    typer.Option("--resolver", help="Ask this DNS server, such as 9.9.9.9, instead of the system's."),
]


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="The domain, such as mail.example.com.")],
    *,
    ed25519: Annotated[
        bool, typer.Option("--ed25519", help="Sign with Ed25519, too, beside RSA-2048.")
    ] = False,
    bounce_domain: Annotated[
        str | None,
        typer.Option(help="Where bounces come back to, such as bounces.example.com; '' takes it away."),
    ] = None,
    sealing_key: SealingKeyOption = None,
    smtp_url: SmtpUrl = None,
    public_url: PublicUrl = None,
    team: Team = None,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Send from a domain: make its DKIM key, which signs at once, and print what to put into the DNS.

    A domain that is there already keeps its keys. Servers that run see it within seconds.
    """
    check_smtp_url(smtp_url)

    async def work() -> "Domain":
        from loopwright.server.clock import SystemClock
        from loopwright.server.domains import add_domain

        async with opened_team(team, data_dir, database_url) as (tx, found):
            sealing = await _sealing(tx, sealing_key, data_dir, database_url)
            return await add_domain(
                tx,
                found.id,
                sealing,
                name,
                ed25519=ed25519,
                bounce_domain=bounce_domain,
                now=SystemClock().now(),
            )

    _show(run_on_database(work()), smtp_url, public_url, as_json=as_json)


@app.command()
def remove(
    name: Annotated[str, typer.Argument(help="The domain.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Remove it without asking.")] = False,
    team: Team = None,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Forget a domain and its DKIM keys, for good.

    Email of a team that sends from it is held until there is another domain: to change domains, add the new
    one first. What waits comes from the domain that the team has when it leaves.
    """

    async def look() -> "tuple[Domain, int]":
        from loopwright.server.domains import load_domain
        from loopwright.server.store.domains import count_waiting

        async with opened_team(team, data_dir, database_url) as (tx, found):
            domain = await load_domain(tx, found.id, name)
            return domain, await count_waiting(tx, found.id) if domain.is_used else 0

    async def work() -> None:
        from loopwright.server.clock import SystemClock
        from loopwright.server.domains import remove_domain

        async with opened_team(team, data_dir, database_url) as (tx, found):
            await remove_domain(tx, found.id, name, now=SystemClock().now())

    domain, waiting = run_on_database(look())
    if not yes:
        _agree_to_remove(domain, waiting, as_json=as_json)
    run_on_database(work())
    if as_json:
        facts = {"domain": domain.name, "removed": True, "wasUsed": domain.is_used, "waiting": waiting}
        typer.echo(msgspec.json.encode(facts).decode())
    else:
        say(
            f"{domain.name} is removed, with its keys. Leave its records in the DNS for a week: email that "
            f"it signed is under way."
        )


def _agree_to_remove(domain: "Domain", waiting: int, *, as_json: bool) -> None:
    """Say what it means, and ask; raises `CommandFailed` where nobody can answer or somebody says no."""
    held = (
        f" The team sends from it: its email, {waiting} waiting now, is held until there is another domain."
        if domain.is_used
        else ""
    )
    question = f"Remove {domain.name} and its {len(domain.keys)} DKIM keys for good?{held}"
    if as_json or not typer.confirm(question, err=True):
        raise CommandFailed(
            f"{domain.name} was not removed.{held} Give --yes to remove it.",
            ExitCode.REFUSED,
            {"domain": domain.name, "removed": False, "waiting": waiting},
        )


@app.command("list")
def list_domains(
    *,
    team: Team = None,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """List the team's domains, and which of them its email comes from."""

    async def work() -> "list[Domain]":
        from loopwright.server.domains import load_all

        async with opened_team(team, data_dir, database_url) as (tx, found):
            return await load_all(tx, found.id)

    domains = run_on_database(work())
    if as_json:
        typer.echo(msgspec.json.encode([_facts(domain) for domain in domains]).decode())
        return
    show_table(
        ("domain", "sends", "signs with", "waiting keys", "bounce domain"),
        [
            (
                domain.name,
                "yes" if domain.is_used else "no",
                ", ".join(f"{key.algorithm} {key.selector}" for key in domain.active),
                ", ".join(f"{key.algorithm} {key.selector}" for key in domain.waiting),
                domain.bounce_domain,
            )
            for domain in domains
        ],
    )


@app.command()
def show(
    name: Name = None,
    *,
    smtp_url: SmtpUrl = None,
    public_url: PublicUrl = None,
    team: Team = None,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Print what to put into the DNS for a domain."""
    check_smtp_url(smtp_url)

    async def work() -> "Domain":
        from loopwright.server.domains import load_domain

        async with opened_team(team, data_dir, database_url) as (tx, found):
            return await load_domain(tx, found.id, name)

    _show(run_on_database(work()), smtp_url, public_url, as_json=as_json)


@app.command()
def rotate(
    name: Name = None,
    *,
    activate: Annotated[
        bool, typer.Option("--activate", help="Sign with the new key now, without looking for it in the DNS.")
    ] = False,
    resolver: ResolverOption = None,
    sealing_key: SealingKeyOption = None,
    team: Team = None,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Replace a domain's DKIM keys: make new ones, and once they are published sign with them.

    Call it twice. The first time it prints the records to publish. When they are found in the DNS, the new
    keys sign in the place of the old ones; until then it ends with 1.
    """

    async def work() -> "tuple[Domain, list[str]]":
        from loopwright.server.clock import SystemClock
        from loopwright.server.dns import Dns
        from loopwright.server.doctor import missing_keys
        from loopwright.server.domains import begin_rotation, end_rotation

        dns = Dns(resolver)
        async with opened_team(team, data_dir, database_url) as (tx, found):
            sealing = await _sealing(tx, sealing_key, data_dir, database_url)
            domain = await begin_rotation(tx, found.id, sealing, name, now=SystemClock().now())
        missing = [] if activate else await missing_keys(dns, domain)
        if not missing:
            async with opened_team(team, data_dir, database_url) as (tx, found):
                domain = await end_rotation(tx, found.id, domain.name, now=SystemClock().now())
        return domain, missing

    domain, missing = run_on_database(work())
    _show_rotation(domain, missing, as_json=as_json)


def _show_rotation(domain: "Domain", missing: list[str], *, as_json: bool) -> None:
    if missing:
        lines = "\n".join(f"  {line}" for line in missing)
        raise CommandFailed(
            f"The new keys of {domain.name} sign once they are published. Put into the DNS:\n\n{lines}\n\n"
            f"Then give the same command again.",
            ExitCode.REFUSED,
            {"domain": domain.name, "publish": missing},
        )
    if as_json:
        typer.echo(msgspec.json.encode(_facts(domain)).decode())
    else:
        selectors = ", ".join(key.selector for key in domain.active)
        say(f"{domain.name} is signed with {selectors} now. Leave the old records in the DNS for a week.")


async def _sealing(
    tx: "Connection", given: str | None, data_dir: Path | None, database_url: str | None
) -> "SealingKey":
    """The key to seal with, made in the data folder when there is none yet."""
    from loopwright.server.clock import SystemClock
    from loopwright.server.sealing import SealingFailure, open_sealing

    file = None if database_url else find_data(data_dir, database_url) / SEALING_FILE
    key = await open_sealing(tx, given, file, now=SystemClock().now())
    if key is None:
        raise SealingFailure(
            "DKIM keys are stored sealed, and this database has no sealing key yet; make one with "
            "`loopwright sealing new`, and give it to this command, to every server and every worker as "
            "LOOPWRIGHT_SEALING_KEY"
        )
    return key


def _facts(domain: "Domain") -> dict[str, object]:
    return {
        "domain": domain.name,
        "sends": domain.is_used,
        "bounceDomain": domain.bounce_domain,
        "keys": [
            {
                "selector": key.selector,
                "algorithm": key.algorithm,
                "state": "retired" if key.retired_at else "active" if key.active_since else "waiting",
            }
            for key in domain.keys
        ],
    }


def _show(domain: "Domain", smtp_url: str | None, public_url: str | None, *, as_json: bool) -> None:
    from loopwright.server.dns_records import records_of
    from loopwright.server.mail.decide import is_owned

    records = records_of(domain, relay_host=_relay_host(smtp_url), public_host=_public_host(public_url))
    if as_json:
        facts = _facts(domain) | {
            "records": [
                {**msgspec.to_builtins(record), "strings": record.strings, "zoneLine": record.zone_line}
                for record in records
            ]
        }
        typer.echo(msgspec.json.encode(facts).decode())
    else:
        say(f"The DNS of {domain.name} needs:")
        for record in records:
            say(f"\n{record.purpose}: {record.why}{' (a proposal)' if record.is_hint else ''}")
            say(f"  {record.zone_line}")
        say(f"\nTo see whether all is well: loopwright doctor domain {domain.name}")
    if not is_owned(domain.name):
        typer.echo(
            f"{domain.name} is reserved for tests and examples: with --smtp-url no email leaves from it.",
            err=True,
        )


def _relay_host(smtp_url: str | None) -> str | None:
    from loopwright.server.mail.smtp_url import read_url as read_smtp_url

    return read_smtp_url(smtp_url).host if smtp_url else None


def _public_host(public_url: str | None) -> str | None:
    from urllib.parse import urlsplit

    url = read_url(public_url)
    return urlsplit(url).hostname if url else None
