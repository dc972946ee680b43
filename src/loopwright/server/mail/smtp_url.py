"""SMTP URLs: which server email goes to, and what of TLS is required. Pure, but for the file of `ca`."""

import re
import ssl
from ipaddress import ip_address
from typing import Literal, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

from msgspec import Struct

Tls: TypeAlias = Literal["off", "offered", "required", "implicit"]
"""`offered` takes STARTTLS where there is any, from whomever; `required` and `implicit` verify the server."""

_HOST = re.compile(r"[\w.\-:%]+")  # a name, or an IPv4 or IPv6 address
URL_FORM = "an SMTP URL looks like smtp://user:password@mail.example.org:587?starttls"
_OPTIONS = "the options after ? are starttls, tls=off and ca=FILE"
_ENCODE = (
    "the user name or the password holds a character that ends it in a URL; write them percent-encoded: "
    "%2F for /, %3F for ?, %23 for #, %40 for @, %25 for %"
)


class Server(Struct, frozen=True, kw_only=True):
    """An SMTP server. `ca` is a file of the authorities to believe; None is for those of the system."""

    host: str
    port: int
    username: str | None = None
    password: str | None = None
    tls: Tls = "offered"
    ca: str | None = None

    def tls_context(self) -> ssl.SSLContext:
        """How TLS is spoken. Where it is not required nobody is authenticated: better than clear text."""
        if self.tls in ("required", "implicit"):
            return ssl.create_default_context(cafile=self.ca)
        # Authorities that nobody asks take 15 ms to read.
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


def read_url(url: str) -> Server:
    """Read `smtp://user:password@host:port`, `smtps://…`, `?starttls`, `?tls=off` and `?ca=FILE`.

    TLS is required by `smtps`, `?starttls`, `?ca` and by a password, unless the server is this machine or
    `?tls=off` says otherwise. Raises `ValueError`; its text holds nothing of the URL but the file's name,
    because a password may stand anywhere in one that is wrong.
    """
    try:
        pieces = urlsplit(url)
        port = pieces.port
        host = pieces.hostname
    except ValueError:
        raise ValueError(_ENCODE if "@" in url else f"the port is no number; {URL_FORM}") from None
    if pieces.scheme not in ("smtp", "smtps") or not host:
        raise ValueError(URL_FORM)
    if "@" in f"{pieces.path}{pieces.fragment}" or "@" in re.sub(r"(^|&)ca=[^&]*", "", pieces.query):
        raise ValueError(_ENCODE)
    if pieces.path not in ("", "/") or pieces.fragment or not _HOST.fullmatch(host) or port == 0:
        raise ValueError(URL_FORM)
    username, password = unquote(pieces.username or ""), unquote(pieces.password or "")
    if bool(username) != bool(password):
        raise ValueError("a user name and a password belong together, and one of them is missing")
    options = _options(pieces.query)
    tls = _tls(pieces.scheme, options, has_password=bool(password), is_here=is_loopback(host))
    server = Server(
        host=host,
        port=port or (465 if tls == "implicit" else 587 if "starttls" in options else 25),
        username=username or None,
        password=password or None,
        tls=tls,
        ca=options.get("ca"),
    )
    _check_ca(server)
    return server


def _options(query: str) -> dict[str, str]:
    pairs = parse_qsl(query, keep_blank_values=True)
    options = dict(pairs)
    if (
        len(options) < len(pairs)
        or not options.keys() <= {"starttls", "tls", "ca"}
        or options.get("starttls", "") != ""
        or options.get("tls", "off") != "off"
        or options.get("ca") == ""
    ):
        raise ValueError(f"{_OPTIONS}; {URL_FORM}")
    return options


def _tls(scheme: str, options: dict[str, str], *, has_password: bool, is_here: bool) -> Tls:
    if "tls" in options:
        if scheme == "smtps" or "starttls" in options or "ca" in options:
            raise ValueError("tls=off contradicts smtps, starttls and ca: leave one of them out")
        return "off"
    if scheme == "smtps":
        if "starttls" in options:
            raise ValueError("smtps begins with TLS, so there is no starttls: leave one of them out")
        return "implicit"
    if "starttls" in options or "ca" in options or (has_password and not is_here):
        return "required"
    return "offered"


def _check_ca(server: Server) -> None:
    if server.ca is None:
        return
    try:
        server.tls_context()
    except ssl.SSLError:
        raise ValueError(f"the file of ca, {server.ca}, holds no certificate in PEM form") from None
    except OSError as problem:
        raise ValueError(f"the file of ca, {server.ca}, cannot be read: {problem.strerror}") from None


def is_loopback(host: str) -> bool:
    """Whether what is sent there never leaves this machine."""
    try:
        return ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return host.lower().rstrip(".") == "localhost"
