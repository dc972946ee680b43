"""Asks for a whole batch of runs which audience filters let their contacts through: a statement a filter."""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from loopwright.server.audience.predicate import Audience
from loopwright.server.store.audience import matching
from loopwright.server.store.database import Connection
from loopwright.server.store.paused_emails import HeldEmail
from loopwright.server.store.runs import DueRun

from .graph import AudienceFilterNode, Graph
from .step import RunPosition, RunState, filters_asked, filters_before


def state_of(run: DueRun) -> RunState:
    """A stored run as `step` takes it."""
    return RunState(
        workflow_id=run.workflow_id,
        contact_id=run.contact_id,
        place=RunPosition(run.node_id, run.entered_at),
        due_at=run.due_at,
        passed=tuple(point.node_id for point in run.way),
    )


async def ask_filters(
    tx: Connection, due: Sequence[DueRun], graphs: Mapping[str, Graph]
) -> dict[str, frozenset[str]]:
    """The filter nodes that let each run's contact through: run id -> node ids; `graphs` by workflow.

    Only those that the run may come to now are asked. Raises `LookupError` for a segment that is not there.
    """
    asked: dict[str, set[str]] = {}
    contacts: dict[tuple[str, str, str], set[str]] = defaultdict(set)
    known: dict[tuple[str, str, tuple[str, ...]], set[str]] = {}
    for run in due:
        state = state_of(run)
        key = (run.workflow_id, run.node_id, state.passed)
        if key not in known:
            known[key] = filters_asked(state, graphs[run.workflow_id])
        asked[run.id] = known[key]
        for node_id in known[key]:
            contacts[run.team_id, run.workflow_id, node_id].add(run.contact_id)
    through: dict[tuple[str, str], set[str]] = {}
    for (team_id, workflow_id, node_id), ids in contacts.items():
        node = graphs[workflow_id].nodes[node_id]
        assert isinstance(node, AudienceFilterNode)
        through[workflow_id, node_id] = await _let_through(tx, team_id, node, ids)
    return {
        run.id: frozenset(
            node_id for node_id in asked[run.id] if run.contact_id in through[run.workflow_id, node_id]
        )
        for run in due
    }


async def no_longer_match(tx: Connection, team_id: str, graph: Graph, held: Sequence[HeldEmail]) -> list[str]:
    """The emails whose contacts no longer match a filter that they passed before, and that holds downstream.

    Raises what `ask_filters` does.
    """
    asked: dict[str, list[HeldEmail]] = defaultdict(list)
    for email in held:
        for node_id in set(filters_before(email.node_id, [one.node_id for one in email.way], graph)):
            asked[node_id].append(email)
    unfit: set[str] = set()
    for node_id, emails in asked.items():
        node = graph.nodes[node_id]
        assert isinstance(node, AudienceFilterNode)
        through = await _let_through(tx, team_id, node, {one.contact_id for one in emails})
        unfit |= {one.id for one in emails if one.contact_id not in through}
    return sorted(unfit)


async def _let_through(
    tx: Connection, team_id: str, node: AudienceFilterNode, contact_ids: set[str]
) -> set[str]:
    """A node with neither filter nor segment lets everybody through."""
    if node.audience_filter is None and node.audience_segment_id is None:
        return contact_ids
    audience = Audience(filter=node.audience_filter, segment_id=node.audience_segment_id)
    return await matching(tx, team_id, audience, contact_ids)
