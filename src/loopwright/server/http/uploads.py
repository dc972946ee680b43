"""Uploads of images: a signed address to put the bytes to, and the image once they are complete.

    create ──▶ PUT to the signed address, without a key, within an hour ──▶ complete ──▶ GET /images/<digest>

The bytes are looked at, since a type is only what somebody says. Images stay in the database, so that every
process has them; their addresses are made of what they hold, so that anybody may keep them for good.
"""

import hmac
import re
from collections.abc import Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from loopwright.ids import new_id
from loopwright.server.clock import Clock
from loopwright.server.content.images import BEGINNINGS, EXTENSIONS, image_url
from loopwright.server.refusal import BadRequest, Conflict, NotFound, TooLarge, TooManyRequests, Unavailable
from loopwright.server.store import uploads
from loopwright.server.store.database import Pool
from loopwright.server.store.uploads import ImageRow, UploadRow
from loopwright.wire.failures import UNSUPPORTED_CONTENT_TYPE, UPLOAD_LIMIT_EXCEEDED
from loopwright.wire.limits import IMAGE_BYTES, IMAGE_TYPES, UPLOADS_PER_DAY
from loopwright.wire.uploads import UploadCompleted, UploadCreated

from .bodies import UploadCreateRequest
from .dispatch import ApiRequest
from .failures import failure_of
from .request_ids import request_id_of
from .space import Share, Space

ADDRESS_LIFE = timedelta(hours=1)
DAY = timedelta(days=1)
MOST_PENDING = 50
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})", re.ASCII)
_COMPLETE = "This upload is complete and cannot be changed; create another."
_FOR_GOOD = "public, max-age=31536000, immutable"


async def create_upload(call: ApiRequest, body: UploadCreateRequest) -> UploadCreated:
    """POST /v1/uploads: where to put the bytes, within an hour."""
    if body.content_type not in IMAGE_TYPES:
        raise BadRequest(UNSUPPORTED_CONTENT_TYPE, code="content_type_unsupported", path="contentType")
    if body.content_length < 1:
        raise BadRequest("contentLength must be a whole number from 1", code="value_invalid")
    if body.content_length > IMAGE_BYTES:
        message = f"An image has at most {IMAGE_BYTES:,} bytes; make it smaller."
        raise TooLarge(message, code="image_too_large")
    now = call.clock.now()
    upload_id = new_id(now)
    async with call.pool.acquire() as tx, tx.transaction():
        await uploads.lock_uploads(tx, call.team.id)
        if await uploads.count_pending(tx, call.team.id) >= MOST_PENDING:
            raise TooManyRequests(
                f"{MOST_PENDING} uploads wait to be completed; complete some of them, or come back tomorrow",
                code="uploads_pending",
            )
        await uploads.insert_upload(
            tx, call.team.id, upload_id, content_type=body.content_type, size=body.content_length, now=now
        )
    expires = int((now + ADDRESS_LIFE).timestamp())
    signature = _signature(call.team.secret, upload_id, expires)
    return UploadCreated(
        email_asset_id=upload_id,
        presigned_url=f"{call.root_url}/uploads/{upload_id}?expires={expires}&signature={signature}",
    )


async def complete_upload(call: ApiRequest, upload_id: str) -> UploadCompleted:
    """POST /v1/uploads/{emailAssetId}/complete: twice is the same as once."""
    now = call.clock.now()
    async with call.pool.acquire() as tx, tx.transaction():
        await uploads.lock_uploads(tx, call.team.id)
        found = await uploads.lock_upload(tx, upload_id)
        if found is None or found.team_id != call.team.id:
            raise NotFound("Upload not found.", code="upload_not_found")
        digest = found.digest
        if digest is None:
            if not found.is_filled:
                raise BadRequest(
                    "The image has not arrived yet; PUT its bytes to presignedUrl first.", code="upload_empty"
                )
            if await uploads.count_completed(tx, call.team.id, since=now - DAY) >= UPLOADS_PER_DAY:
                raise TooManyRequests(UPLOAD_LIMIT_EXCEEDED, code="upload_limit_exceeded")
            digest = await uploads.complete_upload(tx, upload_id, now=now)
    url = image_url(call.media_url or call.root_url, digest, found.content_type)
    return UploadCompleted(email_asset_id=upload_id, final_url=url)


def routes(pool: Pool, clock: Clock, space: Space) -> Sequence[BaseRoute]:
    """Where bytes are put, which take of the `space` that all long requests share, and where images are."""

    async def put(request: Request) -> Response:
        try:
            await _take(pool, clock, space, request)
        except (BadRequest, Conflict, NotFound, TooLarge, Unavailable) as refusal:
            return failure_of(refusal, request_id_of(request.scope))
        return Response(status_code=200)

    async def show(request: Request) -> Response:
        try:
            digest = bytes.fromhex(request.path_params["digest"])
        except ValueError:
            return Response("There is no such image.", 404)
        async with pool.acquire() as tx:
            image = await uploads.find_image(tx, digest)
        if image is None or request.path_params["extension"] != EXTENSIONS[image.content_type]:
            return Response("There is no such image.", 404)
        return _shown(request, image, f'"{digest.hex()}"')

    return [
        Route("/uploads/{upload_id}", put, methods=["PUT"]),
        Route("/images/{digest:str}.{extension:str}", show, methods=["GET"]),
    ]


async def _take(pool: Pool, clock: Clock, space: Space, request: Request) -> None:
    """Store the bytes of a PUT. Raises a refusal when the address, the headers or the bytes are wrong."""
    async with pool.acquire() as tx:
        upload = await uploads.find_upload(tx, request.path_params["upload_id"])
    if upload is None or not _is_signed(request, upload, clock.now()):
        raise NotFound("This upload address is not valid, or no more; create another.", code="upload_unknown")
    if upload.digest is not None:
        raise Conflict(_COMPLETE, code="upload_complete")
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != upload.content_type:
        message = f"Content-Type must be {upload.content_type}, as announced"
        raise BadRequest(message, code="content_type_differs")
    share = Share(space, upload.team_id)
    await share.make_sure(upload.size)
    try:
        await _fill(pool, upload, request)
    finally:
        share.give_back()


async def _fill(pool: Pool, upload: UploadRow, request: Request) -> None:
    data = bytearray()
    async for chunk in request.stream():
        if len(data) + len(chunk) > upload.size:
            raise TooLarge(f"more bytes than the {upload.size:,} announced", code="upload_too_long")
        data += chunk
    if len(data) != upload.size:
        raise BadRequest(
            f"{len(data):,} bytes instead of the {upload.size:,} announced", code="upload_too_short"
        )
    if not BEGINNINGS[upload.content_type].match(data):
        raise BadRequest(f"the bytes are no {upload.content_type}", code="image_invalid")
    async with pool.acquire() as tx:
        if not await uploads.fill_upload(tx, upload.id, data):
            raise Conflict(_COMPLETE, code="upload_complete")


def _is_signed(request: Request, upload: UploadRow, now: datetime) -> bool:
    expires = request.query_params.get("expires", "")
    if not (expires.isascii() and expires.isdigit() and len(expires) < 12):
        return False
    if int(expires) < now.timestamp():
        return False
    signature = _signature(upload.secret, upload.id, int(expires))
    return hmac.compare_digest(signature.encode(), request.query_params.get("signature", "").encode())


def _signature(secret: bytes, upload_id: str, expires: int) -> str:
    return hmac.digest(secret, f"upload\n{upload_id}\n{expires}".encode(), sha256).hex()


def _shown(request: Request, image: ImageRow, tag: str) -> Response:
    """The image, or the part of it that the request asks for (RFC 9110 §13, §14). `tag` is its entity tag."""
    headers = {
        "cache-control": _FOR_GOOD,
        "etag": tag,
        "accept-ranges": "bytes",
        "x-content-type-options": "nosniff",
        "cross-origin-resource-policy": "cross-origin",
    }
    if _names(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    size = len(image.data)
    asked = _RANGE.fullmatch(request.headers.get("range", ""))
    is_whole = request.headers.get("if-range", tag) != tag  # of another one than the client has a part of
    if is_whole or asked is None or asked.groups() == ("", ""):
        return Response(image.data, 200, headers, media_type=image.content_type)
    first, last = asked.groups()
    start = int(first) if first else max(0, size - int(last))
    end = min(int(last) if first and last else size - 1, size - 1)
    if start > end:
        return Response(b"", 416, {**headers, "content-range": f"bytes */{size}"})
    headers["content-range"] = f"bytes {start}-{end}/{size}"
    return Response(image.data[start : end + 1], 206, headers, media_type=image.content_type)


def _names(tags: str, tag: str) -> bool:
    """Whether a list of entity tags has this one; proxies that compress make it a weak one."""
    given = {one.strip().removeprefix("W/") for one in tags.split(",")}
    return tag in given or "*" in given
