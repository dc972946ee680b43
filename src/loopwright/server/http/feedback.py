"""Feedback: doors for providers and mailboxes, what was not understood, whom marketing no longer goes to.

Ours, not Loops'.
"""

from msgspec import UNSET
from msgspec.structs import replace
from starlette.responses import Response

from loopwright.ids import new_id
from loopwright.server.feedback import doors
from loopwright.server.ingest.values import check_id
from loopwright.server.keys import hash_key
from loopwright.server.refusal import BadRequest, NotFound
from loopwright.server.sealing import needed
from loopwright.server.store import brakes, feedback_doors
from loopwright.server.store import feedback as store
from loopwright.server.store.feedback_doors import DoorRow
from loopwright.wire import feedback as wire

from .bodies import FeedbackDoorRequest
from .dispatch import ApiRequest, answer
from .paging import page, page_wanted
from .strict import read_strict

STOPPED_SHOWN = 1_000


async def list_doors(call: ApiRequest) -> Response:
    """GET /loopwright/v1/feedback/doors: the team's doors, oldest first."""
    async with call.pool.acquire() as tx:
        return answer([_shown(row) for row in await feedback_doors.load_doors(tx, call.team.id)])


async def create_door(call: ApiRequest) -> Response:
    """POST /loopwright/v1/feedback/doors: another door. Its address is in this answer and in no other."""
    body = await read_strict(call, FeedbackDoorRequest)
    given = doors.Given(
        key=body.key.strip(),
        username=body.username,
        password=body.password,
        topics=tuple(body.topics),
        host=body.host.strip(),
        port=body.port,
        folder=body.folder,
    )
    if problem := doors.problem_of(body.provider, given):
        raise BadRequest(problem, code="door_invalid")
    sealing = needed(call.webhooks.sealing)
    now = call.clock.now()
    door_id, secret = new_id(now), doors.new_path_secret()
    is_mailbox = body.provider == "imap"
    row = DoorRow(
        id=door_id,
        team_id=call.team.id,
        provider=body.provider,
        path_hash=None if is_mailbox else hash_key(secret),
        sealed_credentials=doors.seal_given(sealing, door_id, given),
        tells_delivered=body.tells_delivered and not is_mailbox,
        created_at=now,
    )
    async with call.pool.acquire() as tx:
        await feedback_doors.insert_door(tx, row)
    address = doors.ADDRESS.format(provider=body.provider, secret=secret)
    return answer(replace(_shown(row), url=UNSET if is_mailbox else call.root_url + address), 201)


async def delete_door(call: ApiRequest) -> Response:
    """DELETE /loopwright/v1/feedback/doors/{doorId}: nothing comes through it any more."""
    door_id: str = call.request.path_params["doorId"]
    check_id("doorId", door_id)
    async with call.pool.acquire() as tx:
        if not await feedback_doors.delete_door(tx, call.team.id, door_id):
            raise NotFound(
                "There is no such door; GET /loopwright/v1/feedback/doors lists those there are.",
                code="not_found",
            )
    return answer(wire.Done(success=True))


async def list_unknown(call: ApiRequest) -> Response:
    """GET /loopwright/v1/feedback/unknown: what was not understood or not applied, newest first."""
    wanted = page_wanted(call, "feedback/unknown")
    async with call.pool.acquire() as tx:
        total = await store.count_unknown(tx, call.team.id)
        rows = await store.load_unknown(tx, call.team.id, before=wanted.before, limit=wanted.limit)
    return answer(page(call, wanted, total, rows, _unknown))


async def clear_unknown(call: ApiRequest) -> Response:
    """DELETE /loopwright/v1/feedback/unknown: forget what was not understood."""
    async with call.pool.acquire() as tx:
        return answer(wire.Cleared(deleted=await store.clear_unknown(tx, call.team.id)))


async def list_stopped(call: ApiRequest) -> Response:
    """GET /loopwright/v1/feedback/stopped?after=: addresses that marketing no longer goes to."""
    after = call.request.query_params.get("after") or None
    async with call.pool.acquire() as tx:
        total = await store.count_stopped(tx, call.team.id)
        rows = await store.load_stopped(tx, call.team.id, after=after, limit=STOPPED_SHOWN)
    data = [
        wire.StoppedAddress(email=row.email, first_at=row.first_at, stopped_at=row.stopped_at) for row in rows
    ]
    return answer(wire.StoppedAddresses(total=total, data=data))


async def release_address(call: ApiRequest) -> Response:
    """DELETE /loopwright/v1/feedback/stopped?email=: have marketing go to the address again."""
    email = call.request.query_params.get("email", "").strip().lower()
    if not email or "\x00" in email:
        raise BadRequest("email is missing: say which address, as ?email=", code="email_missing")
    async with call.pool.acquire() as tx:
        if not await store.release_address(tx, call.team.id, email):
            raise NotFound("No soft bounces are known of this address.", code="not_found")
    return answer(wire.Done(success=True))


async def list_brakes(call: ApiRequest) -> Response:
    """GET /loopwright/v1/brakes: campaigns and workflows that were paused for what comes back, or nearly."""
    async with call.pool.acquire() as tx:
        rows = await brakes.load_brakes(tx, call.team.id)
    return answer(
        [
            wire.Brake(
                id=row.owner_id,
                kind=row.kind,
                name=row.name,
                state=row.state,
                reason=row.reason,
                since=row.since,
            )
            for row in rows
        ]
    )


def _shown(row: DoorRow) -> wire.FeedbackDoor:
    return wire.FeedbackDoor(
        id=row.id,
        provider=row.provider,
        tells_delivered=row.tells_delivered,
        last_at=row.last_at,
        last_problem=row.last_problem,
        created_at=row.created_at,
    )


def _unknown(row: store.UnknownRow) -> wire.NotUnderstood:
    return wire.NotUnderstood(
        id=row.id,
        door=row.door,
        reason=row.reason,
        text=row.raw.decode(errors="replace"),
        received_at=row.received_at,
    )
