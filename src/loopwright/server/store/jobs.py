"""Jobs: what has to happen later, as rows of PgQueuer written in the transaction of what caused them."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeAlias

import msgspec
from msgspec import Struct
from pgqueuer.adapters.persistence.qb import QueryQueueBuilder

from .database import Connection


class RunStep(Struct, frozen=True, tag="run_step"):
    """A run is due at a node."""

    team_id: str
    run_id: str
    node_id: str


class DeliverEmail(Struct, frozen=True, tag="deliver_email"):
    """An email waits to be delivered."""

    team_id: str
    email_id: str


Job: TypeAlias = RunStep | DeliverEmail

_encoder = msgspec.json.Encoder()
_decoder = msgspec.json.Decoder[Job](Job)
# PgQueuer's own statement, so that the table's shape stays its own affair.
_ENQUEUE = QueryQueueBuilder().build_enqueue_query()


def entrypoint(job: Job | type[Job]) -> str:
    """The name PgQueuer knows such jobs by."""
    return str(job.__struct_config__.tag)


def decode(payload: bytes) -> Job:
    """Read a job back from what `enqueue` stored."""
    job: Job = _decoder.decode(payload)
    return job


async def enqueue(tx: Connection, jobs: Sequence[Job], *, delay: timedelta = timedelta(0)) -> None:
    """Write `jobs` in the caller's transaction; none is taken before `delay` has passed since it began."""
    if not jobs:
        return
    count = len(jobs)
    await tx.fetch(
        _ENQUEUE,
        [0] * count,
        [entrypoint(job) for job in jobs],
        [_encoder.encode(job) for job in jobs],
        [delay] * count,
        [None] * count,
        ["null"] * count,
    )
