# Made by tools/make_sync.py from tests/client/_async/test_pacing.py
"""Keeping a real server's limit, together with everybody in the process."""

from collections import deque
from collections.abc import Callable
from time import monotonic

from loopwright import EventToSend, HttpRequest, HttpResponse, Loops
from support.faulty import FaultyServer, Handle

Serve = Callable[..., FaultyServer]


class Limited:
    """Allows `limit` requests in any one second, as a sliding window does, and counts its refusals."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.refused = 0
        self.taken: deque[float] = deque()

    def send(self, request: HttpRequest) -> HttpResponse:
        if "/loopwright/" in request.url:
            return HttpResponse(404, {}, b"")
        now = monotonic()
        while self.taken and self.taken[0] <= now - 1:
            self.taken.popleft()
        headers = {
            "x-ratelimit-limit": str(self.limit),
            "x-ratelimit-remaining": str(max(0, self.limit - len(self.taken) - 1)),
        }
        if len(self.taken) >= self.limit:
            self.refused += 1
            return HttpResponse(429, headers, b'{"success":false,"message":"Too many requests"}')
        self.taken.append(now)
        return HttpResponse(200, headers, b'{"success":true}')


def test_a_limit_is_kept_without_refusals() -> None:
    """35 events at 10 a second: after the first answer no request is refused, and no time is wasted."""
    server = Limited(10)
    started = monotonic()
    with Loops("paced", base_url="http://paced.invalid", transport=server) as loops:
        loops.events.send("e", user_id="u")
        events: list[EventToSend] = [{"name": "e", "user_id": str(number)} for number in range(34)]
        outcomes = list(loops.events.send_many(events, at_once=20))
    assert all(outcome.error is None for outcome in outcomes)
    assert server.refused == 0
    assert 3 <= monotonic() - started < 4.5


def test_clients_of_one_key_keep_one_limit() -> None:
    """Two clients in one process wait for each other; another key has a limit of its own."""
    server = Limited(10)
    one = Loops("shared", base_url="http://paced.invalid", transport=server)
    two = Loops("shared", base_url="http://paced.invalid/v1/", transport=server)
    other = Loops("other", base_url="http://paced.invalid", transport=Limited(10))
    for client in (one, two, other):
        client.events.send("e", user_id="u")
    started = monotonic()
    for _ in range(5):
        one.events.send("e", user_id="u")
        two.events.send("e", user_id="u")
    waited = monotonic() - started
    other.events.send("e", user_id="u")
    assert server.refused == 0
    assert 0.5 < waited < 1.5
    assert monotonic() - started - waited < 0.2


def test_without_limits_nothing_waits(serve: Serve) -> None:
    """300 calls to a server that reports none take no time of ours."""
    server = serve(Handle())
    started = monotonic()
    with Loops("unpaced", base_url=server.url) as loops:
        for _ in range(300):
            loops.events.send("e", user_id="u")
    assert monotonic() - started < 5


def test_pacing_can_be_switched_off() -> None:
    """Then a burst is the server's to refuse."""
    server = Limited(10)
    with Loops(
        "off", base_url="http://paced.invalid", transport=server, pacing=False, max_retries=0
    ) as loops:
        events: list[EventToSend] = [{"name": "e", "user_id": str(number)} for number in range(20)]
        outcomes = list(loops.events.send_many(events))
    assert sum(outcome.error is not None for outcome in outcomes) == server.refused == 10
