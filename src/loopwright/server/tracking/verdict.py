"""Who made a hit: a person, a machine, or nobody can say. Values in, a verdict out.

One signal of the certain kind makes a machine, and so do two of the others; one alone leaves it open.
"""

from collections.abc import Mapping
from datetime import timedelta

from msgspec import Struct

from loopwright.server.networks import Address
from loopwright.server.store.visits import Verdict

from .scanners import Scanners

SOON = timedelta(seconds=3)
"""Nobody reads faster than this after an email has been delivered."""
LINKS_AT_ONCE = 3
"""So many links within ten seconds are a machine's work, mostly."""
PREFETCH_HEADERS = ("purpose", "sec-purpose", "x-purpose", "x-moz")


class Request(Struct, frozen=True, kw_only=True):
    """What is known of a hit. Names of `headers` are in small letters; `delay` is that since delivery.

    `links_lately` counts the email's links that were followed just before, this one aside. `is_picture` is
    what tells of opens, `is_hidden` the link that nobody sees, and `hidden_lately` that it was followed just
    before.
    """

    method: str
    headers: Mapping[str, str]
    address: Address | None
    delay: timedelta | None
    links_lately: int
    is_picture: bool
    is_hidden: bool = False
    hidden_lately: bool = False


def judge(request: Request, known: Scanners) -> Verdict:
    """Say who made a hit, and why."""
    agent = request.headers.get("user-agent", "").strip()
    certain = _certain(request, known, agent)
    if certain:
        return Verdict("machine", "; ".join(certain))
    if request.is_picture and known.is_proxy(agent):
        return Verdict("human", "a mail program fetched the picture for its reader")
    likely = _likely(request, agent)
    match len(likely):
        case 0:
            return Verdict("human", "nothing speaks against a person")
        case 1:
            return Verdict("unsure", likely[0])
        case _:
            return Verdict("machine", "; ".join(likely))


def _certain(request: Request, known: Scanners, agent: str) -> list[str]:
    signals: list[str] = []
    if request.method == "HEAD":
        signals.append("it asked for the head alone")
    if request.is_hidden:
        signals.append("it followed a link that nobody sees")
    elif request.hidden_lately and not request.is_picture:
        signals.append("somebody was following all of the email's links, one that nobody sees among them")
    for name in PREFETCH_HEADERS:
        value = request.headers.get(name, "").lower()
        if "prefetch" in value or "preview" in value or "prerender" in value:
            signals.append(f"it fetched in advance ({name})")
    if network := known.at(request.address):
        signals.append(f"it came from a network of {network}")
    if scanner := known.named(agent):
        signals.append(f"its user agent is that of {scanner}")
    return signals


def _likely(request: Request, agent: str) -> list[str]:
    signals: list[str] = []
    if not agent:
        signals.append("it had no user agent")
    elif not agent.startswith("Mozilla/") or " " not in agent:
        signals.append("its user agent is no browser's")
    if request.delay is not None and request.delay < SOON:
        signals.append(f"it came {max(request.delay.total_seconds(), 0):.1f} s after delivery")
    if request.links_lately + 1 >= LINKS_AT_ONCE:
        signals.append(f"{request.links_lately + 1} links were followed within seconds")
    return signals
