# Made by tools/make_sync.py from src/loopwright/client/_async/work.py
"""The work that many items are: batches of them, and how one is sent."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from loopwright.client.logs import logger
from loopwright.client.many import (
    REFUSED,
    WINDOW,
    Items,
    Many,
    Outcome,
    Work,
    chunked,
    numbered,
)
from loopwright.client.sync_async import sleep
from loopwright.errors import LoopsError, StatusError

if TYPE_CHECKING:
    from loopwright.client._sync.client import Loops
    from loopwright.client.bulk import Bulk, Chunk
    from loopwright.client.call import CallOptions

Item = TypeVar("Item")
Result = TypeVar("Result")

ABSENT = (404, 405)


def find_work(
    client: Loops, many: Many[Item, Result], items: Items[Item], at_once: int
) -> Work[Any, Item, Result]:
    """In chunks where the server takes them, else item by item."""
    bulk = client.find_bulk(many.operation, many.options)
    if bulk is None:
        send_one = partial(send_item, client, many)
        return Work(numbered(items), send_one, at_once, at_once * WINDOW)

    from loopwright.client.bulk import AT_ONCE, Chunk

    chunks = chunked(items, partial(Chunk[Item, Result], many, bulk))
    at_once = min(at_once, AT_ONCE)
    return Work(chunks, partial(send_chunk, client, many), at_once, at_once)


def ask(client: Loops, bulk: Bulk, options: CallOptions) -> bool | None:
    """Whether the server has the endpoint; `None` when it did not tell."""
    from loopwright.client.bulk import offers_bulk

    try:
        answer = client.send(bulk.call(b"", options))
    except StatusError as error:
        return False if error.status in ABSENT else None
    except LoopsError:
        return None
    return offers_bulk(answer) or None


def send_item(client: Loops, many: Many[Item, Result], one: tuple[int, Item]) -> list[Outcome[Item, Result]]:
    """Send one item by a call of its own."""
    index, item = one
    try:
        result = client.send(many.call(item))
    except REFUSED as error:
        return [Outcome(index=index, item=item, error=error)]
    return [Outcome(index=index, item=item, result=result)]


def send_chunk(
    client: Loops, many: Many[Item, Result], chunk: Chunk[Item, Result]
) -> list[Outcome[Item, Result]]:
    """Send a chunk, and what is left open of it again while that is safe and can help."""
    while chunk.open:
        if chunk.pause > 0:
            logger.info("%s: %d items again in %.2f s", many.name, len(chunk.open), chunk.pause)
            sleep(chunk.pause)
        try:
            answer = client.send(chunk.call())
        except REFUSED as error:
            chunk.failed(error)
        else:
            chunk.answered(answer)
    if chunk.alone is None:
        return chunk.outcomes
    return chunk.outcomes + send_item(client, many, chunk.alone)
