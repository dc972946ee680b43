"""`loopwright sealing`: the key that the database's secrets are sealed with."""

import asyncio
from typing import Annotated

import typer

from loopwright.cli.hosting import check_server_runs_here, failures_told, find_data
from loopwright.cli.hosting_options import DatabaseUrl, DataDirOfServer
from loopwright.cli.session import say

app = typer.Typer(no_args_is_help=True, help="The key that seals DKIM keys in the database.")


@app.command()
def new() -> None:
    """Print a new sealing key, to be given to every server and worker as LOOPWRIGHT_SEALING_KEY.

    Only beside --database-url: a data folder has one of its own, in the file sealing.key.
    """
    check_server_runs_here()
    from loopwright.server.sealing import new_sealing_key

    typer.echo(new_sealing_key())


@app.command()
def reset(
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
    data_dir: DataDirOfServer = None,
    database_url: DatabaseUrl = None,
) -> None:
    """Take away what is sealed with a key that is lost: the DKIM keys of all teams, for good.

    Stop the servers first. The next key that they get is the one; make new DKIM keys with `domain add`.
    """
    check_server_runs_here()
    place = find_data(data_dir, database_url)
    if not yes:
        typer.confirm("Take away the DKIM keys of all teams, for good?", abort=True, err=True)

    async def forget() -> int:
        from loopwright.server.definitions.database import open_database
        from loopwright.server.store.sealing import forget_sealed

        async with open_database(place, database_url) as pool, pool.acquire() as tx, tx.transaction():
            return await forget_sealed(tx)

    with failures_told():
        count = asyncio.run(forget())
    say(f"Taken away: {count} DKIM keys. Make new ones with: loopwright domain add DOMAIN")
