"""A database that cannot be used is told in one sentence that says what to do, and never shows a password."""

import asyncio
import socket
import subprocess
from collections.abc import AsyncIterator

import asyncpg
import pytest

from loopwright.server.store.address import DatabaseProblem, check_address
from loopwright.server.store.schema import bring_up
from support.databases import named
from support.examples import WELCOME
from support.process import LOOPWRIGHT

SECRET = "hunter2secret"
ROLE = f"""
    DROP ROLE IF EXISTS limited;
    CREATE ROLE limited LOGIN PASSWORD '{SECRET}';
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
"""


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("mysql://root@db.example.com/mail", "has to begin with postgresql://, not with mysql://"),
        ("postgresql+asyncpg://ada@db.example.com/mail", "not with postgresql+asyncpg://"),
        ("db.example.com:5432/mail", "has to begin with postgresql://"),
        ("", "has to begin with postgresql://"),
        (f"postgresql://ada:{SECRET}#1@db.example.com/mail", "written %23"),
        (f"postgresql://ada:{SECRET}@1@db.example.com/mail", "and %40"),
        (f"postgresql://ada:{SECRET}/1@db.example.com/mail", "written %3A or %2F"),
        (f"postgresql://ada:{SECRET}@db.example.com:port/mail", "no number as its port"),
        (f"postgresql://ada:{SECRET}@db.example.com:99999/mail", "no number as its port"),
        (f"postgresql://ada:{SECRET}@[db.example.com/mail", "cannot be read"),
        (f"postgresql://ada:{SECRET}?x@db.example.com/mail", "cannot be read"),
        ("postgresql://ada@db.example.com/mail?channel_binding=require", "leave it out"),
        ("postgresql://ada@db.example.com/mail?pgbouncer=true", "pgbouncer, which is not known"),
        ("postgresql://ada@db.example.com/mail?ssl=require", "sslmode=require"),
        ("postgresql://ada@db.example.com/mail?sslmode=on", "verify-full"),
        ("postgresql://ada@db.example.com/mail?sslrootcert=system", "no file that can be read"),
    ],
)
def test_no_address(url: str, text: str) -> None:
    """What is wrong with the text alone is said before anything is asked."""
    with pytest.raises(DatabaseProblem) as told:
        check_address(url)
    assert text in str(told.value)
    assert SECRET not in str(told.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgres://ada:%23%40%2F@db.example.com/mail?sslmode=require&application_name=mail",
        "postgresql:///mail?host=/run/postgresql&port=5433",
        "postgresql://ada@[::1]:5432/mail",
        "postgresql://ada@one.example.com:5432,two.example.com:5433/mail?target_session_attrs=primary",
    ],
)
def test_addresses(url: str) -> None:
    """All forms that the driver reads."""
    check_address(url)


@pytest.fixture
async def limited(database_url: str) -> AsyncIterator[str]:
    """The URL of a user who may connect to an empty database, and no more."""
    admin = await asyncpg.connect(database_url)
    await admin.execute("DROP DATABASE IF EXISTS bare")
    await admin.execute("CREATE DATABASE bare")
    await admin.execute(ROLE)
    yield named(database_url, "bare").replace("postgres@", f"limited:{SECRET}@")
    await admin.execute("DROP DATABASE bare WITH (FORCE)")
    await admin.execute("DROP ROLE limited")
    await admin.close()


async def test_no_rights(limited: str) -> None:
    """Who may not make tables hears which right to ask for."""
    with pytest.raises(
        DatabaseProblem, match=r"limited lacks a right .* GRANT CREATE ON SCHEMA public TO limited"
    ) as told:
        await bring_up(limited)
    assert SECRET not in str(told.value)


async def test_no_such_database(database_url: str) -> None:
    """It is named, and how to make it."""
    with pytest.raises(DatabaseProblem, match=r"nowhere.*CREATE DATABASE"):
        await bring_up(named(database_url, "nowhere"))


async def test_a_host_that_is_not_there() -> None:
    """A name that nobody knows."""
    with pytest.raises(DatabaseProblem, match=r"db\.invalid cannot be reached: no host of that name"):
        await bring_up("postgresql://ada@db.invalid/mail")


async def test_nobody_there() -> None:
    """A server that is down, or not at that address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"postgresql://ada:{SECRET}@127.0.0.1:{port}/mail"
    with pytest.raises(DatabaseProblem, match=f"The database at 127.0.0.1:{port} cannot be reached") as told:
        await bring_up(url)
    assert SECRET not in str(told.value)


REFUSALS = {
    "28P01": ("password authentication failed", "refuses the password of ada"),
    "28000": ("no pg_hba.conf entry, no encryption", "does not let ada in: no pg_hba.conf entry"),
    "53300": ("too many clients", "has no connection left: too many clients"),
    "57P03": ("the database system is starting up", "starting up; try again in a moment"),
    "08P01": ("unsupported startup parameter: options", "cannot be reached: unsupported startup parameter"),
}


@pytest.mark.parametrize("code", REFUSALS)
async def test_a_server_that_refuses(code: str) -> None:
    """What a server, or a pooler, may say before there is a session."""
    said, text = REFUSALS[code]

    async def refuse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1000)
        fields = f"SFATAL\0VFATAL\0C{code}\0M{said}\0\0".encode()
        writer.write(b"E" + (len(fields) + 4).to_bytes(4, "big") + fields)
        writer.close()

    async with await asyncio.start_server(refuse, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(DatabaseProblem) as told:
            await bring_up(f"postgresql://ada:{SECRET}@127.0.0.1:{port}/mail?sslmode=disable")
    assert text in str(told.value)
    assert SECRET not in str(told.value)


@pytest.mark.parametrize(
    "command", [["serve", "--port", "0"], ["worker"], ["team", "show"], ["apply", str(WELCOME)]]
)
async def test_commands(command: list[str]) -> None:
    """Every command that opens the database ends with that sentence and 2."""
    url = f"postgresql://ada:{SECRET}@127.0.0.1:1/mail"
    ended = subprocess.run(
        [LOOPWRIGHT, *command, "--database-url", url], capture_output=True, text=True, check=False
    )
    assert ended.returncode == 2
    lines = ended.stderr.strip().splitlines()
    assert len(lines) == 1
    assert "127.0.0.1:1 cannot be reached" in lines[0]
    assert SECRET not in ended.stderr + ended.stdout
