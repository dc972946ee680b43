"""Whether the workflows that begin with a new contact stay out of an import, as its server has to promise."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from loopwright import Loops
from loopwright.client.bulk import bulk_of
from loopwright.client.config import DEFAULT_TIMEOUT, resolve_settings
from loopwright.errors import AuthenticationError, RateLimitError, ServerError, StatusError
from loopwright.wire.contacts import WORKFLOWS_HEADER
from loopwright.wire.operations import UPDATE_CONTACT

QUIET: Mapping[str, str] = {WORKFLOWS_HEADER: "off"}
"""What a request carries whose new contacts are to start no workflows."""


def keeps_quiet(loops: Loops) -> bool:
    """Ask the server by a request that changes nothing. Loops itself is not asked: it starts them all.

    Raises `LoopsError` when there is no telling.
    """
    bulk = bulk_of(UPDATE_CONTACT, resolve_settings(None, None, DEFAULT_TIMEOUT, 0, None, pacing=False))
    if bulk is None:
        return False
    # Without lines it may be sent again, as lines may not.
    probe = replace(bulk.call(b"", {}), options={"headers": QUIET})
    try:
        answer = loops.send(probe)
    except (AuthenticationError, RateLimitError, ServerError):
        raise
    except StatusError:
        return False
    # Anything but a Loopwright server, and a proxy that drops the header on its way there, says nothing.
    return answer.raw.headers.get(WORKFLOWS_HEADER.lower()) == QUIET[WORKFLOWS_HEADER]
