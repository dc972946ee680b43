"""Jobs: what has to happen later, as rows of PgQueuer written in the transaction of what caused them."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import LiteralString, TypeAlias

import msgspec
from msgspec import Struct
from pgqueuer.adapters.persistence.qb import QueryQueueBuilder

from .database import Connection


class RunStep(Struct, frozen=True, tag="run_step"):
    """A run is due at a node: a job of the release before, which has it decided anew."""

    team_id: str
    run_id: str
    node_id: str


class DeliverEmail(Struct, frozen=True, tag="deliver_email"):
    """An email waits to be delivered: a job of the release before, which has senders look."""

    team_id: str
    email_id: str


class ForgetContact(Struct, frozen=True, tag="forget_contact"):
    """A contact was deleted: what else is held about the person is to go.

    `again`: it is to be looked for once more later, as something may have been under way.
    """

    team_id: str
    contact_id: str
    email: str
    deleted_at: datetime
    again: bool = True


Job: TypeAlias = RunStep | DeliverEmail | ForgetContact


class JobCount(Struct, frozen=True):
    """How many jobs of a kind are in a state, and for how many seconds the first of them has been due.

    Emails that wait count as jobs that deliver one, runs that wait as jobs that take a step, and webhooks
    that wait as jobs that send one.
    The states: `due`, `later`, `taken` by a worker, `held` until something is mended, and `failed` for good.
    """

    entrypoint: str
    state: str
    count: int
    seconds: float


# PgQueuer and leases go by the database's clock, runs and emails by the server's.
COUNT_JOBS: LiteralString = """
    SELECT entrypoint, state, count(*) AS count,
           greatest(0, extract(epoch FROM max(waits)))::float AS seconds
      FROM (
               SELECT entrypoint, now() - execute_after AS waits,
                      CASE WHEN status = 'failed' THEN 'failed' WHEN status = 'picked' THEN 'taken'
                           WHEN execute_after <= now() THEN 'due' ELSE 'later' END AS state
                 FROM pgqueuer
                UNION ALL
               SELECT 'deliver_email', $1::timestamptz - nullif(due_at, 'infinity'),
                      CASE WHEN due_at = 'infinity' THEN 'held' WHEN leased_until > now() THEN 'taken'
                           WHEN due_at <= $1 THEN 'due' ELSE 'later' END
                 FROM email_queue
                UNION ALL
               SELECT 'run_step', $1 - due_at, CASE WHEN due_at <= $1 THEN 'due' ELSE 'later' END
                 FROM run WHERE due_at IS NOT NULL
                UNION ALL
               SELECT 'send_webhook', due_at, CASE WHEN due_at <= now() THEN 'due' ELSE 'later' END
                 FROM webhook_delivery WHERE due_at IS NOT NULL
           ) AS waiting
     GROUP BY 1, 2
     ORDER BY 1, 2
"""

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


async def count_jobs(tx: Connection, *, now: datetime) -> list[JobCount]:
    """What waits in the queue, of all teams: this is for the operator of the server."""
    return [JobCount(**row) for row in await tx.fetch(COUNT_JOBS, now)]
