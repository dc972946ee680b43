"""Single pages, and going through all of them."""

from collections.abc import Callable

import pytest

from loopwright import AsyncLoops
from support.faulty import FaultyServer, Handle

Serve = Callable[..., FaultyServer]


def page(names: str, following: str | None) -> Handle:
    """A page of groups whose names are single letters."""
    groups = ",".join(
        f'{{"id":"{name}","name":"{name}","description":"",'
        '"createdAt":"2025-06-29T07:47:39.370Z","updatedAt":"2025-06-29T07:47:39.370Z"}'
        for name in names
    )
    cursor = f'"{following}"' if following else "null"
    return Handle(
        body=f'{{"pagination":{{"totalResults":3,"returnedResults":{len(names)},"perPage":20,"totalPages":2,'
        f'"nextCursor":{cursor},"nextPage":null}},"data":[{groups}]}}'.encode()
    )


async def test_one_page(serve: Serve) -> None:
    """Items, where the page stands, and its response."""
    server = serve(page("ab", "c 1"))
    async with AsyncLoops("key", base_url=server.url) as loops:
        groups = await loops.campaign_groups.list(per_page=10, cursor="x/y")
    assert [group.name for group in groups.data] == ["a", "b"]
    assert groups.data[0].created_at.year == 2025
    assert (groups.pagination.total_results, groups.pagination.next_cursor) == (3, "c 1")
    assert groups.raw.status == 200
    assert server.requests[0].target == "/api/v1/campaign-groups?perPage=10&cursor=x%2Fy"


async def test_a_page_is_its_items(serve: Serve) -> None:
    """It iterates, counts and indexes like the list of them; the next page is not fetched."""
    server = serve(page("ab", "c 1"), page("", None))
    async with AsyncLoops("key", base_url=server.url) as loops:
        groups = await loops.campaign_groups.list()
        empty = await loops.campaign_groups.list()
    assert [group.name for group in groups] == ["a", "b"]
    assert list(groups) == groups.data == groups[:]
    assert (len(groups), groups[0].name, groups[-1].name) == (2, "a", "b")
    assert [group.name for group in groups[1:]] == ["b"]
    assert groups.data[1] in groups
    assert (len(empty), list(empty)) == (0, [])
    with pytest.raises(IndexError):
        groups[2]
    assert len(server.requests) == 2
    assert "`iterate`" in (type(groups).__doc__ or "")


async def test_all_pages(serve: Serve) -> None:
    """A page is fetched when the one before is used up."""
    server = serve(page("ab", "next"), page("c", None))
    async with AsyncLoops("key", base_url=server.url) as loops:
        groups = loops.campaign_groups.iterate()
        assert server.requests == []
        assert [group.name async for group in groups] == ["a", "b", "c"]
    targets = [request.target for request in server.requests]
    assert targets == ["/api/v1/campaign-groups", "/api/v1/campaign-groups?cursor=next"]


async def test_a_server_that_goes_round_in_circles_ends(serve: Serve) -> None:
    """The same cursor twice is no further page."""
    server = serve(page("a", "same"))
    async with AsyncLoops("key", base_url=server.url) as loops:
        assert [group.name async for group in loops.campaign_groups.iterate()] == ["a", "a"]
    assert len(server.requests) == 2


@pytest.mark.parametrize("per_page", [0, 9, 51])
async def test_page_sizes_the_api_refuses(serve: Serve, per_page: int) -> None:
    """10 to 50."""
    server = serve()
    async with AsyncLoops("key", base_url=server.url) as loops:
        with pytest.raises(ValueError, match="10 to 50"):
            await loops.themes.list(per_page=per_page)
    assert server.requests == []
