"""What the API made, as files: applied again, they change nothing."""

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from typer.testing import CliRunner

from loopwright.cli.program import program
from loopwright.ids import new_id
from loopwright.server.content.images import digest_of, image_url
from loopwright.server.content.save import write_content
from loopwright.server.definitions.apply import apply_definitions
from loopwright.server.definitions.parse import parse
from loopwright.server.definitions.pull import pull
from loopwright.server.refusal import BadRequest
from loopwright.server.settings import LOCAL_URL
from loopwright.server.store.audience import insert_property
from loopwright.server.store.database import Pool
from loopwright.server.store.messages import EMPTY
from loopwright.server.store.segments import load_all
from loopwright.server.store.teams import TeamRow, insert_team
from loopwright.server.store.workflows import WorkflowRow
from loopwright.server.workflow import edit
from loopwright.server.workflow.edit import Edited
from loopwright.server.workflow.graph import (
    AddToListTrigger,
    AudienceFilterNode,
    BlankTrigger,
    ContactPropertyTrigger,
    EventTrigger,
    ExitAction,
    Graph,
    Node,
    SendEmailAction,
    SignupTrigger,
    TimerAction,
    Trigger,
    graph_of,
)
from loopwright.wire.filters import (
    ActivityCondition,
    AudienceFilter,
    Condition,
    OptInCondition,
    PropertyCondition,
)
from loopwright.wire.values import PropertyType
from loopwright.wire.workflow_nodes import Comparison, ContactPropertyQuery
from loopwright.wire.workflows import After, Between
from support.content import PLAIN
from support.factories import (
    add_campaign,
    add_component,
    add_draft,
    add_group,
    add_image,
    add_list,
    add_published_content,
    add_segment,
    add_theme,
    copy_campaign,
)  # fmt: skip
from support.workflows import add_workflow, email_timer_email

NOW = datetime(2026, 5, 17, tzinfo=UTC)
KINDS: tuple[edit.NewNodeType, ...] = (
    "AudienceFilter",
    "BranchNode",
    "ExperimentBranchNode",
    "TimerAction",
    "SendEmailAction",
)
ROOT_NODE, EMAIL_NODE, EXIT_NODE = ("c" + name * 4 for name in ("root00", "email0", "exit00"))
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
ABOUT = [
    ActivityCondition(action="sent", target="campaign", id="cmay"),
    ActivityCondition(action="opened", target="campaign", id="cjune", negate=True),
    ActivityCondition(action="clicked", target="workflow", id="cflow"),
    ActivityCondition(action="sent", target="workflowEmail", id=EMAIL_NODE),
    ActivityCondition(action="sent", target="workflowEmail", id="cmessage"),
    ActivityCondition(action="sent", target="workflow", id="cgone"),
]
"""About two campaigns, a workflow, its email by the node and by the message, and what is gone."""
FILTERS = [
    AudienceFilterNode(),
    *(AudienceFilterNode(audience_filter=AudienceFilter(match="all", conditions=[one])) for one in ABOUT),
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
    replace(PLAIN, cc_email="a@example.com", bcc_email="{contact.email}", email_format="plain"),
    replace(PLAIN, lmx='<Paragraph>{contact.nobody} <Link href="">Go</Link></Paragraph>'),
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
        group_id=data.draw(st.sampled_from([None, "cgroup0", "cgroup1"])),
    )
    async with pool.acquire() as tx, tx.transaction():
        for node in graph.nodes.values():
            if isinstance(node, SendEmailAction):
                content = data.draw(st.sampled_from(CONTENTS))
                await write_content(tx, team.id, node.email_message_id, content, now=NOW)
        pulled = await pull(tx, team.id)
        changes = await apply_definitions(tx, team.id, parse(pulled.files), now=NOW)
        assert {change.action for change in changes} == {"unchanged"}, (changes, pulled.files)
        assert {change.id for change in changes} >= {row.id}
        assert (await pull(tx, team.id)).files == pulled.files


PNG = b"\x89PNG\r\n\x1a\nlogo"
IMAGE = f'<Image src="{image_url(LOCAL_URL, digest_of(PNG), "image/png")}" alt="Acme"/>'
ELSEWHERE = '<Image src="https://images.example.com/a.png"/>'
BLOCKS = (
    "<Paragraph>{data.code}</Paragraph>",
    IMAGE,
    ELSEWHERE,
    '<Divider width="50"/>',
    "<Paragraph>Hi</Paragraph>",
)
STYLES: dict[str, str | float] = {
    "bodyColor": "#ffffff", "backgroundColor": "", "bodyFontFamily": "'Exo 2', serif", "borderWidth": 1,
    "heading1LetterSpacing": -0.5,
}  # fmt: skip


@st.composite
def bodies(draw: st.DrawFn, theme: bool, components: int) -> str:
    """LMX that names some of what there is."""
    blocks = draw(st.lists(st.sampled_from(BLOCKS), min_size=1, max_size=3))
    blocks += [
        f'<Component componentId="ccomponent{one}"/>' for one in range(components) if draw(st.booleans())
    ]
    style = '<Style themeId="ctheme" bodyColor="#eeeeee"/>' if theme and draw(st.booleans()) else ""
    return style + "".join(blocks)


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
async def test_content_that_was_pulled_is_applied_as_it_is(
    data: st.DataObject, pool: Pool, team: TeamRow
) -> None:
    """Random themes, components, images and transactional emails, and a workflow's that name them, too."""
    await begin_anew(pool, team.id)
    await add_image(pool, team.id, PNG)
    has_theme, components = data.draw(st.booleans()), data.draw(st.integers(0, 3))
    if has_theme:
        keys = data.draw(st.sets(st.sampled_from(sorted(STYLES))))
        await add_theme(pool, team.id, "ctheme", name="Sea & sand", styles={key: STYLES[key] for key in keys})
    for number in range(components):
        lmx = data.draw(bodies(theme=False, components=0))
        await add_component(
            pool, team.id, f"ccomponent{number}", name=data.draw(st.sampled_from("AB")), lmx=lmx
        )
    for number in range(data.draw(st.integers(0, 3))):
        content = replace(
            PLAIN,
            lmx=data.draw(bodies(theme=has_theme, components=components)),
            cc_email=data.draw(st.sampled_from(["", "a@example.com"])),
            bcc_email=data.draw(st.sampled_from(["", "{data.code}"])),
            email_format=data.draw(st.sampled_from(["styled", "plain"])),
            data_fallbacks=data.draw(st.sampled_from([{}, {"code": "0"}])),
        )
        await add_published_content(
            pool, team.id, f"cemail{number}", content, name=data.draw(st.sampled_from("AB"))
        )
    nodes = graph_of(await add_welcome(pool, team.id)).nodes
    async with pool.acquire() as tx, tx.transaction():
        body = data.draw(bodies(theme=has_theme, components=components)).replace("{data.code}", "x")
        message_id = next(one.email_message_id for one in nodes.values() if isinstance(one, SendEmailAction))
        await write_content(tx, team.id, message_id, replace(PLAIN, lmx=body), now=NOW)
        pulled = await pull(tx, team.id)
        definitions = parse(pulled.files, pulled.images)
        changes = await apply_definitions(tx, team.id, definitions, now=NOW)
        assert {change.action for change in changes} == {"unchanged"}, (changes, pulled.files)
        assert (await pull(tx, team.id)).files == pulled.files
        assert not any(LOCAL_URL in text for text in pulled.files.values())
        # Another team gets the same from them.
        other = tx.transaction()
        await other.start()
        await insert_team(tx, replace(team, id="cother", name="Other", copies=True), now=NOW)
        changes = await apply_definitions(tx, "cother", definitions, now=NOW)
        assert {change.action for change in changes} == {"created"}
        there = await pull(tx, "cother")
        assert (there.files, there.images) == (pulled.files, pulled.images)
        await other.rollback()


NAMED = [replace(one, action="sent") for one in ABOUT[:1] + ABOUT[2:5]]
PROPERTIES: dict[str, PropertyType] = {"plan": "string", "seats": "number"}


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(conditions=st.lists(st.sampled_from(NAMED), min_size=1, max_size=3), data=st.data())
async def test_one_folder_is_for_any_server(
    conditions: list[Condition], data: st.DataObject, pool: Pool, team: TeamRow
) -> None:
    """Filters name workflows, their emails and campaigns as files do; properties and groups come along."""
    await begin_anew(pool, team.id)
    about = AudienceFilter(
        match="any", conditions=[*conditions, PropertyCondition(key="seats", operator="notEmpty")]
    )
    await add_segment(pool, team.id, "cquiet", name="Quiet", filter_=about)
    await add_group(pool, team.id, "transactional", "creceipts", name="Receipts")
    group_id = data.draw(st.sampled_from([None, "creceipts"]))
    await add_published_content(pool, team.id, "creceipt", PLAIN, name="Receipt", group_id=group_id)
    async with pool.acquire() as tx, tx.transaction():
        for key, kind in PROPERTIES.items():
            await insert_property(tx, team.id, key, kind, now=NOW)
        pulled = await pull(tx, team.id)
        definitions = parse(pulled.files)
        changes = await apply_definitions(tx, team.id, definitions, now=NOW)
        assert {change.action for change in changes} == {"unchanged"}, (changes, pulled.files)
        assert not any(own in text for text in pulled.files.values() for own in ("cmay", "cflow", "cmessage"))
        other = tx.transaction()
        await other.start()
        await insert_team(tx, replace(team, id="cother", name="Other"), now=NOW)
        await copy_campaign(tx, "cmay", "ctheirs", team_id="cother", message_id="cmessage")
        changes = await apply_definitions(tx, "cother", definitions, now=NOW)
        assert {change.action for change in changes} == {"created"}
        there = await pull(tx, "cother")
        quiet = next(row for row in await load_all(tx, "cother") if row.name == "Quiet")
        await other.rollback()
    assert there.files == pulled.files
    ids = {"campaign": "ctheirs", "workflowEmail": EMAIL_NODE}
    ids |= {"workflow": next(one.id for one in changes if one.kind == "workflow")}
    found = [one for one in quiet.filter.conditions if isinstance(one, ActivityCondition)]
    assert [one.id for one in found] == [
        ids[one.target] for one in conditions if isinstance(one, ActivityCondition)
    ]


async def test_what_only_this_server_knows_is_told(pool: Pool, team: TeamRow) -> None:
    """A campaign that shares its name, and what is gone; this server takes both as they are."""
    await begin_anew(pool, team.id)
    about = AudienceFilter(match="any", conditions=[ABOUT[1], ABOUT[-1]])
    await add_segment(pool, team.id, "cquiet", name="Quiet", filter_=about)
    async with pool.acquire() as tx, tx.transaction():
        pulled = await pull(tx, team.id)
        changes = await apply_definitions(tx, team.id, parse(pulled.files), now=NOW)
    assert {change.action for change in changes} == {"unchanged"}
    assert pulled.notes == [
        "segments.toml: files have no name for the campaign cjune, so only this server knows it",
        "segments.toml: files have no name for the workflow cgone, so only this server knows it",
    ]


async def test_what_files_cannot_hold_is_told(pool: Pool, team: TeamRow) -> None:
    """An email that was never published, and one without what files ask for."""
    await add_draft(pool, team.id, "cdraft", "cmessage")
    await add_published_content(pool, team.id, "cempty", replace(PLAIN, subject=""), name="Empty")
    async with pool.acquire() as tx, tx.transaction():
        pulled = await pull(tx, team.id)
    assert pulled.files == {}
    assert pulled.notes == [
        "transactional/draft.toml: Draft was never published, and files publish what they hold",
        "transactional/empty.toml:1: subject is missing; the email stays where it is",
    ]


async def add_welcome(pool: Pool, team_id: str) -> WorkflowRow:
    """An email, a day, another email, in nodes whose ids files can keep."""
    named = await email_timer_email(pool, team_id, 5)
    ids = {name: new_id(NOW) for name in named}
    nodes: dict[str, Node] = {
        ids[name]: replace(node, next_node_ids=tuple(ids[one] for one in node.next_node_ids))
        for name, node in named.items()
    }
    return await add_workflow(pool, team_id, nodes, root=ids["root"], status="Paused")


async def begin_anew(pool: Pool, team_id: str) -> None:
    """A list, a segment, campaigns, groups of which two are called alike, and one workflow with an email."""
    for table in (
        "workflow", "transactional_email", "campaign", "email_message", "component", "theme", "image",
        "mailing_list", "segment", "contact_property", "content_group WHERE name <> 'Unsorted'",
    ):  # fmt: skip
        await pool.execute(f"DELETE FROM {table}")
    await add_list(pool, team_id, "cnews", name='Nëws "daily"')
    await add_segment(pool, team_id, "csegment")
    await add_campaign(pool, team_id, "cmay", name='May "24"')
    await add_campaign(pool, team_id, "cjune", name="Twice")
    await add_campaign(pool, team_id, "cjuly", name="Twice")
    for number, name in enumerate(["First", "First", 'Last "one"']):
        await add_group(pool, team_id, "workflow", f"cgroup{number}", name=name, description="x" * number)
    await add_group(pool, team_id, "campaign", "cletters", name="Letters", description="Once a month")
    nodes: dict[str, Node] = {
        ROOT_NODE: SignupTrigger(next_node_ids=(EMAIL_NODE,)),
        EMAIL_NODE: SendEmailAction(email_message_id="cmessage", next_node_ids=(EXIT_NODE,)),
        EXIT_NODE: ExitAction(),
    }
    async with pool.acquire() as tx, tx.transaction():
        await write_content(tx, team_id, "cmessage", PLAIN, now=NOW)
    await add_workflow(pool, team_id, nodes, root=ROOT_NODE, workflow_id="cflow", name="Flow", status="Draft")


async def test_the_commands(tmp_path: Path, pool: Pool, team: TeamRow, database_url: str) -> None:
    """Pulled files change nothing; what is changed elsewhere since is drift, until it is pulled again."""

    async def run(command: str, *options: str) -> tuple[int, str]:
        arguments = [command, str(tmp_path / "files"), "--database-url", database_url, *options]
        result = await asyncio.to_thread(CliRunner().invoke, program, arguments)
        assert result.exception is None or isinstance(result.exception, SystemExit), repr(result.exception)
        return result.exit_code, result.output

    row = await add_welcome(pool, team.id)
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


LONG = "A name as long as names may be, " * 8
"""Of 255 characters and more: as a file's name it would be too long."""


@pytest.mark.parametrize("in_the_way", ["groups.toml/", "workflows", f"workflows/{'b' * 100}.toml/"])
async def test_files_that_cannot_be_written(
    tmp_path: Path, pool: Pool, team: TeamRow, database_url: str, in_the_way: str
) -> None:
    """The file is named, what was there is there still, and nothing else: the next pull finds all as it was.

    Some files without the others would be applied as further things of the same names.
    """
    await add_group(pool, team.id, "workflow", "cgroup", name="Zebras")
    await add_welcome(pool, team.id)
    await add_workflow(
        pool, team.id, {ROOT_NODE: SignupTrigger(next_node_ids=(EXIT_NODE,)), EXIT_NODE: ExitAction()},
        root=ROOT_NODE, workflow_id="cflow", name="b" * 255, status="Draft",
    )  # fmt: skip
    obstacle = tmp_path / in_the_way
    obstacle.parent.mkdir(parents=True, exist_ok=True)
    obstacle.mkdir() if in_the_way.endswith("/") else obstacle.touch()
    before = sorted(path for path in tmp_path.rglob("*") if path.is_file())
    arguments = ["pull", str(tmp_path), "--database-url", database_url]
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "loopwright"), *arguments, stderr=asyncio.subprocess.PIPE
    )
    said = (await process.communicate())[1].decode()
    assert process.returncode == 2
    assert said.startswith(str(obstacle)), said
    assert "database" not in said
    assert sorted(path for path in tmp_path.rglob("*") if path.is_file()) == before
    assert await pool.fetchval("SELECT count(*) FROM workflow WHERE slug IS NOT NULL AND id = 'cflow'") == 0


async def test_long_names(tmp_path: Path, pool: Pool, team: TeamRow) -> None:
    """Names of 255 characters make file names that every system takes, each its own."""
    names = [LONG[:255], LONG[:255].upper(), LONG[:120]]
    nodes: dict[str, Node] = {ROOT_NODE: SignupTrigger(next_node_ids=(EXIT_NODE,)), EXIT_NODE: ExitAction()}
    for number, name in enumerate(names):
        await add_workflow(
            pool, team.id, nodes, root=ROOT_NODE, workflow_id=f"cflow{number}", name=name, status="Draft"
        )
    async with pool.acquire() as tx, tx.transaction():
        pulled = await pull(tx, team.id)
    assert len(pulled.files) == len(names)
    assert max(len(Path(file).name) for file in pulled.files) < 128
