"""Events."""

from __future__ import annotations

from loopwright.wire.answers import Answer


class EventAccepted(Answer, frozen=True, kw_only=True, omit_defaults=True):
    """The event is stored.

    `replayed` is set by the client alone: an earlier attempt of the same call had arrived already.
    """

    success: bool
    replayed: bool = False
