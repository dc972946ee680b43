"""Writing again to addresses that were suppressed by mistake."""

from collections.abc import Collection, Sequence

from .clock import Clock
from .ingest.batch import BATCH_LIMIT, Ingest
from .ingest.command import LiftSuppression
from .store.database import Pool
from .store.suppressions import load_bounced
from .suppression_review import Reviewed, review


async def lift_wrong(
    pool: Pool, clock: Clock, team_id: str, addresses: Collection[str]
) -> Sequence[Reviewed]:
    """Lift those of the addresses that were suppressed by mistake, and subscribe their contacts again.

    They are judged once more: meanwhile a server may have said that somebody is not there. Returns those that
    were lifted. Raises `Unavailable` when the database goes away; the same call lifts the rest.
    """
    async with pool.acquire() as tx:
        bounced = await load_bounced(tx, team_id)
    wrong = [one for one in review(bounced) if one.verdict == "wrong" and one.email in addresses]
    ingest = Ingest(pool, clock)
    ingest.start()
    try:
        for begin in range(0, len(wrong), BATCH_LIMIT):
            for outcome in await ingest.submit_many(
                [
                    LiftSuppression(team_id=team_id, address=one.email, contact_id=one.contact_id)
                    for one in wrong[begin : begin + BATCH_LIMIT]
                ]
            ):
                if isinstance(outcome, Exception):
                    raise outcome
    finally:
        await ingest.close()
    return wrong
