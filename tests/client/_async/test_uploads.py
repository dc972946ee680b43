"""Uploading an image in three steps."""

from collections.abc import Callable
from pathlib import Path

import pytest

from loopwright import AsyncLoops
from loopwright.client.sync_async import TransportName
from support.faulty import FaultyServer, Handle, Reply

Serve = Callable[..., FaultyServer]

PNG = b"\x89PNG\r\n\x1a\n" + bytes(100)


@pytest.mark.parametrize("transport", ["httpx2", "pyreqwest"])
async def test_three_steps(serve: Serve, tmp_path: Path, transport: TransportName) -> None:
    """Announce, put, complete; the key never goes to the place the bytes go to, and putting is repeated."""
    image = tmp_path / "logo.jpg"  # the name lies
    image.write_bytes(PNG)
    bucket = serve(Reply(503), Handle(body=b""))
    server = serve(
        Handle(body=f'{{"emailAssetId":"a1","presignedUrl":"{bucket.url}/put?sig=1"}}'.encode()),
        Handle(body=b'{"emailAssetId":"a1","finalUrl":"https://images.invalid/a1.png"}'),
    )
    async with AsyncLoops("key", base_url=server.url, transport=transport) as loops:
        uploaded = await loops.uploads.upload(image)
    assert uploaded.final_url == "https://images.invalid/a1.png"
    assert server.requests[0].json == {"contentType": "image/png", "contentLength": len(PNG)}
    assert server.requests[1].target == "/api/v1/uploads/a1/complete"
    assert len(bucket.requests) == 2
    put = bucket.requests[1]
    assert (put.method, put.target, put.body) == ("PUT", "/api/put?sig=1", PNG)
    assert put.headers["content-type"] == "image/png"
    assert put.headers["content-length"] == str(len(PNG))
    assert "authorization" not in put.headers


@pytest.mark.parametrize(
    ("content", "says"),
    [
        pytest.param(b"<svg>", "no JPEG, PNG, GIF or WebP", id="no such image"),
        pytest.param(b"", "no JPEG, PNG, GIF or WebP", id="empty"),
        pytest.param(PNG + bytes(4_000_000), "4,000,000 bytes", id="too large"),
    ],
)
async def test_what_is_refused_never_leaves(serve: Serve, tmp_path: Path, content: bytes, says: str) -> None:
    """A file that the API would refuse is told from its bytes."""
    image = tmp_path / "logo.png"
    image.write_bytes(content)
    server = serve()
    async with AsyncLoops("key", base_url=server.url) as loops:
        with pytest.raises(ValueError, match=says):
            await loops.uploads.upload(image)
    assert server.requests == []
