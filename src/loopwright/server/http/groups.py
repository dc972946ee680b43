"""Groups of campaigns, transactional emails and workflows: all kinds alike."""

from collections.abc import Awaitable, Callable

from msgspec import UNSET
from msgspec.structs import asdict

from loopwright.ids import new_id
from loopwright.server.refusal import BadRequest, NotFound
from loopwright.server.store import groups
from loopwright.server.store.groups import GroupKind, GroupRow, default_group_id
from loopwright.wire.failures import GROUP_NOT_FOUND
from loopwright.wire.groups import DEFAULT_GROUP, Group
from loopwright.wire.paging import Page

from .bodies import GroupCreateRequest, GroupUpdateRequest
from .dispatch import ApiRequest
from .paging import PageWanted, page
from .strict import at_least_one, given, name_of


def list_groups(kind: GroupKind) -> Callable[[ApiRequest, PageWanted], Awaitable[Page[Group]]]:
    """GET /v1/<kind>-groups."""

    async def work(call: ApiRequest, wanted: PageWanted) -> Page[Group]:
        """Groups, newest first."""
        async with call.pool.acquire() as tx:
            total = await groups.count_groups(tx, call.team.id, kind)
            rows = await groups.load_page(tx, call.team.id, kind, before=wanted.before, limit=wanted.limit)
        return page(call, wanted, total, rows, _group)

    return work


def create_group(kind: GroupKind) -> Callable[[ApiRequest, GroupCreateRequest], Awaitable[Group]]:
    """POST /v1/<kind>-groups."""

    async def work(call: ApiRequest, body: GroupCreateRequest) -> Group:
        """Make a group."""
        now = call.clock.now()
        description = "" if body.description is UNSET else body.description
        row = GroupRow(
            id=new_id(now), name=_free(body.name), description=description, created_at=now, updated_at=now
        )
        async with call.pool.acquire() as tx:
            await groups.insert_group(tx, call.team.id, kind, row)
        return _group(row)

    return work


def get_group(kind: GroupKind) -> Callable[[ApiRequest, str], Awaitable[Group]]:
    """GET /v1/<kind>-groups/{id}."""

    async def work(call: ApiRequest, group_id: str) -> Group:
        """One group."""
        async with call.pool.acquire() as tx:
            return _group(_found(await groups.find_group(tx, call.team.id, kind, group_id)))

    return work


def update_group(kind: GroupKind) -> Callable[[ApiRequest, str, GroupUpdateRequest], Awaitable[Group]]:
    """POST /v1/<kind>-groups/{id}."""

    async def work(call: ApiRequest, group_id: str, body: GroupUpdateRequest) -> Group:
        """Another name or description. The group of whatever has no other stays as it is."""
        at_least_one(body)
        if group_id == default_group_id(call.team.id, kind):
            raise BadRequest(
                f"{DEFAULT_GROUP} holds what has no other group and cannot be changed; make another group",
                code="group_reserved",
            )
        name = None if body.name is UNSET else _free(body.name)
        async with call.pool.acquire() as tx:
            row = await groups.update_group(
                tx,
                call.team.id,
                kind,
                group_id,
                name=name,
                description=given(body.description),
                now=call.clock.now(),
            )
        return _group(_found(row))

    return work


def _free(text: str) -> str:
    """A name that a group may have."""
    name = name_of(text)
    if name.casefold() == DEFAULT_GROUP.casefold():
        raise BadRequest(
            f"{DEFAULT_GROUP} is the group of whatever has no other; choose another name",
            code="name_reserved",
            path="name",
        )
    return name


def _found(row: GroupRow | None) -> GroupRow:
    if row is None:
        raise NotFound(GROUP_NOT_FOUND, code="group_not_found")
    return row


def _group(row: GroupRow) -> Group:
    return Group(**asdict(row))
