"""The images of icons: for anybody, for good."""

import httpx2
import pytest

from loopwright.server.mail.icon_names import FOLDER
from support.live import LiveServer


@pytest.mark.parametrize("name", ["square-x-twitter-black.png", "envelope-gray.png", "link-white.png"])
async def test_anybody_gets_an_icon_and_may_keep_it(live_server: LiveServer, name: str) -> None:
    async with httpx2.AsyncClient() as reader:
        shown = await reader.get(f"{live_server.base_url}/icons/{name}")
    assert (shown.status_code, shown.headers["content-type"]) == (200, "image/png")
    assert shown.content == (FOLDER / name).read_bytes()
    assert "immutable" in shown.headers["cache-control"]
    assert shown.headers["cross-origin-resource-policy"] == "cross-origin"


@pytest.mark.parametrize("name", ["envelope-red.png", "no-such-black.png", "LICENSE", "..%2Ficon_names.py"])
async def test_nothing_else_is_there(live_server: LiveServer, name: str) -> None:
    async with httpx2.AsyncClient() as reader:
        assert (await reader.get(f"{live_server.base_url}/icons/{name}")).status_code == 404
