"""`loopwright suppressions`: addresses that no email goes to, in the database itself."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from loopwright.cli.failure import CommandFailed, ExitCode
from loopwright.cli.hosting import find_data
from loopwright.cli.hosting_options import DatabaseUrl, DataDirOfServer
from loopwright.cli.on_database import Team, opened_team, run_on_database
from loopwright.cli.session import AsJson, say, show_table

if TYPE_CHECKING:
    from loopwright.server.suppression_review import Reviewed

app = typer.Typer(no_args_is_help=True, help="Look at what was suppressed.")


@app.callback()
def _suppressions() -> None:
    pass


@app.command()
def review(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Lift what is wrong without asking.")] = False,
    team: Team = None,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
    as_json: AsJson = False,
) -> None:
    """Find addresses that were suppressed by mistake, by what their servers said, and write to them again.

    Shows those whose servers spoke of something else than the recipient, and apart from them those where
    nobody can tell. Once you agree, the former are lifted, and contacts that got marketing email before are
    subscribed again; that uses up nothing of the removal quota. Ends with 1 when any of them stays.
    """

    async def look() -> "tuple[str, list[Reviewed]]":
        from loopwright.server.store.suppressions import load_bounced
        from loopwright.server.suppression_review import review as judge

        async with opened_team(team, data_dir, database_url) as (tx, found):
            return found.id, judge(await load_bounced(tx, found.id))

    async def lift(team_id: str, wrong: "Sequence[Reviewed]") -> "Sequence[Reviewed]":
        from loopwright.server.clock import SystemClock
        from loopwright.server.definitions.database import open_database
        from loopwright.server.refusal import Unavailable
        from loopwright.server.suppression_lift import lift_wrong

        async with open_database(find_data(data_dir, database_url), database_url) as pool:
            try:
                return await lift_wrong(pool, SystemClock(), team_id, {one.email for one in wrong})
            except Unavailable as problem:
                raise CommandFailed(problem.message, ExitCode.TRY_LATER) from None

    team_id, reviewed = run_on_database(look())
    wrong = [one for one in reviewed if one.verdict == "wrong"]
    if not as_json:
        _show(reviewed)
    lifts = bool(wrong) and (yes or (not as_json and _agreed(len(wrong))))
    lifted = run_on_database(lift(team_id, wrong)) if lifts else ()
    if as_json:
        typer.echo(msgspec.json.encode(_facts(reviewed, lifts=bool(lifted))).decode())
    elif lifts:
        subscribed = sum(one.contact_id is not None for one in lifted)
        say(f"Lifted: {len(lifted)}. Contacts subscribed again: {subscribed}.")
    if len(lifted) < len(wrong):
        raise typer.Exit(ExitCode.REFUSED)


def _agreed(count: int) -> bool:
    addresses = "this address" if count == 1 else f"these {count} addresses"
    return typer.confirm(f"Write to {addresses} again?", err=True)


def _show(reviewed: "Sequence[Reviewed]") -> None:
    for verdict, title in (
        ("wrong", "Suppressed by mistake: their servers spoke of something else"),
        ("uncertain", "Uncertain, and left alone: `loopwright contacts unsuppress` lifts one"),
    ):
        found = [one for one in reviewed if one.verdict == verdict]
        if found:
            say(f"{title}.")
            show_table(
                ("address", "reason", "subscribed again"),
                [(one.email, one.reason, "yes" if one.contact_id else "no") for one in found],
            )
    right = sum(one.verdict == "right" for one in reviewed)
    say(f"Rightly suppressed: {right} of {len(reviewed)} that bounced.")


def _facts(reviewed: "Sequence[Reviewed]", *, lifts: bool) -> dict[str, object]:
    def those(verdict: str) -> list[dict[str, object]]:
        return [
            {"email": one.email, "reason": one.reason, "subscribesAgain": one.contact_id is not None}
            for one in reviewed
            if one.verdict == verdict
        ]

    return {
        "wrong": those("wrong"),
        "uncertain": those("uncertain"),
        "right": sum(one.verdict == "right" for one in reviewed),
        "lifted": lifts,
    }
