"""Uploads of images: announced, filled, completed; and the images themselves, by their digest."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import LiteralString

from msgspec import Struct

from .database import Connection


class UploadRow(Struct, frozen=True, kw_only=True):
    """An upload. `size` is the length in bytes that was announced; `digest` is there once it is completed."""

    id: str
    team_id: str
    secret: bytes
    content_type: str
    size: int
    is_filled: bool
    digest: bytes | None


class ImageRow(Struct, frozen=True, kw_only=True):
    """An image's bytes."""

    content_type: str
    data: bytes


COUNT_PENDING: LiteralString = "SELECT count(*) FROM upload WHERE team_id = $1 AND completed_at IS NULL"
COUNT_COMPLETED: LiteralString = "SELECT count(*) FROM upload WHERE team_id = $1 AND completed_at >= $2"
INSERT: LiteralString = """
    INSERT INTO upload (team_id, id, content_type, size, created_at) VALUES ($1, $2, $3, $4, $5)
"""
FIND: LiteralString = """
    SELECT upload.id, team_id, team.secret, content_type, size, data IS NOT NULL AS is_filled, digest
      FROM upload JOIN team ON team.id = upload.team_id
     WHERE upload.id = $1
"""
LOCK: LiteralString = f"{FIND} FOR NO KEY UPDATE OF upload"
FILL: LiteralString = "UPDATE upload SET data = $2 WHERE id = $1 AND completed_at IS NULL RETURNING id"
KEEP_IMAGE: LiteralString = """
    INSERT INTO image (team_id, digest, content_type, data, created_at)
    SELECT team_id, sha256(data), content_type, data, $2 FROM upload WHERE id = $1
    ON CONFLICT DO NOTHING
"""
COMPLETE: LiteralString = """
    UPDATE upload SET digest = sha256(data), data = NULL, completed_at = $2 WHERE id = $1 RETURNING digest
"""
KEEP_IMAGES: LiteralString = """
    INSERT INTO image (team_id, digest, content_type, data, created_at)
    SELECT $1, new.*, $5 FROM unnest($2::bytea[], $3::text[], $4::bytea[]) AS new
    ON CONFLICT DO NOTHING
    RETURNING digest
"""
FIND_IMAGE: LiteralString = "SELECT content_type, data FROM image WHERE digest = $1 LIMIT 1"
LOAD_IMAGES: LiteralString = """
    SELECT content_type, data FROM image WHERE team_id = $1 AND digest = ANY($2::bytea[]) ORDER BY digest
"""
LOCK_TEAM: LiteralString = "SELECT FROM team WHERE id = $1 FOR NO KEY UPDATE"


async def lock_uploads(tx: Connection, team_id: str) -> None:
    """Let nobody else begin or complete an upload of the team until the transaction ends."""
    await tx.execute(LOCK_TEAM, team_id)


async def count_pending(tx: Connection, team_id: str) -> int:
    """How many uploads of the team are not completed."""
    return int(await tx.fetchval(COUNT_PENDING, team_id))


async def count_completed(tx: Connection, team_id: str, *, since: datetime) -> int:
    """How many uploads the team has completed since then."""
    return int(await tx.fetchval(COUNT_COMPLETED, team_id, since))


async def insert_upload(
    tx: Connection, team_id: str, upload_id: str, *, content_type: str, size: int, now: datetime
) -> None:
    """Announce an upload."""
    await tx.execute(INSERT, team_id, upload_id, content_type, size, now)


async def find_upload(tx: Connection, upload_id: str) -> UploadRow | None:
    """The upload of that id, whoever's it is."""
    row = await tx.fetchrow(FIND, upload_id)
    return UploadRow(**row) if row else None


async def lock_upload(tx: Connection, upload_id: str) -> UploadRow | None:
    """The same, and nobody else fills or completes it until the transaction ends."""
    row = await tx.fetchrow(LOCK, upload_id)
    return UploadRow(**row) if row else None


async def fill_upload(tx: Connection, upload_id: str, data: bytes | bytearray) -> bool:
    """Store the bytes, over those that came before; False once the upload is completed."""
    return await tx.fetchrow(FILL, upload_id, data) is not None


async def complete_upload(tx: Connection, upload_id: str, *, now: datetime) -> bytes:
    """Make the bytes an image; answers its digest."""
    await tx.execute(KEEP_IMAGE, upload_id, now)
    return bytes(await tx.fetchval(COMPLETE, upload_id, now))


async def keep_images(
    tx: Connection, team_id: str, images: Mapping[bytes, ImageRow], *, now: datetime
) -> set[bytes]:
    """Add images by their digests; answers those that the team did not have."""
    rows = await tx.fetch(
        KEEP_IMAGES,
        team_id,
        list(images),
        [one.content_type for one in images.values()],
        [one.data for one in images.values()],
        now,
    )
    return {bytes(row["digest"]) for row in rows}


async def find_image(tx: Connection, digest: bytes) -> ImageRow | None:
    """The image of that digest."""
    row = await tx.fetchrow(FIND_IMAGE, digest)
    return ImageRow(**row) if row else None


async def load_images(tx: Connection, team_id: str, digests: Collection[bytes]) -> list[ImageRow]:
    """Those of the team's images that have one of these digests."""
    return [ImageRow(**row) for row in await tx.fetch(LOAD_IMAGES, team_id, digests)]
