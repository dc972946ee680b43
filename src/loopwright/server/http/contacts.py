"""Contacts, their properties and their suppression."""

from datetime import timedelta
from typing import cast, get_args

from msgspec.structs import replace

from loopwright.server.audience.properties import check_property_name
from loopwright.server.ingest.command import Identity
from loopwright.server.ingest.reading import (
    read_create_contact,
    read_delete_contact,
    read_one_identifier,
    read_update_contact,
)
from loopwright.server.refusal import BadRequest, NotFound
from loopwright.server.store import audience, contacts, suppressions
from loopwright.server.store.contacts import ContactRow
from loopwright.server.store.database import Connection
from loopwright.wire import contacts as wire
from loopwright.wire import failures
from loopwright.wire.values import PropertyType

from .dispatch import ApiRequest, read_body, read_command

REMOVAL_WINDOW = timedelta(days=30)


async def create_contact(call: ApiRequest) -> object:
    """POST /v1/contacts/create."""
    starts = starts_workflows(call)
    command = await read_command(
        call, lambda body: replace(read_create_contact(call.team.id, body), starts_workflows=starts)
    )
    return await call.ingest.submit(command, size=call.share.size)


async def update_contact(call: ApiRequest) -> object:
    """PUT /v1/contacts/update. Creates the contact when an address is given and nobody has it."""
    starts = starts_workflows(call)
    command = await read_command(
        call, lambda body: replace(read_update_contact(call.team.id, body), starts_workflows=starts)
    )
    return await call.ingest.submit(command, size=call.share.size)


async def delete_contact(call: ApiRequest) -> object:
    """POST /v1/contacts/delete."""
    command = await read_command(call, lambda body: read_delete_contact(call.team.id, body))
    return await call.ingest.submit(command)


async def find_contact(call: ApiRequest) -> list[dict[str, object]]:
    """GET /v1/contacts/find: an array of one contact, or of none."""
    identity = read_one_identifier(call.request.query_params)
    async with call.pool.acquire() as tx:
        contact = await find(tx, call.team.id, identity)
        if contact is None:
            return []
        declared = await audience.load_properties(tx, [call.team.id])
    return [contacts.flat(contact, declared[call.team.id])]


async def get_suppression(call: ApiRequest) -> wire.SuppressionStatus:
    """GET /v1/contacts/suppression."""
    identity = read_one_identifier(call.request.query_params)
    async with call.pool.acquire() as tx:
        contact = await _find_suppressible(tx, call.team.id, identity)
        suppressed = await suppressions.is_suppressed(tx, call.team.id, contact.email)
        quota = await _quota(tx, call)
    return wire.SuppressionStatus(
        contact=wire.SuppressedContact(id=contact.id, email=contact.email, user_id=contact.user_id),
        is_suppressed=suppressed,
        removal_quota=quota,
    )


async def remove_suppression(call: ApiRequest) -> wire.SuppressionRemoved:
    """DELETE /v1/contacts/suppression. Counts against a quota for any 30 days; subscribes nobody."""
    identity = read_one_identifier(call.request.query_params)
    async with call.pool.acquire() as tx, tx.transaction():
        contact = await _find_suppressible(tx, call.team.id, identity)
        await suppressions.lock_quota(tx, call.team.id)
        if not await suppressions.is_suppressed(tx, call.team.id, contact.email):
            raise BadRequest(failures.NOT_SUPPRESSED, code="not_suppressed")
        if (await _quota(tx, call)).remaining == 0:
            raise BadRequest(failures.REMOVAL_QUOTA_EXCEEDED, code="removal_quota_exceeded")
        await suppressions.lift(tx, call.team.id, contact.email, now=call.clock.now())
        quota = await _quota(tx, call)
    return wire.SuppressionRemoved(success=True, message=failures.SUPPRESSION_REMOVED, removal_quota=quota)


async def list_properties(call: ApiRequest) -> list[wire.ContactProperty]:
    """GET /v1/contacts/properties?list=all|custom."""
    wanted = call.request.query_params.get("list") or "all"
    if wanted not in ("all", "custom"):
        raise BadRequest("list must be all or custom", code="value_invalid")
    async with call.pool.acquire() as tx:
        declared = await audience.load_properties(tx, [call.team.id])
    custom = [
        wire.ContactProperty(key=key, label=wire.label_of(key), type=kind)
        for key, kind in declared[call.team.id].items()
    ]
    return [*(wire.DEFAULT_PROPERTIES if wanted == "all" else ()), *custom]


async def create_property(call: ApiRequest) -> wire.PropertyCreated:
    """POST /v1/contacts/properties."""
    body = await read_body(call)
    name, kind = check_property_name(body.get("name")), body.get("type")
    if kind not in get_args(PropertyType):
        raise BadRequest("type must be one of string, number, boolean and date", code="property_type_invalid")
    async with call.pool.acquire() as tx:
        created = await audience.insert_property(
            tx, call.team.id, name, cast("PropertyType", kind), now=call.clock.now()
        )
    if not created:
        raise BadRequest(failures.PROPERTY_EXISTS, code="property_exists")
    return wire.PropertyCreated(success=True)


def starts_workflows(call: ApiRequest) -> bool:
    """Whether a contact that the request adds starts workflows. It does, unless a header says otherwise."""
    match call.request.headers.get(wire.WORKFLOWS_HEADER, "on").lower():
        case "on":
            return True
        case "off":
            return False
        case _:
            raise BadRequest(
                f"The header {wire.WORKFLOWS_HEADER} must be on or off; leave it out for on.",
                code="value_invalid",
            )


async def find(tx: Connection, team_id: str, identity: Identity) -> ContactRow | None:
    """The contact that a request names."""
    if identity.email:
        return await contacts.find_by_email(tx, team_id, identity.email)
    assert identity.user_id
    return await contacts.find_by_user_id(tx, team_id, identity.user_id)


async def _find_suppressible(tx: Connection, team_id: str, identity: Identity) -> ContactRow:
    contact = await find(tx, team_id, identity)
    if contact is None:
        raise NotFound(failures.SUPPRESSION_CONTACT_NOT_FOUND, code="contact_not_found")
    return contact


async def _quota(tx: Connection, call: ApiRequest) -> wire.RemovalQuota:
    used = await suppressions.count_removals(tx, call.team.id, since=call.clock.now() - REMOVAL_WINDOW)
    return wire.RemovalQuota(limit=call.removal_quota, remaining=max(0, call.removal_quota - used))
