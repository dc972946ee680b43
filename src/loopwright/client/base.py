"""What a client of either colour knows: its settings, its pace and its tracer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from msgspec import UNSET, UnsetType
from msgspec.structs import replace

from loopwright.client.config import ClientSettings, check_api_key, check_retries, common_headers, lower_case
from loopwright.client.safe_mode import AllowedRecipients
from loopwright.client.shared_pace import shared_pace
from loopwright.client.tracing import Tracer, find_tracer
from loopwright.client.transport import Timeout

Result = TypeVar("Result")


class ClientBase:
    """The part of a client that has no colour."""

    _settings: ClientSettings

    def _adopt(self, settings: ClientSettings) -> None:
        self._settings = settings
        self._pace = shared_pace(settings.root, settings.api_key) if settings.pacing else None
        self._tracer: Tracer | None = None

    @property
    def allowed_recipients(self) -> AllowedRecipients | None:
        """Whom this client may cause email to; `None` for anybody."""
        return self._settings.allowed_recipients

    def _find_tracer(self) -> Tracer | None:
        if self._tracer is None:
            self._tracer = find_tracer(self._settings.root)
        return self._tracer

    def __repr__(self) -> str:
        return f"{type(self).__name__}(base_url={self._settings.root!r})"


def changed(
    settings: ClientSettings,
    *,
    api_key: str | UnsetType,
    timeout: float | Timeout | UnsetType | None,
    max_retries: int | UnsetType,
    headers: Mapping[str, str] | UnsetType,
) -> ClientSettings:
    """Settings with the given ones changed; `headers` are added to those there are."""
    extra = {name: value for name, value in settings.headers if name != "authorization"}
    if headers is not UNSET:
        extra |= lower_case(headers)
    key = settings.api_key if api_key is UNSET else check_api_key(api_key)
    return replace(
        settings,
        api_key=key,
        timeout=settings.timeout if timeout is UNSET else Timeout.of(timeout),
        max_retries=settings.max_retries if max_retries is UNSET else check_retries(max_retries),
        headers=common_headers(key, extra),
    )
