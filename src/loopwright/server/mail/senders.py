"""Senders that a relay does not want: what it says of one team's domain is no matter of the others."""

import logging
from datetime import datetime

from msgspec import Struct
from msgspec.structs import replace

from loopwright.server.clock import Clock

from .relay import LONGEST_PAUSE, Condition, Limits, RelayState, fresh
from .reply import without_addresses

logger = logging.getLogger(__name__)


class Unwanted(Struct, frozen=True):
    """A sender whose email the relay does not take, since when and why; `condition` is then the relay's."""

    condition: Condition
    reason: str
    since: datetime


class Senders:
    """What the relay at `host` makes of each sender, by its domain."""

    def __init__(self, host: str, limits: Limits, clock: Clock) -> None:
        self._host = host
        self._limits = limits
        self._clock = clock
        self._states: dict[str, RelayState] = {}
        self._since: dict[str, datetime] = {}

    def state_of(self, domain: str) -> RelayState:
        """How the relay is to this sender."""
        return self._states.get(domain) or fresh(self._limits)

    def waiting(self, domain: str) -> RelayState | None:
        """The state of a sender that is not to ask now; None for the one email that may, and for others."""
        state = self._states.get(domain)
        if state is None or state.condition != "down":
            return None
        now = self._clock.monotonic()
        if now < state.next_at:
            return state
        self._states[domain] = replace(state, next_at=now + LONGEST_PAUSE)
        return None

    def turn(self, domain: str, state: RelayState) -> None:
        """The state of a sender is this now; people are told when its email is taken no more, or again."""
        was_down = self.state_of(domain).condition == "down"
        self._states[domain] = state
        if was_down == (state.condition == "down"):
            return
        if was_down:
            logger.warning("the relay %s takes email from %s again", self._host, domain)
            del self._since[domain]
            return
        self._since[domain] = self._clock.now()
        said = without_addresses(state.reason)
        logger.warning(
            "the relay %s takes no email from %s, and all of it waits: %s", self._host, domain, said
        )

    def unwanted(self) -> Unwanted | None:
        """The sender that has been refused for longest; a relay that takes others' email takes only less."""
        if not self._since:
            return None
        domain, since = next(iter(self._since.items()))
        condition: Condition = "slow" if len(self._since) < len(self._states) else "down"
        return Unwanted(condition, self._states[domain].reason, since)
