"""Who may control a server for tests: whoever has its key, from this machine, and no page of another site."""

from hmac import compare_digest
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.requests import Request

from loopwright.server.refusal import BadRequest, Unauthorized


def check(request: Request, key: str) -> None:
    """Let a request in. Raises `BadRequest` for one that names a foreign host, and `Unauthorized`."""
    host = request.headers.get("host", "")
    if not is_loopback(_name(f"//{host}")):
        raise BadRequest(
            "Tests are controlled at this machine's own address, such as 127.0.0.1.", code="host_foreign"
        )
    origin = request.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc != host:
        raise BadRequest("Pages of other sites may not control tests.", code="origin_foreign")
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not compare_digest(given.strip().encode(), key.encode()):
        raise Unauthorized(
            "Controlling tests takes the key that `loopwright serve --test` was given or printed, "
            "as Authorization: Bearer KEY.",
            code="control_key_invalid",
        )


def is_loopback(host: str) -> bool:
    """Whether a host is this machine, by a name or address that never leaves it."""
    if host.lower() == "localhost":
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def _name(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
