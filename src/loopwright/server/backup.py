"""Backups: a whole database in one file, as it was at one moment, and back again.

The file is an archive of pg_dump's custom format, which PostgreSQL's own programs can read, too. A restore is
one transaction, in which what was there goes and what the file holds comes: it happens, or nothing does.
"""

import asyncio
import os
import re
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from hashlib import file_digest, sha256
from pathlib import Path
from typing import IO, LiteralString

from msgspec import Struct

from loopwright.server.store.clients import Clients
from loopwright.server.store.database import Connection, connected
from loopwright.server.store.migrations import HEAD
from loopwright.server.store.schema import current_revision, migrate
from loopwright.server.store.sealing import load_check_value

ARCHIVE = b"PGDMP"
"""How the file begins."""
SEAL = b"\nloopwright backup, sha256 of all before this line: "
SEAL_BYTES = len(SEAL) + 64
CHUNK = 2**20
LOOK_SECONDS = 0.05
# Servers before 17 know no such setting, and the dump writes it down for all.
UNKNOWN_SETTING = b"SET transaction_timeout = 0;\n"

COUNTED = ("team", "contact", "event", "email", "run", "pgqueuer")
SCHEMA: LiteralString = "SELECT current_schema()"
MAJOR: LiteralString = "SELECT current_setting('server_version_num')::integer / 10000"
HAS_SEALING: LiteralString = "SELECT to_regclass('sealing') IS NOT NULL"
SNAPSHOT: LiteralString = "SELECT pg_export_snapshot()"
TABLES: LiteralString = """
    SELECT count(*) FROM pg_class
     WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v')
"""
IN_USE: LiteralString = """
    SELECT count(*) FROM pg_stat_activity
     WHERE datname = current_database() AND application_name = 'loopwright' AND pid <> pg_backend_pid()
"""
# What belongs to an extension stays with it.
EMPTY = b"""
SET client_min_messages = warning;
DO $$
DECLARE one text;
BEGIN
    FOR one IN
        SELECT CASE relkind WHEN 'v' THEN 'VIEW ' WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || oid::regclass
          FROM pg_class
         WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'S')
           AND NOT relispartition
           AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
         ORDER BY relkind = 'S'
    LOOP EXECUTE 'DROP ' || replace(one, ' ', ' IF EXISTS ') || ' CASCADE'; END LOOP;
    FOR one IN
        SELECT 'ROUTINE ' || oid::regprocedure FROM pg_proc
         WHERE pronamespace = current_schema()::regnamespace
           AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
        UNION ALL
        SELECT 'TYPE ' || pg_type.oid::regtype FROM pg_type LEFT JOIN pg_class ON pg_class.oid = typrelid
         WHERE typnamespace = current_schema()::regnamespace AND typelem = 0
           AND (typtype IN ('e', 'd') OR relkind = 'c')
           AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_type.oid AND deptype = 'e')
    LOOP EXECUTE 'DROP ' || one || ' CASCADE'; END LOOP;
END $$;
"""

Progress = Callable[[int], None]
"""Hears how many bytes are done."""


class BackupFailure(Exception):
    """A backup or a restore cannot be; the text says why, and nothing has changed."""


class Contents(Struct, frozen=True):
    """What a database holds: the revision of its tables, and how many rows the largest of them have.

    `is_sealed` says whether some of it can only be read with the sealing key, which is not in the database.
    """

    revision: str
    counts: Mapping[str, int]
    is_sealed: bool


async def back_up(url: str, file: Path, progress: Progress) -> Contents:
    """Write the database at `url` into a new `file` for its owner alone, while others go on writing to it."""
    _check_new(file)
    async with connected(url) as connection, connection.transaction(isolation="repeatable_read"):
        contents = await _contents(connection)
        if contents is None:
            raise BackupFailure("There is nothing of Loopwright in this database")
        # The dump and the counts see the same moment.
        snapshot = await connection.fetchval(SNAPSHOT)
        arguments = [
            *("--format=custom", "--no-owner", "--no-privileges", "--exclude-table-data=write_probe"),
            *(f'--schema="{await connection.fetchval(SCHEMA)}"', f"--snapshot={snapshot}"),
        ]
        clients = await _clients(connection, url)
        await asyncio.to_thread(_dump, clients, arguments, file, progress)
    return contents


async def restore(url: str, file: Path, progress: Progress) -> Contents:
    """Fill the empty database at `url` with what `file` holds, and bring it up to date."""
    async with connected(url) as connection:
        there = await connection.fetchval(TABLES)
        contents = await _contents(connection) if there else None
    if contents:
        raise BackupFailure(
            f"This database holds a Loopwright already, with {contents.counts['contact']} contacts and "
            f"{contents.counts['event']} events; --replace puts the backup in their place"
        )
    if there:
        raise BackupFailure("This database holds something else already; restore into one of its own")
    return await _fill(url, file, progress)


async def replace(url: str, file: Path, progress: Progress) -> Contents:
    """Put what `file` holds in the place of the Loopwright that is in the database at `url`."""
    async with connected(url) as connection:
        if await connection.fetchval(TABLES) and await _contents(connection) is None:
            raise BackupFailure("This database holds something else; restore into one of its own")
        if await connection.fetchval(IN_USE):
            raise BackupFailure("Servers or workers are using this database; stop them first")
    return await _fill(url, file, progress)


async def _fill(url: str, file: Path, progress: Progress) -> Contents:
    async with connected(url) as connection:
        clients = await _clients(connection, url)
        archive = await asyncio.to_thread(_read_archive, clients, file)
        if archive.revision > HEAD:
            raise BackupFailure(
                f"{file} was made by a newer Loopwright (revision {archive.revision}, and this one knows "
                f"{HEAD}); restore it with that one"
            )
        schema = await connection.fetchval(SCHEMA)
        if archive.schema != schema:
            raise BackupFailure(
                f"{file} is of a schema {archive.schema}, and this database's is {schema}; have the user's "
                f"search_path begin with {archive.schema}"
            )
    await asyncio.to_thread(_replay, clients, archive, progress)
    await migrate(url)
    async with connected(url) as connection:
        await connection.execute("ANALYZE")
        contents = await _contents(connection)
    assert contents is not None, "it was migrated"
    return contents


def _check_new(file: Path) -> None:
    if file.exists():
        raise BackupFailure(f"{file} is there already; name a new file")


async def _clients(connection: Connection, url: str) -> Clients:
    return Clients(url, await connection.fetchval(MAJOR))


async def _contents(connection: Connection) -> Contents | None:
    """What there is of Loopwright; None when there is nothing."""
    revision = await current_revision(connection)
    if revision is None:
        return None
    counts = {name: int(await connection.fetchval(f"SELECT count(*) FROM {name}")) for name in COUNTED}
    is_sealed = bool(
        await connection.fetchval(HAS_SEALING) and await load_check_value(connection) is not None
    )
    return Contents(revision, counts, is_sealed)


def _dump(clients: Clients, arguments: Sequence[str], file: Path, progress: Progress) -> None:
    """Have pg_dump write `file`, which is there once it is whole."""
    part = file.with_name(f"{file.name}.part")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise BackupFailure(
            f"{part} is there: another backup is being made, or one broke off; remove it"
        ) from None
    except OSError as problem:
        raise BackupFailure(f"{file} cannot be written: {problem.strerror}") from None
    try:
        with os.fdopen(descriptor, "wb") as out:
            given = [*arguments, *clients.connected()]
            with clients.running("pg_dump", given, stdin=subprocess.DEVNULL, stdout=out) as dump:
                while dump.poll() is None:
                    progress(os.fstat(descriptor).st_size)
                    time.sleep(LOOK_SECONDS)
            _seal(part, out)
            os.fsync(descriptor)
        # Unlike giving it another name this takes no other file's place.
        os.link(part, file)
    except FileExistsError:
        raise BackupFailure(f"{file} is there already; name a new file") from None
    finally:
        part.unlink(missing_ok=True)


def _seal(file: Path, out: IO[bytes]) -> None:
    """Add what tells a whole file from a torn one. PostgreSQL's programs pass over it."""
    with file.open("rb") as written:
        sum_ = file_digest(written, "sha256").hexdigest()
    out.seek(0, os.SEEK_END)
    out.write(SEAL + sum_.encode())
    out.flush()


def check_whole(file: Path) -> None:
    """See that the file is one of ours, whole. Raises `BackupFailure`."""
    try:
        with file.open("rb") as given:
            begins = given.read(len(ARCHIVE))
            seen, rest = sha256(begins), file.stat().st_size - SEAL_BYTES - len(ARCHIVE)
            while rest > 0 and (chunk := given.read(min(CHUNK, rest))):
                seen.update(chunk)
                rest -= len(chunk)
            ends = given.read()
    except OSError as problem:
        raise BackupFailure(f"{file} cannot be read: {problem.strerror}") from None
    if begins != ARCHIVE:
        raise BackupFailure(f"{file} is no backup that `loopwright backup` has made")
    if ends != SEAL + seen.hexdigest().encode():
        raise BackupFailure(f"{file} is not whole: it was cut off or changed since it was made")


class Archive(Struct, frozen=True):
    """A backup's file, and what it says of itself."""

    file: Path
    schema: str
    revision: str


def _read_archive(clients: Clients, file: Path) -> Archive:
    check_whole(file)
    contents = _said_by(clients, ["--list", str(file)])
    schema = re.search(r"TABLE (\S+) alembic_version ", contents)
    if schema is None:
        raise BackupFailure(f"{file} holds some other database than Loopwright's")
    table = _said_by(clients, ["--data-only", "--table=alembic_version", "--file=-", str(file)])
    revision = re.search(r"^COPY .*\n(\w+)$", table, re.MULTILINE)
    if revision is None:
        raise BackupFailure(f"{file} does not say of which revision it is")
    return Archive(file, schema[1], revision[1])


def _said_by(clients: Clients, arguments: Sequence[str]) -> str:
    with clients.running("pg_restore", arguments, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as reader:
        assert reader.stdout is not None
        return reader.stdout.read().decode()


def _replay(clients: Clients, archive: Archive, progress: Progress) -> None:
    """Empty the schema and fill it again, in one transaction; a failure on either side takes it back."""
    into = ["--no-psqlrc", "--quiet", "--single-transaction", "--set=ON_ERROR_STOP=1", *clients.connected()]
    out_of = ["--no-owner", "--no-privileges", f"--schema={archive.schema}", "--file=-", str(archive.file)]
    with clients.running("psql", into, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as sink:
        assert sink.stdin is not None
        with (
            suppress(BrokenPipeError),  # psql has ended, and says why itself
            clients.running("pg_restore", out_of, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as source,
        ):
            assert source.stdout is not None
            sink.stdin.write(EMPTY)
            _copy(source.stdout, sink.stdin, progress)
        with suppress(BrokenPipeError):
            sink.stdin.close()


def _copy(source: IO[bytes], sink: IO[bytes], progress: Progress) -> None:
    count = 0
    while chunk := source.read(CHUNK):
        if count == 0:
            chunk = chunk.replace(UNKNOWN_SETTING, b"", 1)
        sink.write(chunk)
        count += len(chunk)
        progress(count)
    sink.flush()
