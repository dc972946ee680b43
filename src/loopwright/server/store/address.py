"""The address of a database of the operator's own: whether it can be used, and why it cannot, in a sentence.

No sentence holds the password.
"""

import os
import socket
import ssl
from collections.abc import Generator
from contextlib import contextmanager
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

import asyncpg

PARAMETERS = frozenset(
    (
        "application_name",
        "database",
        "dbname",
        "gsslib",
        "host",
        "krbsrvname",
        "options",
        "passfile",
        "password",
        "port",
        "service",
        "sslcert",
        "sslcrl",
        "sslkey",
        "ssl_max_protocol_version",
        "ssl_min_protocol_version",
        "sslmode",
        "sslnegotiation",
        "sslpassword",
        "sslrootcert",
        "target_session_attrs",
        "user",
    )
)
"""What may stand behind the ? of an address."""

FILES = ("sslrootcert", "sslcert", "sslkey", "sslcrl")
SSL_MODES = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")


class DatabaseProblem(Exception):
    """The database cannot be used as it is; the text is one sentence for the operator."""


def check_address(url: str) -> None:
    """See that a URL can be an address. Raises `DatabaseProblem`."""
    fault = _fault_of(url)
    if fault:
        raise DatabaseProblem(f"The database cannot be reached: {fault}.")


def _fault_of(url: str) -> str | None:
    """What is wrong with a URL, by its text alone."""
    try:
        parts = urlsplit(url)
        given = parse_qsl(parts.query, strict_parsing=True) if parts.query else []
    except ValueError:
        return (
            "its URL cannot be read; it looks like postgresql://user:password@host:5432/database, with signs "
            "such as / ? # [ ] @ in a password written as %2F %3F %23 %5B %5D %40"
        )
    if parts.scheme not in ("postgresql", "postgres"):
        other = f", not with {parts.scheme}://" if parts.scheme and "://" in url else ""
        return f"its URL has to begin with postgresql://{other}"
    if parts.fragment or parts.netloc.count("@") > 1:
        return "its URL has a # or a second @ in it; in a password they are written %23 and %40"
    if not all(port.isdigit() and 0 < int(port) < 65536 for port in _ports(parts)):
        return "its URL has no number as its port; a : or / in a password is written %3A or %2F"
    return next((fault for name, value in given if (fault := _fault_of_parameter(name, value))), None)


def _fault_of_parameter(name: str, value: str) -> str | None:
    if name == "channel_binding":
        return "its URL has channel_binding, which our driver knows nothing of; leave it out"
    if name in ("ssl", "tls"):
        return f"its URL has {name}, which is called sslmode here: sslmode=require"
    if name not in PARAMETERS:
        return f"its URL has {name}, which is not known; known are {', '.join(sorted(PARAMETERS))}"
    if name == "sslmode" and value not in SSL_MODES:
        return f"its URL has an sslmode that is none of {', '.join(SSL_MODES)}"
    if name in FILES and not os.access(value, os.R_OK):
        return (
            f"its URL says {name}={value}, which is no file that can be read; the certificates of this "
            f"system are in {ssl.get_default_verify_paths().openssl_cafile}"
        )
    return None


def _ports(parts: SplitResult) -> list[str]:
    """The ports of all hosts, as they are written."""
    hosts = parts.netloc.rpartition("@")[2].split(",")
    return [port for host in hosts if (port := host.rpartition("]")[2].partition(":")[2])]


@contextmanager
def problems_told(url: str) -> Generator[None]:
    """Have what keeps the database at `url` from being used raised as a `DatabaseProblem`.

    What is wrong with a file, which such an `OSError` names, is no fault of the database and passes.
    """
    try:
        yield
    except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError) as problem:
        if isinstance(problem, OSError) and problem.filename is not None:
            raise
        raise DatabaseProblem(sentence(problem, url)) from problem


def sentence(problem: Exception, url: str) -> str:
    """What the operator can do about a failed connection or migration."""
    return f"The database at {place_of(url)} cannot be reached: {_reason(problem, url)}."


def _reason(problem: Exception, url: str) -> str:
    user = unquote(urlsplit(url).username or "") or "the user"
    said = " ".join(str(problem).split()).rstrip(".") or type(problem).__name__
    match problem:
        case asyncpg.InvalidPasswordError():
            return f"it refuses the password of {user}"
        case asyncpg.InvalidAuthorizationSpecificationError():
            return f"it does not let {user} in: {said}"
        case asyncpg.InvalidCatalogNameError():
            return f"{said}; create it first (CREATE DATABASE)"
        case asyncpg.InsufficientPrivilegeError():
            return (
                f"{user} lacks a right there: {said}; make {user} its owner, "
                f"or GRANT CREATE ON SCHEMA public TO {user}"
            )
        case asyncpg.TooManyConnectionsError():
            return f"it has no connection left: {said}"
        case asyncpg.ReadOnlySQLTransactionError():
            return "it is a copy that cannot be written; give the address of its primary"
        case asyncpg.CannotConnectNowError():
            return f"{said}; try again in a moment"
        case ssl.SSLError():
            return (
                f"its certificate is not trusted: {said}; name the file with its authority's certificate by "
                "sslrootcert=FILE in the URL"
            )
        case asyncpg.ClientConfigurationError() if "root certificate" in said:
            return (
                "sslmode=verify-ca and verify-full need the certificate of its authority; name the file by "
                "sslrootcert=FILE in the URL"
            )
        case socket.gaierror():
            return "no host of that name is known"
        case ConnectionRefusedError() | FileNotFoundError():
            return "nothing listens there; is it running, and is the port right"
        case TimeoutError():
            return "it does not answer; is the address right, and no firewall in between"
        case _:
            return said


def place_of(url: str) -> str:
    """Host and port of an address, without what is secret in it."""
    parts = urlsplit(url)
    query = dict(parse_qsl(parts.query))
    host = parts.netloc.rpartition("@")[2] or query.get("host", "this machine")
    return f"{host}:{query['port']}" if "port" in query and not parts.netloc.rpartition("@")[2] else host
