"""What the API made, as files: applied again, they change nothing."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from typer.testing import CliRunner

from loopwright.cli.program import program
from loopwright.ids import new_id
from loopwright.server.content.save import write_content
from loopwright.server.definitions.apply import apply_definitions
from loopwright.server.definitions.parse import parse
from loopwright.server.definitions.pull import pull
from loopwright.server.refusal import BadRequest
from loopwright.server.store.database import Pool
from loopwright.server.store.messages import EMPTY
from loopwright.server.store.teams import TeamRow
from loopwright.server.workflow import edit
from loopwright.server.workflow.edit import Edited
from loopwright.server.workflow.graph import (
    AddToListTrigger,
    AudienceFilterNode,
    BlankTrigger,
    ContactPropertyTrigger,
    EventTrigger,
    Graph,
    Node,
    SendEmailAction,
    SignupTrigger,
    TimerAction,
    Trigger,
)
from loopwright.wire.filters import AudienceFilter, OptInCondition, PropertyCondition
from loopwright.wire.workflow_nodes import Comparison, ContactPropertyQuery
from loopwright.wire.workflows import After, Between
from support.content import PLAIN
from support.factories import add_list, add_segment
from support.workflows import add_workflow, email_timer_email

NOW = datetime(2026, 5, 17, tzinfo=UTC)
KINDS: tuple[edit.NewNodeType, ...] = (
    "AudienceFilter",
    "BranchNode",
    "ExperimentBranchNode",
    "TimerAction",
    "SendEmailAction",
)
ANY, EMPTY_VALUE = Comparison(operator="any"), Comparison(operator="empty")
TRIGGERS: list[Trigger] = [
    BlankTrigger(),
    SignupTrigger(),
    EventTrigger(),
    EventTrigger(event_name='odd "name" \\ é\x7f', re_eligible=True),
    AddToListTrigger(),
    AddToListTrigger(re_eligible=True),
    ContactPropertyTrigger(),
    ContactPropertyTrigger(
        contact_property_query=ContactPropertyQuery(key="userGroup", is_=ANY, was=EMPTY_VALUE),
        re_eligible=True,
    ),
]
FILTERS = [
    AudienceFilterNode(),
    AudienceFilterNode(audience_segment_id="csegment", applies_downstream=False),
    AudienceFilterNode(
        audience_filter=AudienceFilter(
            match="any",
            conditions=[
                PropertyCondition(key="createdAt", operator="after", value="2026-01-01T00:00:00.000Z"),
                PropertyCondition(key="email", operator="contains", value="@"),
                OptInCondition(status=None),
                OptInCondition(status="pending"),
            ],
        )
    ),
]
CONTENTS = [
    EMPTY,
    PLAIN,
    replace(
        PLAIN,
        subject="{contact.firstName}",
        contact_fallbacks={"firstName": "odd\n'\"\\"},
        language_code="de",
    ),
    replace(PLAIN, contact_fallbacks={"unused": "x"}),
]


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """A trigger, and a few edits of what follows it."""
    graph = edit.new_graph(now=NOW)
    root = replace(
        draw(st.sampled_from(TRIGGERS)), next_node_ids=graph.nodes[graph.root_node_id].next_node_ids
    )
    graph = replace(graph, nodes={**graph.nodes, graph.root_node_id: root})
    for _ in range(draw(st.integers(0, 8))):
        try:
            graph = draw(_edited(graph)).graph
        except BadRequest:
            continue
    nodes = {one: draw(_filled(node)) for one, node in graph.nodes.items()}
    return replace(graph, nodes=nodes, removed={})


@st.composite
def _edited(draw: st.DrawFn, graph: Graph) -> Edited:
    one, other = (draw(st.sampled_from(sorted(graph.nodes))) for _ in range(2))
    match draw(st.integers(0, 4)):
        case 0:
            return edit.add_branch(graph, one, now=NOW)
        case 1:
            return edit.reroute(graph, one, other)
        case 2:
            return edit.remove(graph, one)
        case 3:
            kind = draw(st.sampled_from(KINDS))
            return edit.insert(graph, kind, After(from_node_id=one), now=NOW)
        case _:
            kind = draw(st.sampled_from(KINDS))
            return edit.insert(graph, kind, Between(from_node_id=one, to_node_id=other), now=NOW)


@st.composite
def _filled(draw: st.DrawFn, node: Node) -> Node:
    match node:
        case TimerAction():
            amount = draw(st.sampled_from([0.0, 1.0, 0.25, 1e-7, 99.5]))
            return replace(node, amount=amount, unit=draw(st.sampled_from("mhd")))
        case AudienceFilterNode():
            return replace(draw(st.sampled_from(FILTERS)), next_node_ids=node.next_node_ids)
        case SendEmailAction():
            return replace(node, stale_after_hours=draw(st.sampled_from([None, 36.0])))
        case _:
            return node


@settings(
    max_examples=20,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(graph=graphs(), data=st.data())
async def test_applying_what_was_pulled_changes_nothing(
    graph: Graph, data: st.DataObject, pool: Pool, team: TeamRow
) -> None:
    """Random graphs of every node and trigger, with emails that files can hold and others."""
    await begin_anew(pool, team.id)
    row = await add_workflow(
        pool,
        team.id,
        graph.nodes,
        root=graph.root_node_id,
        name=data.draw(st.sampled_from(["Wéb", "…"])),
        status=data.draw(st.sampled_from(["Draft", "Paused"])),
        mailing_list_id=data.draw(st.sampled_from([None, "cnews"])),
    )
    async with pool.acquire() as tx, tx.transaction():
        for node in graph.nodes.values():
            if isinstance(node, SendEmailAction):
                content = data.draw(st.sampled_from(CONTENTS))
                await write_content(tx, team.id, node.email_message_id, content, now=NOW)
        pulled = await pull(tx, team.id)
        changes = await apply_definitions(tx, team.id, parse(pulled.files), now=NOW)
        assert {change.action for change in changes} == {"unchanged"}, pulled.files
        assert {change.id for change in changes} >= {row.id}
        assert (await pull(tx, team.id)).files == pulled.files


async def begin_anew(pool: Pool, team_id: str) -> None:
    """A list and a segment, and no workflow."""
    await pool.execute("DELETE FROM workflow")
    await pool.execute("DELETE FROM mailing_list")
    await pool.execute("DELETE FROM segment")
    await add_list(pool, team_id, "cnews", name='Nëws "daily"')
    await add_segment(pool, team_id, "csegment")


async def test_the_commands(tmp_path: Path, pool: Pool, team: TeamRow, database_url: str) -> None:
    """Pulled files change nothing; what is changed elsewhere since is drift, until it is pulled again."""

    async def run(command: str, *options: str) -> tuple[int, str]:
        arguments = [command, str(tmp_path / "files"), "--database-url", database_url, *options]
        result = await asyncio.to_thread(CliRunner().invoke, program, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
        return result.exit_code, result.output

    named = await email_timer_email(pool, team.id, 5)
    ids = {name: new_id(NOW) for name in named}
    nodes: dict[str, Node] = {
        ids[name]: replace(node, next_node_ids=tuple(ids[one] for one in node.next_node_ids))
        for name, node in named.items()
    }
    row = await add_workflow(pool, team.id, nodes, root=ids["root"], status="Paused")
    assert await run("pull") == (0, f"Wrote 3 files into {tmp_path / 'files'}.\n")
    assert (tmp_path / "files/workflows/welcome.toml").exists()
    code, output = await run("apply")
    assert (code, output.splitlines()[-1]) == (0, "Nothing to change.")
    await pool.execute("UPDATE workflow SET name = 'Elsewhere', revision_id = 'cother' WHERE id = $1", row.id)
    code, output = await run("apply")
    assert code == 1
    assert "workflows/welcome.toml:1: this workflow was changed elsewhere: it is at revision cother" in output
    code, output = await run("pull")
    assert code != 0
    assert "Nothing was written: workflows/welcome.toml would say something else" in output
    assert (await run("pull", "--overwrite"))[0] == 0
    assert (await run("apply"))[1].splitlines()[-1] == "Nothing to change."
