"""PostgreSQL's own programs that dump and restore a database: which ones can, and how they are called.

Those of the wheel speak no TLS, and know no server newer than themselves; then the ones on the PATH are used.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, TypeAlias
from urllib.parse import parse_qsl, quote, unquote, urlsplit, urlunsplit

from . import wheel

NEEDED = ("pg_dump", "pg_restore", "psql")
ENCRYPTED = ("require", "verify-ca", "verify-full")

Process: TypeAlias = "subprocess.Popen[bytes]"


class ClientFailure(Exception):
    """A program is missing, or failed; the text says which, and what it said last."""


class Clients:
    """The programs for the database at `url`, whose server is of the version `major`."""

    def __init__(self, url: str, major: int) -> None:
        self._url, self._environment = _without_password(url)
        self._folder = _folder_for(url, major)

    @contextmanager
    def running(
        self, program: str, arguments: Sequence[str], *, stdin: "int | IO[bytes]", stdout: "int | IO[bytes]"
    ) -> Generator[Process]:
        """Run a program while the context lasts, and wait for its end. Raises `ClientFailure` if it fails.

        An exception within the context ends the program.
        """
        with TemporaryFile() as said:
            process = subprocess.Popen(  # noqa: S603  # no shell is in between
                [self._folder / program, *arguments],
                stdin=stdin,
                stdout=stdout,
                stderr=said,
                env=self._environment,
            )
            with process:
                try:
                    yield process
                except BaseException:
                    process.kill()
                    raise
            if process.returncode:
                said.seek(0)
                raise ClientFailure(f"{program} failed: {_last_words(said.read().decode(errors='replace'))}")

    def connected(self) -> list[str]:
        """The arguments that have a program connect to the database."""
        return ["--no-password", f"--dbname={self._url}"]


def _folder_for(url: str, major: int) -> Path:
    mode = dict(parse_qsl(urlsplit(url).query)).get("sslmode") or os.environ.get("PGSSLMODE")
    if int(wheel.VERSION) >= major and mode not in ENCRYPTED:
        return wheel.programs()
    found = shutil.which("pg_dump")
    if found and all(shutil.which(name) for name in NEEDED) and _version(found) >= major:
        return Path(found).parent
    why = "encrypted connections" if mode in ENCRYPTED else f"PostgreSQL {major}"
    raise ClientFailure(
        f"For {why} the programs {', '.join(NEEDED)} of PostgreSQL {major} or newer have to be on the PATH; "
        "install your system's package of PostgreSQL's client."
    )


def _version(pg_dump: str) -> int:
    answer = subprocess.run([pg_dump, "--version"], capture_output=True, text=True, check=False)  # noqa: S603
    found = re.search(r"(\d+)", answer.stdout)
    return int(found[1]) if found else 0


def _without_password(url: str) -> tuple[str, dict[str, str]]:
    """The URL as all users of the machine may see it, and the environment with the rest."""
    parts = urlsplit(url)
    environment = wheel.environment()
    query = [(key, value) for key, value in parse_qsl(parts.query) if key != "password"]
    password = dict(parse_qsl(parts.query)).get("password") or unquote(parts.password or "")
    if password:
        environment["PGPASSWORD"] = password
    user = f"{quote(unquote(parts.username))}@" if parts.username else ""
    host = parts.netloc.rpartition("@")[2]
    text = "&".join(f"{key}={quote(value, safe='')}" for key, value in query)
    return urlunsplit((parts.scheme, user + host, parts.path, text, "")), environment


def _last_words(said: str) -> str:
    lines = [line for line in said.splitlines() if "error" in line.lower() or "FATAL" in line]
    return (lines or said.splitlines() or ["it said nothing"])[0].strip()
