"""Transactional email: sending, and the deprecated list of what can be sent."""

from starlette.responses import Response

from loopwright.server.ingest.command import SendTransactional
from loopwright.server.ingest.reading import read_send_transactional
from loopwright.server.mail.decide import NO_DOMAIN, is_owned, is_reserved
from loopwright.server.refusal import BadRequest
from loopwright.server.store import transactional
from loopwright.wire.paging import Page
from loopwright.wire.transactional import PublishedTransactional

from .endpoint import ApiRequest, answer, read_command
from .paging import page_wanted, pagination


async def send_transactional(call: ApiRequest) -> Response:
    """POST /v1/transactional. Answers as soon as the email is stored; it is delivered afterwards."""
    key = call.request.headers.get("idempotency-key")

    def read(body: dict[str, object]) -> SendTransactional:
        command = read_send_transactional(call.team.id, body, key)
        if command.attachments and not call.team.attachments:
            raise BadRequest(
                "attachments are off for this team; leave them out, or switch them on with: "
                "loopwright team set --attachments",
                code="attachments_off",
            )
        if call.has_relay and not is_owned(call.team.sending_domain) and not is_reserved(command.email):
            raise BadRequest(f"The email cannot be sent: {NO_DOMAIN}", code="no_sending_domain")
        return command

    command = await read_command(call, read)
    return answer(await call.ingest.submit(command, size=call.share.size))


async def list_published(call: ApiRequest) -> Response:
    """GET /v1/transactional: the published ones, newest first."""
    wanted = page_wanted(call, "transactional")
    async with call.pool.acquire() as tx:
        total = await transactional.count_published(tx, call.team.id)
        rows = await transactional.load_published_page(
            tx, call.team.id, before=wanted.before, limit=wanted.per_page + 1
        )
    return answer(
        Page[PublishedTransactional](
            pagination=pagination(call, wanted, ids=[row.id for row in rows], total=total),
            data=[
                PublishedTransactional(
                    id=row.id, name=row.name, last_updated=row.updated_at, data_variables=row.data_variables
                )
                for row in rows[: wanted.per_page]
            ],
        )
    )
