"""What a client is made of, from arguments and environment."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from msgspec import Struct

from loopwright.client.arguments import count
from loopwright.client.safe_mode import AllowedRecipients, allowed_recipients
from loopwright.client.transport import Header, Limits, Route, Timeout, Verify
from loopwright.errors import ArgumentError, ConfigurationError, described
from loopwright.version import VERSION

DEFAULT_BASE_URL = "https://app.loops.so/api"
DEFAULT_TIMEOUT = 30.0
DEFAULT_RETRIES = 3

_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"(?:[!-~\u00a0-\u00ff](?:[\t -~\u00a0-\u00ff]*[!-~\u00a0-\u00ff])?)?")

_QUOTES = "\"'`"

USER_AGENT = f"loopwright/{VERSION} python/{sys.version_info.major}.{sys.version_info.minor}"


class ClientSettings(Struct, frozen=True, kw_only=True):
    """A client's settings. `root` is the base URL without a final slash and without `/v1`."""

    api_key: str
    root: str
    timeout: Timeout
    max_retries: int
    pacing: bool
    headers: tuple[Header, ...]
    allowed_recipients: AllowedRecipients | None

    def __repr__(self) -> str:
        return f"ClientSettings(root={self.root!r}, timeout={self.timeout!r}, max_retries={self.max_retries})"


def resolve_settings(
    api_key: str | None,
    base_url: str | None,
    timeout: float | Timeout | None,
    max_retries: int,
    headers: Mapping[str, str] | None,
    pacing: bool,
    recipients: Iterable[str] | None = None,
) -> ClientSettings:
    """Settle arguments, `LOOPS_API_KEY`, `LOOPS_BASE_URL` and `LOOPS_ALLOWED_RECIPIENTS`. Raises
    `ConfigurationError`.
    """
    key = check_api_key(api_key if api_key is not None else os.environ.get("LOOPS_API_KEY"))
    named = os.environ.get("LOOPS_BASE_URL", "").strip()
    if not isinstance(pacing, bool):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
        raise ConfigurationError(f"pacing is True or False, not {described(pacing)}")
    return ClientSettings(
        api_key=key,
        root=root_of(base_url) if base_url else root_of(named or DEFAULT_BASE_URL, "LOOPS_BASE_URL"),
        timeout=Timeout.of(timeout),
        max_retries=check_retries(max_retries),
        pacing=pacing,
        headers=common_headers(key, headers or {}),
        allowed_recipients=allowed_recipients(recipients, os.environ),
    )


def resolve_route(
    settings: ClientSettings, verify: Verify, proxy: str | None, limits: Limits | None
) -> Route:
    """How a transport of ours reaches the server; it looks at `verify` and `proxy` itself. Raises
    `ConfigurationError`.
    """
    if limits is not None and not isinstance(limits, Limits):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"limits is a Limits, not {described(limits)}")
    return Route(
        url=settings.root,
        timeout=settings.timeout,
        verify=verify,
        proxy=proxy,
        limits=limits or Limits(),
    )


def root_of(base_url: str, source: str = "base_url") -> str:
    """The base URL in one form: both published ones, `.../api` and `.../api/v1`, lead to the same place.

    `source` is the argument or variable that it is from.
    """
    if not isinstance(base_url, str):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
        raise ConfigurationError(f"{source} is text such as {DEFAULT_BASE_URL!r}, not {described(base_url)}")
    root = base_url.strip().rstrip("/").removesuffix("/v1").rstrip("/")
    if not _is_web_address(root):
        raise ConfigurationError(
            f"{source} {base_url!r} is not a web address; give one such as {DEFAULT_BASE_URL}"
        )
    parts = urlsplit(root)
    if "?" in root or "#" in root or parts.username is not None:
        raise ConfigurationError(
            f"{source} {base_url!r} has more than scheme, host and path; give one such as {DEFAULT_BASE_URL}"
        )
    return root


def _is_web_address(root: str) -> bool:
    try:
        parts = urlsplit(root)
        port = parts.port
    except ValueError:
        return False
    known = parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0
    return known and root.isascii() and root.isprintable() and " " not in root


def check_api_key(api_key: str | None) -> str:
    if api_key is not None and not isinstance(api_key, str):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ConfigurationError(f"api_key is text, not {described(api_key)}")
    key = str.__str__(api_key or "").strip()
    if not key:
        raise ConfigurationError("no API key: pass api_key=... or set LOOPS_API_KEY")
    if not (key.isascii() and key.isprintable()):
        raise ConfigurationError("the API key has characters that no key has; copy it again")
    if " " in key or key[0] in _QUOTES or key[-1] in _QUOTES:
        raise ConfigurationError(
            "the API key has quotes around it or a blank in it; give the key alone, without Bearer or a name"
        )
    return key


def check_retries(max_retries: int) -> int:
    try:
        return count("max_retries", max_retries, least=0)
    except ArgumentError as error:
        raise ConfigurationError(f"{error}: it counts requests after the first") from None


def common_headers(api_key: str, extra: Mapping[str, str]) -> tuple[Header, ...]:
    """The headers of every request; `extra` ones win over ours."""
    headers = {
        "authorization": f"Bearer {api_key}",
        "accept": "application/json",
        "accept-encoding": "identity",
        "user-agent": USER_AGENT,
    }
    return tuple((headers | lower_case(extra)).items())


def lower_case(headers: Mapping[str, str]) -> dict[str, str]:
    """Header names in lower case. Raises `ConfigurationError` for a header that HTTP cannot carry."""
    if not isinstance(headers, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance]  # untyped callers
        raise ConfigurationError(
            f'headers is a mapping such as {{"X-Team": "growth"}}, not {described(headers)}'
        )
    for name, value in headers.items():
        if not isinstance(name, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(f"a header's name is text, not {described(name)}")
        if not isinstance(value, str):  # pyright: ignore[reportUnnecessaryIsInstance]
            raise ConfigurationError(f"header {name!r} is text, not {described(value)}")
        if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(value):
            raise ConfigurationError(
                f"header {name!r} cannot be sent: it has blanks around it, or characters that no header has"
            )
    return {str.lower(name): str.__str__(value) for name, value in headers.items()}
