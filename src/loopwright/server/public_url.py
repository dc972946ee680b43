"""The public URL: what the world calls this server, and what links in email begin with."""

import re
from ipaddress import IPv6Address, ip_address
from urllib.parse import SplitResult, urlsplit

import idna

_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_\-]*[A-Za-z0-9_])?")
_PATH = re.compile(r"(?:[A-Za-z0-9\-._~!$&'()*+,;=:@/]|%[0-9A-Fa-f]{2})*")
_PORTS = {"http": 80, "https": 443}
EXAMPLE = "https://mail.example.com"


def read_public_url(text: str) -> str:
    """The URL as links begin with it: no slash at its end, scheme and host in small letters.

    Raises `ValueError` with a sentence that says what is wrong and what to write.
    """
    url = text.strip()
    if problem := _problem(url):
        shown = re.sub(r"//[^/]*@", "//…@", text)
        raise ValueError(f"{shown!r} {problem}")
    found = urlsplit(url)
    return f"{found.scheme}://{found.netloc.lower()}{found.path.rstrip('/')}"


def origin_of(url: str) -> str:
    """Scheme, host and port of a URL as browsers send them in `Origin`: without the scheme's own port."""
    found = urlsplit(url)
    host = (found.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    port = found.port
    return f"{found.scheme}://{host}" + (f":{port}" if port not in (None, _PORTS.get(found.scheme)) else "")


def _problem(url: str) -> str | None:
    """What is wrong with a URL, as the end of a sentence that begins with it."""
    if not url:
        return f"is empty; write the address that the world sees, such as {EXAMPLE}"
    if not url.isprintable() or any(character.isspace() for character in url):
        return f"holds a blank or a control character; write it without, such as {EXAMPLE}"
    scheme, mark, _ = url.partition("://")
    if not mark or scheme.lower() not in _PORTS:
        return _no_scheme(url)
    try:
        found = urlsplit(url)
        port = found.port
    except ValueError:
        return f"has no port from 1 to 65535, or brackets that do not fit; write it as {EXAMPLE}:8443"
    if "?" in url or "#" in url:
        return f"has a ? or #, behind which no path can go on; write {re.split('[?#]', url)[0].rstrip('/')}"
    if "@" in found.netloc:
        return f"has a name or password; write {found.scheme}://{found.netloc.rpartition('@')[2]}{found.path}"
    if port == 0 or found.netloc.endswith(":"):
        return f"has no port from 1 to 65535; write {found.scheme}://{found.hostname}"
    return _wrong_host(found) or _wrong_path(found)


def _no_scheme(url: str) -> str:
    other = re.match(r"([A-Za-z][A-Za-z0-9+.\-]*):(?!\d)/*", url)
    rest = url[other.end() :] if other else url.lstrip("/")
    what = f"begins with {other[0]}, which is not http:// or https://" if other else "has no scheme"
    return f"{what}; write https://{re.split('[?#]', rest)[0].rstrip('/')}"


def _wrong_host(found: SplitResult) -> str | None:
    host = found.hostname or ""
    if found.netloc.startswith("["):
        return None if _is_ipv6(host) else f"has no IPv6 address in its brackets; write {EXAMPLE}"
    labels = host.removesuffix(".").split(".")
    if not host.isascii():
        try:
            plain = idna.encode(host, uts46=True).decode()
        except UnicodeError:
            return f"has no name that a host can have; write it as {EXAMPLE}"
        return f"has a host that is not written in ASCII; write {found.scheme}://{plain}{found.path}"
    if len(host) > 253 or not all(_LABEL.fullmatch(label) and len(label) < 64 for label in labels):
        return f"has no name that a host can have; write it as {EXAMPLE}"
    if labels[-1].isdigit() and not _is_ipv4(host):
        return f"has no IPv4 address, though it ends in a number; write it as {EXAMPLE}"
    return None


def _wrong_path(found: SplitResult) -> str | None:
    if _PATH.fullmatch(found.path):
        return None
    return f"has a path that needs escaping; escape it, or write {found.scheme}://{found.netloc}"


def _is_ipv4(host: str) -> bool:
    try:
        return ip_address(host).version == 4
    except ValueError:
        return False


def _is_ipv6(host: str) -> bool:
    try:
        return isinstance(ip_address(host), IPv6Address) and "%" not in host
    except ValueError:
        return False
