"""Calls of what a Loopwright server has and Loops has not: below `/loopwright/v1`, so outside the SDK."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import UNSET

from loopwright import Loops
from loopwright.cli.failure import CommandFailed
from loopwright.client.bulk import own_root
from loopwright.client.call import Call, fill, with_query
from loopwright.client.config import DEFAULT_TIMEOUT, resolve_settings
from loopwright.wire.answers import Answer
from loopwright.wire.operations import Operation


class _Unread(Answer, frozen=True, kw_only=True):
    """An answer of which only the body is wanted: see `raw`."""


def ask_own(
    loops: Loops,
    operation: Operation,
    *ids: str,
    body: Mapping[str, object] | None = None,
    **query: str | None,
) -> bytes:
    """The body of the server's answer. Ends the command where Loops itself would be asked."""
    settings = resolve_settings(None, None, DEFAULT_TIMEOUT, 0, None, pacing=False)
    root = own_root(settings.root)
    if root is None:
        raise CommandFailed("Loops has no such thing: LOOPS_BASE_URL is to name a Loopwright server.")
    path = root + with_query(fill(operation, *ids), **query)
    return loops.send(
        Call(operation, path, lambda _: _Unread(), {}, UNSET if body is None else body)
    ).raw.body
