"""What workflows in files name: groups, segments and properties of the team."""

from datetime import UTC, datetime

import pytest

from loopwright.server.definitions.apply import apply_definitions
from loopwright.server.definitions.change import Change
from loopwright.server.definitions.mistakes import InvalidDefinitions
from loopwright.server.definitions.parse import parse
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow
from support.factories import add_segment

WORKFLOW = """name = "Trials"
status = "draft"
group = "Onboarding"
trigger = { property = "userGroup" }

[[steps]]
id = "trials"
[steps.filter]
segment = "Trials"
conditions = [{ type = "property", key = "email", operator = "contains", value = "@" }]
"""


async def apply(pool: Pool, team: TeamRow, text: str) -> list[str]:
    async with pool.acquire() as tx, tx.transaction():
        definitions = parse({"workflows/trials.toml": text})
        changes = await apply_definitions(tx, team.id, definitions, now=datetime.now(UTC))
    return [change.action for change in changes]


async def test_what_is_named_is_found(pool: Pool, team: TeamRow) -> None:
    """A group is made when there is none, a segment has to be there; the second time changes nothing."""
    await add_segment(pool, team.id, "csegment", name="Trials")
    assert await apply(pool, team, WORKFLOW) == ["created"]
    assert await apply(pool, team, WORKFLOW) == ["unchanged"]
    groups = await pool.fetch(
        "SELECT name FROM content_group WHERE kind = 'workflow' AND name = 'Onboarding'"
    )
    assert len(groups) == 1
    nodes = await pool.fetchval("SELECT nodes::text FROM workflow")
    assert '"audienceSegmentId": "csegment"' in nodes


async def test_what_is_not_there_is_told(pool: Pool, team: TeamRow) -> None:
    """All of it, with its line, and nothing is written."""
    wrong = WORKFLOW.replace('"email"', '"seats"').replace('"userGroup"', '"plan"')
    with pytest.raises(InvalidDefinitions) as invalid:
        await apply(pool, team, wrong)
    told = [str(one) for one in invalid.value.mistakes]
    starts = (
        "workflows/trials.toml:4: contactPropertyQuery.key: there is no contact property plan",
        "workflows/trials.toml:8: the team has no segment Trials",
        "workflows/trials.toml:8: conditions[0]: there is no contact property seats",
    )
    assert len(told) == len(starts)
    assert all(one.startswith(start) for one, start in zip(sorted(told), sorted(starts), strict=True)), told
    assert await pool.fetchval("SELECT count(*) FROM workflow") == 0


EMAIL = """name = "Trials"
status = "draft"
trigger = "contact-added"

[[steps]]
[steps.email]
subject = "Hello"
from = "ada"
body = "hello.lmx"
"""
BODY = '<Paragraph>{contact.plan} {event.seats} <Link href="">Go</Link></Paragraph>'


async def apply_all(pool: Pool, team: TeamRow, files: dict[str, str]) -> list[Change]:
    async with pool.acquire() as tx, tx.transaction():
        return await apply_definitions(tx, team.id, parse(files), now=datetime.now(UTC))


async def test_a_draft_may_lack_what_it_needs_to_send(pool: Pool, team: TeamRow) -> None:
    """As over the API: what Guardian would have against it is told, and refused where it is to send."""
    files = {"workflows/trials.toml": EMAIL, "workflows/hello.lmx": BODY}
    (change,) = await apply_all(pool, team, files)
    assert (change.action, change.detail) == ("created", "contact properties that the team lacks: plan")
    told = {one.message.split(":")[0] for one in parse(files).warnings}
    assert told >= {"Links without address", "{event.seats} has no value"}
    sends = {"workflows/trials.toml": EMAIL.replace('"draft"', '"sending"')}
    with pytest.raises(InvalidDefinitions) as invalid:
        parse({**files, **sends})
    assert len(invalid.value.mistakes) == 2
    only_plan = {**sends, "workflows/hello.lmx": "<Paragraph>{contact.plan}</Paragraph>"}
    with pytest.raises(InvalidDefinitions, match="the team has no contact property plan"):
        await apply_all(pool, team, only_plan)
    declared = await apply_all(pool, team, {**only_plan, "properties.toml": 'plan = "string"'})
    assert [(one.kind, one.action) for one in declared] == [
        ("contact property", "created"), ("workflow", "changed"),
    ]  # fmt: skip
    with pytest.raises(InvalidDefinitions, match=r"properties.toml:1: the team has plan as a string"):
        await apply_all(pool, team, {"properties.toml": 'plan = "number"'})


async def test_filters_name_what_the_folder_makes(pool: Pool, team: TeamRow) -> None:
    """A segment names a workflow and its email before either is there; a step that is not there is told."""
    segments = """["Welcomed"]
match = "any"
conditions = [
  { type = "activity", action = "sent", target = "workflow", id = "trials" },
  { type = "activity", action = "sent", target = "workflowEmail", id = "trials/hello" },
]
"""
    files = {
        "segments.toml": segments,
        "workflows/trials.toml": EMAIL,
        "workflows/hello.lmx": "<Paragraph>Hello</Paragraph>",
    }
    changes = await apply_all(pool, team, files)
    assert [one.action for one in changes] == ["created", "created"]
    assert {one.action for one in await apply_all(pool, team, files)} == {"unchanged"}
    alone = await apply_all(pool, team, {"segments.toml": segments})
    assert [one.action for one in alone] == ["unchanged"], "the steps' names are known without their file"
    stored = await pool.fetchval("SELECT filter::text FROM segment")
    assert changes[1].id in stored
    wrong = segments.replace("trials/hello", "trials/helo")
    with pytest.raises(InvalidDefinitions) as invalid:
        await apply_all(pool, team, {**files, "segments.toml": wrong})
    assert str(invalid.value) == (
        "segments.toml:1: the team has no email of a workflow trials/helo; did you mean trials/hello?"
    )


async def test_groups_of_emails(pool: Pool, team: TeamRow) -> None:
    """Described in a file of their own, or only named; an email that names none stays where it is."""
    email = 'name = "Receipt"\nsubject = "Hello"\nfrom = "ada"\nbody = "receipt.lmx"\n'
    files = {"transactional/receipt.lmx": "<Paragraph>Hello</Paragraph>"}
    group = {"groups.toml": '[transactional.Receipts]\ndescription = "Paid"\n[campaign.Letters]\n'}
    named = {**files, "transactional/receipt.toml": f'{email}group = "Receipts"\n'}
    assert [one.action for one in await apply_all(pool, team, named)] == ["created"]
    changes = await apply_all(pool, team, {**named, **group})
    assert [(one.kind, one.action) for one in changes] == [
        ("campaign group", "created"), ("transactional group", "changed"),
        ("transactional email", "unchanged"),
    ]  # fmt: skip
    left_out = {**files, "transactional/receipt.toml": email}
    assert [one.action for one in await apply_all(pool, team, left_out)] == ["unchanged"]
    unsorted = {**files, "transactional/receipt.toml": f'{email}group = "Unsorted"\n'}
    assert [one.action for one in await apply_all(pool, team, unsorted)] == ["changed"]
    assert await pool.fetchval("SELECT group_id FROM transactional_email") is None
