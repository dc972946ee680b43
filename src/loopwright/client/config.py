"""What a client is made of, from arguments and environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from msgspec import Struct

from loopwright.client.safe_mode import AllowedRecipients, allowed_recipients
from loopwright.client.transport import Header, Timeout
from loopwright.errors import ConfigurationError
from loopwright.version import VERSION

DEFAULT_BASE_URL = "https://app.loops.so/api"
DEFAULT_TIMEOUT = 30.0
DEFAULT_RETRIES = 3

USER_AGENT = f"loopwright/{VERSION} python/{sys.version_info.major}.{sys.version_info.minor}"


class Settings(Struct, frozen=True, kw_only=True):
    """A client's settings. `root` is the base URL without a final slash and without `/v1`."""

    api_key: str
    root: str
    timeout: Timeout
    max_retries: int
    pacing: bool
    headers: tuple[Header, ...]
    allowed_recipients: AllowedRecipients | None

    def __repr__(self) -> str:
        return f"Settings(root={self.root!r}, timeout={self.timeout!r}, max_retries={self.max_retries})"


def resolve_settings(
    api_key: str | None,
    base_url: str | None,
    timeout: float | Timeout | None,
    max_retries: int,
    headers: Mapping[str, str] | None,
    pacing: bool,
    recipients: Iterable[str] | None = None,
) -> Settings:
    """Settle arguments, `LOOPS_API_KEY`, `LOOPS_BASE_URL` and `LOOPS_ALLOWED_RECIPIENTS`. Raises
    `ConfigurationError`.
    """
    key = check_api_key(api_key if api_key is not None else os.environ.get("LOOPS_API_KEY"))
    return Settings(
        api_key=key,
        root=root_of(base_url or os.environ.get("LOOPS_BASE_URL") or DEFAULT_BASE_URL),
        timeout=Timeout.of(timeout),
        max_retries=check_retries(max_retries),
        pacing=pacing,
        headers=common_headers(key, headers or {}),
        allowed_recipients=allowed_recipients(recipients, os.environ),
    )


def root_of(base_url: str) -> str:
    """The base URL in one form: both published ones, `.../api` and `.../api/v1`, lead to the same place."""
    root = base_url.strip().rstrip("/").removesuffix("/v1").rstrip("/")
    parts = urlsplit(root)
    if parts.scheme not in ("http", "https") or not parts.hostname or not root.isascii():
        raise ConfigurationError(
            f"base_url {base_url!r} is not a web address; give one such as {DEFAULT_BASE_URL}"
        )
    if parts.query or parts.fragment or parts.username:
        raise ConfigurationError(f"base_url {base_url!r} has more than scheme, host and path")
    return root


def check_api_key(api_key: str | None) -> str:
    key = (api_key or "").strip()
    if not key:
        raise ConfigurationError("no API key: pass api_key=... or set LOOPS_API_KEY")
    if not (key.isascii() and key.isprintable()):
        raise ConfigurationError("the API key has characters that no key has; copy it again")
    return key


def check_retries(max_retries: int) -> int:
    if max_retries < 0:
        raise ConfigurationError(f"max_retries counts requests after the first: 0 or more, not {max_retries}")
    return max_retries


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
    """Header names in lower case. Raises `ValueError` for a header that HTTP cannot carry."""
    for name, value in headers.items():
        if not name.isascii() or not name.isprintable() or " " in name or "\n" in value or "\r" in value:
            raise ValueError(f"header {name!r} cannot be sent")
    return {name.lower(): value for name, value in headers.items()}
