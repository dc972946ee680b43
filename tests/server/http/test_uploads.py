"""Images: announced, put, completed and shown."""

import asyncio
from datetime import timedelta
from hashlib import sha256
from typing import Any

import httpx2
import pytest

from loopwright.server.http.space import OF_A_TEAM
from loopwright.wire.limits import IMAGE_BYTES
from support.contract import read
from support.live import LiveServer
from support.plain_http import NO_TLS
from support.refusals import refused

from .conftest import Serving

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(200))
IMAGES = {
    "image/png": PNG,
    "image/jpeg": b"\xff\xd8\xff\xe0" + bytes(50),
    "image/gif": b"GIF89a" + bytes(50),
    "image/webp": b"RIFF\x20\x00\x00\x00WEBPVP8 " + bytes(50),
}


async def announce(http: httpx2.AsyncClient, data: bytes, content_type: str = "image/png") -> dict[str, Any]:
    body = {"contentType": content_type, "contentLength": len(data)}
    return read(await http.post("/uploads", json=body))


async def put(url: str, data: bytes, content_type: str = "image/png") -> httpx2.Response:
    async with httpx2.AsyncClient(verify=NO_TLS) as stranger:
        return await stranger.put(url, content=data, headers={"Content-Type": content_type})


@pytest.mark.parametrize("content_type", IMAGES)
async def test_from_announcement_to_image(http: httpx2.AsyncClient, content_type: str) -> None:
    """The bytes come without a key; the image has an address of its own that may be kept for good."""
    data = IMAGES[content_type]
    made = await announce(http, data, content_type)
    address = f"/uploads/{made['emailAssetId']}/complete"
    refused(await http.post(address), 400, "not arrived")
    assert (await put(made["presignedUrl"], data, content_type)).status_code == 200
    first, second = [read(await http.post(address)) for _ in range(2)]
    assert first == second
    assert sha256(data).hexdigest() in first["finalUrl"]
    async with httpx2.AsyncClient(verify=NO_TLS) as reader:
        shown = await reader.get(first["finalUrl"])
        assert (shown.content, shown.headers["content-type"]) == (data, content_type)
        assert "immutable" in shown.headers["cache-control"]
        assert shown.headers["x-content-type-options"] == "nosniff"
        head = await reader.head(first["finalUrl"])
        assert (head.status_code, head.content) == (200, b"")
    refused(await put(made["presignedUrl"], data, content_type), 409, "cannot be changed")


@pytest.mark.parametrize(
    ("wanted", "part", "content_range"),
    [
        ("bytes=0-3", PNG[:4], "bytes 0-3/208"),
        ("bytes=200-", PNG[200:], "bytes 200-207/208"),
        ("bytes=-8", PNG[-8:], "bytes 200-207/208"),
        ("bytes=0-9999", PNG, "bytes 0-207/208"),
    ],
)
async def test_parts_of_an_image(
    http: httpx2.AsyncClient, wanted: str, part: bytes, content_range: str
) -> None:
    """As readers of long files ask for them; what lies beyond the end is refused."""
    made = await announce(http, PNG)
    await put(made["presignedUrl"], PNG)
    url = read(await http.post(f"/uploads/{made['emailAssetId']}/complete"))["finalUrl"]
    async with httpx2.AsyncClient(verify=NO_TLS) as reader:
        shown = await reader.get(url, headers={"Range": wanted})
        assert (shown.status_code, shown.content) == (206, part)
        assert shown.headers["content-range"] == content_range
        beyond = await reader.get(url, headers={"Range": "bytes=208-"})
        assert (beyond.status_code, beyond.headers["content-range"]) == (416, "bytes */208")
        assert (await reader.get(f"{url[:-8]}00000000")).status_code == 404
        assert (await reader.get(url.replace("/images/", "/images/zz"))).status_code == 404
        for other in (f"{url}x", url.replace(".png", ".gif"), url.removesuffix("png")):
            assert (await reader.get(other)).status_code == 404


async def test_a_client_that_has_a_part_of_an_image(http: httpx2.AsyncClient) -> None:
    """It gets the rest of that image, and the whole of another; who has the whole one gets nothing."""
    made = await announce(http, PNG)
    await put(made["presignedUrl"], PNG)
    url = read(await http.post(f"/uploads/{made['emailAssetId']}/complete"))["finalUrl"]
    async with httpx2.AsyncClient(verify=NO_TLS) as reader:
        tag = (await reader.get(url)).headers["etag"]
        for has, expected in [
            ({"Range": "bytes=8-", "If-Range": tag}, (206, PNG[8:])),
            ({"Range": "bytes=8-", "If-Range": '"other"'}, (200, PNG)),
            ({"Range": "bytes=8-", "If-Range": "Sat, 01 Jan 2022 00:00:00 GMT"}, (200, PNG)),
            ({"Range": f"bytes={'9' * 5000}-"}, (200, PNG)),
            ({"If-None-Match": f'"other", W/{tag}'}, (304, b"")),
            ({"If-None-Match": '"other"'}, (200, PNG)),
        ]:
            shown = await reader.get(url, headers=has)
            assert (shown.status_code, shown.content) == expected
            assert shown.headers["etag"] == tag


async def test_bytes_that_were_not_announced(http: httpx2.AsyncClient) -> None:
    """Another type, another length, or a page that says it is an image; the right ones may still come."""
    html = b"<html><script>".ljust(len(PNG))
    made = await announce(http, PNG)
    url = made["presignedUrl"]
    refused(await put(url, html), 400, "no image/png")
    refused(await put(url, PNG, "image/gif"), 400, "must be image/png")
    refused(await put(url, PNG[:-1]), 400, "207 bytes instead of the 208")
    refused(await put(url, PNG + b"x"), 413, "more bytes than the 208")
    for wrong in (url[:-1], url.replace("expires=", "expires=9"), url.split("?")[0]):
        refused(await put(wrong, PNG), 404, "not valid")
    refused(await http.post(f"/uploads/{made['emailAssetId']}/complete"), 400, "not arrived")
    assert (await put(url, PNG)).status_code == 200


async def test_an_address_lives_for_an_hour(http: httpx2.AsyncClient, live_server: LiveServer) -> None:
    """Its end is signed with it."""
    made = await announce(http, PNG)
    expires = int(httpx2.URL(made["presignedUrl"]).params["expires"])
    created = await live_server.pool.fetchval(
        "SELECT extract(epoch FROM created_at)::bigint FROM upload WHERE id = $1", made["emailAssetId"]
    )
    assert abs(expires - created - timedelta(hours=1).total_seconds()) <= 1


async def test_at_most_fifty(http: httpx2.AsyncClient, stranger: dict[str, str]) -> None:
    """Pending at a time, and completed in a day; of many at once none is too many. Others are not counted."""
    body = {"contentType": "image/png", "contentLength": len(PNG)}
    answers = await asyncio.gather(*(http.post("/uploads", json=body) for _ in range(55)))
    made = [one.json() for one in answers if one.status_code == 200]
    assert (len(made), {one.status_code for one in answers}) == (50, {200, 429})
    read(await http.post("/uploads", json=body, headers=stranger))
    for one in made:
        await put(one["presignedUrl"], PNG)
        read(await http.post(f"/uploads/{one['emailAssetId']}/complete"))
    last = await announce(http, PNG)
    await put(last["presignedUrl"], PNG)
    answer = await http.post(f"/uploads/{last['emailAssetId']}/complete")
    refused(answer, 429, "Upload limit exceeded")
    assert (answer.json()["maxUploads"], answer.json()["windowHours"]) == (50, 24)
    refused(
        await http.post(f"/uploads/{made[0]['emailAssetId']}/complete", headers=stranger), 404, "not found."
    )


async def test_a_cache_in_front_of_images(serving: Serving) -> None:
    """The address of an image begins as that of the cache; the server still takes it and shows it."""
    cache = "https://cdn.example.com/acme"
    async with serving(media_url=cache) as http:
        made = await announce(http, PNG)
        await put(made["presignedUrl"], PNG)
        final = read(await http.post(f"/uploads/{made['emailAssetId']}/complete"))["finalUrl"]
        assert final == f"{cache}/images/{sha256(PNG).hexdigest()}.png"
        server = str(http.base_url).removesuffix("/api/v1/")
        assert (await http.get(final.replace(cache, server))).content == PNG


async def test_many_images_at_once_share_the_space(http: httpx2.AsyncClient) -> None:
    """They take of what all long requests have: each is taken or told to come again, and gives it back."""
    data = PNG + bytes(IMAGE_BYTES - len(PNG))
    made = [await announce(http, data) for _ in range(OF_A_TEAM // IMAGE_BYTES + 2)]
    answers = await asyncio.gather(*(put(one["presignedUrl"], data) for one in made))
    assert {one.status_code for one in answers} <= {200, 503}
    wrong = [await put(one["presignedUrl"], b"x" * IMAGE_BYTES) for one in made]
    assert {one.status_code for one in wrong} == {400}
    assert (await put(made[0]["presignedUrl"], data)).status_code == 200
