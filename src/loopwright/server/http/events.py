"""Events."""

from starlette.responses import Response

from loopwright.server.ingest.reading import read_send_event

from .operation import Call, answer, read_body


async def send_event(call: Call) -> Response:
    """POST /v1/events/send. Answers as soon as the event is stored; workflows run afterwards."""
    body = await read_body(call)
    command = read_send_event(call.team.id, body, call.request.headers.get("idempotency-key"))
    return answer(await call.ingest.submit(command))
