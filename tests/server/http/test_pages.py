"""Pages of lists: how many items, where the next one is, and which cursors are good."""

from urllib.parse import urlsplit

import httpx2
import pytest

from support.factories import add_patterns, first_team
from support.live import LiveServer
from support.refusals import refused


@pytest.fixture
async def patterns(live_server: LiveServer) -> None:
    """Sixty event patterns."""
    await add_patterns(live_server.pool, await first_team(live_server.pool), 60)


@pytest.mark.parametrize(
    ("query", "count"),
    [
        pytest.param("", 20, id="twenty by default"),
        pytest.param("?perPage=10", 10, id="the least"),
        pytest.param("?perPage=50", 50, id="the most"),
    ],
)
@pytest.mark.usefixtures("patterns")
async def test_the_size_of_a_page(
    http: httpx2.AsyncClient, live_server: LiveServer, query: str, count: int
) -> None:
    """It is told, and the next page's address is absolute and keeps it."""
    page = (await http.get(f"/event-patterns{query}")).json()
    told = page["pagination"]
    assert len(page["data"]) == told["perPage"] == told["returnedResults"] == count
    assert told["totalPages"] == -(-60 // count)
    expected = f"{live_server.base_url}/api/v1/event-patterns?cursor={told['nextCursor']}&perPage={count}"
    assert told["nextPage"] == expected
    assert urlsplit(told["nextPage"]).scheme == "http"


@pytest.mark.parametrize("per_page", ["9", "51", "0", "-10", "ten", "10.0", "1000"])
async def test_sizes_that_cannot_be(http: httpx2.AsyncClient, per_page: str) -> None:
    """The message has the bounds."""
    refused(await http.get("/event-patterns", params={"perPage": per_page}), 400, "from 10 to 50")


@pytest.mark.usefixtures("patterns")
async def test_cursors_of_ones_own_making(http: httpx2.AsyncClient) -> None:
    """What looks like an id, or nearly like a cursor, is none."""
    cursor = (await http.get("/event-patterns")).json()["pagination"]["nextCursor"]
    newest = "c" + "60".zfill(24)
    for odd in (
        "what", "caaaaaaaaaaaaaaaaaaaaaaaa", newest, cursor[:-1], cursor[1:], f"{cursor}0", cursor.upper(),
        newest + cursor[len(newest):], "\0", "é" * 37,
    ):  # fmt: skip
        refused(
            await http.get("/event-patterns", params={"cursor": odd}), 400, "cursor is not one of this list"
        )


@pytest.mark.usefixtures("patterns")
async def test_cursors_of_others(
    http: httpx2.AsyncClient, stranger: dict[str, str], live_server: LiveServer
) -> None:
    """A cursor leads through its own list and its own team's, even if two teams had one secret."""
    await live_server.pool.execute("UPDATE team SET secret = 'same'")
    cursor = (await http.get("/event-patterns")).json()["pagination"]["nextCursor"]
    refused(await http.get("/transactional", params={"cursor": cursor}), 400, "cursor")
    refused(await http.get("/event-patterns", params={"cursor": cursor}, headers=stranger), 400, "cursor")
    assert (await http.get("/event-patterns", params={"cursor": cursor})).status_code == 200


@pytest.mark.usefixtures("patterns")
async def test_a_cursor_outlives_its_item(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """The next page begins after the place where the item was."""
    cursor = (await http.get("/event-patterns")).json()["pagination"]["nextCursor"]
    await live_server.pool.execute("DELETE FROM event_pattern WHERE name = 'event 41'")
    page = (await http.get("/event-patterns", params={"cursor": cursor})).json()
    assert [one["eventName"] for one in page["data"]] == [f"event {n}" for n in range(40, 20, -1)]
