"""Components: list, create, read, change for every email that uses them."""

from msgspec import UNSET

from loopwright.ids import new_id
from loopwright.server.content.designs import change_component
from loopwright.server.content.designs import create_component as insert_component
from loopwright.server.content.message import is_too_large
from loopwright.server.refusal import NotFound, TooLarge
from loopwright.server.store import designs
from loopwright.server.store.designs import ComponentRow
from loopwright.wire.components import Component, ComponentUpdated
from loopwright.wire.failures import COMPONENT_NOT_FOUND
from loopwright.wire.limits import LMX_BYTES
from loopwright.wire.paging import Page

from .bodies import ComponentCreateRequest, ComponentUpdateRequest
from .dispatch import ApiRequest
from .paging import PageWanted, page
from .strict import at_least_one, given, name_of


async def list_components(call: ApiRequest, wanted: PageWanted) -> Page[Component]:
    """GET /v1/components: newest first."""
    async with call.pool.acquire() as tx:
        total = await designs.count_components(tx, call.team.id)
        rows = await designs.load_component_page(tx, call.team.id, before=wanted.before, limit=wanted.limit)
    return page(call, wanted, total, rows, _component)


async def create_component(call: ApiRequest, body: ComponentCreateRequest) -> Component:
    """POST /v1/components."""
    now = call.clock.now()
    _refuse_large(body.lmx)
    row = ComponentRow(id=new_id(now), name=name_of(body.name), lmx=body.lmx, created_at=now, updated_at=now)
    async with call.pool.acquire() as tx:
        await insert_component(tx, call.team.id, row)
    return _component(row)


async def get_component(call: ApiRequest, component_id: str) -> Component:
    """GET /v1/components/{componentId}."""
    async with call.pool.acquire() as tx:
        rows = await designs.load_components(tx, call.team.id, [component_id])
    if not rows:
        raise NotFound(COMPONENT_NOT_FOUND, code="component_not_found")
    return _component(rows[0])


async def update_component(
    call: ApiRequest, component_id: str, body: ComponentUpdateRequest
) -> ComponentUpdated:
    """POST /v1/components/{componentId}: for emails that are accepted from now on."""
    at_least_one(body)
    name = None if body.name is UNSET else name_of(body.name)
    lmx = given(body.lmx)
    _refuse_large(lmx or "")
    async with call.pool.acquire() as tx, tx.transaction():
        row, affected = await change_component(
            tx, call.team.id, component_id, name, lmx, now=call.clock.now()
        )
    return ComponentUpdated(id=row.id, name=row.name, lmx=row.lmx, affected_email_count=affected)


def _refuse_large(lmx: str) -> None:
    if is_too_large(lmx):
        raise TooLarge(f"lmx has more than {LMX_BYTES:,} bytes; make it shorter", code="lmx_too_large")


def _component(row: ComponentRow) -> Component:
    return Component(id=row.id, name=row.name, lmx=row.lmx)
