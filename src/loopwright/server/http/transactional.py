"""Transactional email: sending, and the deprecated list of what can be sent."""

from loopwright.server.ingest.command import SendTransactional
from loopwright.server.ingest.reading import read_send_transactional
from loopwright.server.mail.decide import is_owned, is_reserved, no_domain
from loopwright.server.refusal import BadRequest
from loopwright.server.store import transactional
from loopwright.server.store.transactional import ListedTransactional
from loopwright.wire.paging import Page
from loopwright.wire.transactional import PublishedTransactional

from .dispatch import ApiRequest, read_command
from .paging import PageWanted, page


async def send_transactional(call: ApiRequest) -> object:
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
            raise BadRequest(
                f"The email cannot be sent: {no_domain(call.team.sending_domain)}", code="no_sending_domain"
            )
        return command

    command = await read_command(call, read)
    return await call.ingest.submit(command, size=call.share.size)


async def list_published(call: ApiRequest, wanted: PageWanted) -> Page[PublishedTransactional]:
    """GET /v1/transactional: the published ones, newest first, with when they were published last."""
    async with call.pool.acquire() as tx:
        total = await transactional.count_published(tx, call.team.id)
        rows = await transactional.load_published_page(
            tx, call.team.id, before=wanted.before, limit=wanted.limit
        )
    return page(call, wanted, total, rows, _published)


def _published(row: ListedTransactional) -> PublishedTransactional:
    return PublishedTransactional(
        id=row.id,
        name=row.name,
        last_updated=row.published_at or row.updated_at,
        data_variables=row.data_variables,
    )
