"""What facts lead to: who enters which workflow, who is kept out, and what is stored of it all. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from msgspec import Struct

from loopwright.server.store.facts import Fact, FactRow
from loopwright.server.store.runs import NewRun
from loopwright.server.store.workflows import Hindrance
from loopwright.server.workflow.entry import entries, kept_out, triggers

from .facts import row_of
from .team_cache import TeamSnapshot


class Consequences(Struct, kw_only=True):
    """The runs that facts start, whom events did not let in (event id -> workflow id -> why), and rows."""

    runs: Sequence[NewRun] = ()
    kept_out: dict[str, dict[str, Hindrance]] = {}
    rows: list[FactRow] = []


def consequences(facts: Sequence[Fact], teams: Mapping[str, TeamSnapshot], *, now: datetime) -> Consequences:
    """What follows from what has happened at `now`."""
    waiting = {
        trigger: workflows
        for trigger in {trigger for fact in facts for trigger in triggers(fact)}
        if trigger[0] in teams and (workflows := teams[trigger[0]].workflows.get(trigger))
    }
    found = Consequences(runs=entries(facts, waiting, now=now) if waiting else ())
    for fact in facts:
        why = kept_out(fact, waiting) if waiting else {}
        if fact.event is not None:
            if why:
                found.kept_out[fact.event.id] = why
        elif team := teams.get(fact.contact.team_id):
            row = row_of(fact, why, webhooks=team.has_webhooks, declared=team.properties, now=now)
            if row:
                found.rows.append(row)
    return found
