"""Events."""

from loopwright.server.ingest.reading import read_send_event

from .dispatch import ApiRequest, read_command


async def send_event(call: ApiRequest) -> object:
    """POST /v1/events/send. Answers as soon as the event is stored; workflows run afterwards."""
    key = call.request.headers.get("idempotency-key")
    command = await read_command(call, lambda body: read_send_event(call.team.id, body, key))
    return await call.ingest.submit(command, size=call.share.size)
