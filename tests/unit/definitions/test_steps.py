"""Workflows in files that are more than a row of steps."""

import pytest

from loopwright.server.definitions.mistakes import InvalidDefinitions
from loopwright.server.definitions.model import WorkflowDefinition, node_id
from loopwright.server.definitions.parse import parse
from loopwright.server.workflow.graph import (
    AddToListTrigger,
    AudienceFilterNode,
    BlankTrigger,
    BranchNode,
    ContactPropertyTrigger,
    ExitAction,
    ExperimentBranchNode,
    Graph,
    SendEmailAction,
    TimerAction,
    Trigger,
    VariantNode,
    encode_nodes,
)
from loopwright.wire.workflow_nodes import Comparison, ContactPropertyQuery

FILE = "workflows/plans.toml"
EMAIL = 'email = { subject = "Hello", from = "ada", body = "hello.lmx" }'
BRANCHED = f"""
name = "Plans"
group = "Onboarding"

[trigger]
property = "plan"
was = {{ operator = "empty" }}
is = {{ operator = "equal", value = "pro" }}
once = true

[[steps]]
id = "plan"
branch = ["big", "others"]

[[steps]]
id = "big"
[steps.filter]
conditions = [{{ type = "property", key = "seats", operator = "greaterThan", value = 9 }}]

[[steps]]
id = "test"
experiment = {{ ways = ["new", "old"], sampling_rate = 80 }}

[[steps]]
id = "new"
variant = "variant"

[[steps]]
id = "hello"
stale_after_hours = 48
{EMAIL}
next = "exit"

[[steps]]
id = "old"
variant = "control"

[[steps]]
id = "later"
email = "elsewhere"
next = "pause"

[[steps]]
id = "others"
filter = {{ segment = "Everybody else", downstream = false }}

[[steps]]
id = "pause"
timer = "1d"
"""


def read(text: str) -> WorkflowDefinition:
    (workflow,) = parse({FILE: text, "workflows/hello.lmx": "<Paragraph>Hi</Paragraph>"}).workflows
    return workflow


def graph(text: str) -> Graph:
    workflow = read(text)
    emails = [*workflow.messages(), *workflow.kept_emails()]
    return workflow.graph({one: f"message of {one}" for one in emails})


def test_every_kind_of_step() -> None:
    """With the ways that are said, and else to the step that follows, and at last to the exit."""
    found = graph(BRANCHED)
    ids = {
        name: node_id("plans", kind, name)  # type: ignore[arg-type]  # the kinds are those of the steps
        for name, kind in {
            "plan": "branch", "big": "filter", "test": "experiment", "new": "variant", "hello": "email",
            "old": "variant", "later": "email", "others": "filter", "pause": "timer", "exit": "exit",
        }.items()
    }  # fmt: skip

    def to(*names: str) -> tuple[str, ...]:
        return tuple(ids[name] for name in names)

    nodes = {name: found.nodes[one] for name, one in ids.items()}
    assert nodes == {
        "plan": BranchNode(next_node_ids=to("big", "others")),
        "big": AudienceFilterNode(next_node_ids=to("test")),
        "test": ExperimentBranchNode(next_node_ids=to("new", "old"), sampling_rate=80),
        "new": VariantNode(next_node_ids=to("hello")),
        "hello": SendEmailAction(
            next_node_ids=to("exit"), email_message_id=f"message of {ids['hello']}", stale_after_hours=48
        ),
        "old": VariantNode(next_node_ids=to("later"), is_control=True),
        "later": SendEmailAction(next_node_ids=to("pause"), email_message_id=f"message of {ids['later']}"),
        "others": AudienceFilterNode(next_node_ids=to("pause"), applies_downstream=False),
        "pause": TimerAction(next_node_ids=to("exit"), amount=1, unit="d"),
        "exit": ExitAction(),
    }
    assert read(BRANCHED).filters()[ids["others"]].segment == "Everybody else"


STEP = '[[steps]]\ntimer = "1d"\n'


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        pytest.param('"added-to-list"', AddToListTrigger(re_eligible=True), id="every time it joins"),
        pytest.param(
            "{ added_to_list = true, once = true }", AddToListTrigger(), id="the first time it joins"
        ),
        pytest.param('"not-chosen"', BlankTrigger(), id="not chosen yet"),
        pytest.param(
            '{ property = "plan" }',
            ContactPropertyTrigger(
                contact_property_query=ContactPropertyQuery(
                    key="plan", is_=Comparison(operator="any"), was=Comparison(operator="any")
                ),
                re_eligible=True,
            ),
            id="any change",
        ),
    ],
)
def test_triggers(said: str, expected: Trigger) -> None:
    """All that the API has."""
    text = f'name = "W"\nstatus = "draft"\ntrigger = {said}\n{STEP}'
    trigger = read(text).trigger
    assert encode_nodes({"root": trigger}) == encode_nodes({"root": expected})


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param(
            '["big", "others"]',
            '["big", "othres"]',
            ":13: branch names othres, which is no step; did you mean others?",
            id="a way to nowhere",
        ),
        pytest.param(
            '["big", "others"]',
            "[]",
            ":13: branch is a list of names, one or more",
            id="a branch without ways",
        ),
        pytest.param('next = "pause"', 'next = "big"', "paths never form a cycle", id="a circle"),
        pytest.param(
            '["big", "others"]', '["big"]', "others: no path leads here", id="a step that nothing leads to"
        ),
        pytest.param(
            '["big", "others"]',
            '["big", "others", "pause"]',
            "pause: the first node of a branch's way",
            id="a way without its filter",
        ),
        pytest.param('"greaterThan"', '"greaterThan", valeu = 1', "valeu", id="a key that nobody knows"),
        pytest.param(
            'segment = "', 'segmnet = "', "unknown key segmnet", id="a filter's key that nobody knows"
        ),
        pytest.param(
            'id = "plan"\n', "", "a step with branch needs a name of its own", id="a branch without a name"
        ),
        pytest.param(
            'variant = "control"',
            'variant = "controll"',
            "variant cannot be 'controll'",
            id="no kind of variant",
        ),
        pytest.param(
            'email = "elsewhere"', 'email = "somewhere"', "email cannot be 'somewhere'", id="no such email"
        ),
        pytest.param(
            "sampling_rate = 80", "sampling_rate = 180", "between 0 and 100", id="more than everybody"
        ),
        pytest.param(
            'operator = "equal", value', 'operator = "equal", worth', "worth", id="a comparison's key"
        ),
    ],
)
def test_mistakes(old: str, new: str, said: str) -> None:
    """Each told with its file and line."""
    assert old in BRANCHED
    with pytest.raises(InvalidDefinitions) as invalid:
        read(BRANCHED.replace(old, new, 1))
    told = [str(one) for one in invalid.value.mistakes]
    assert any(said in one and one.startswith(FILE) for one in told), told


def test_a_draft_may_lack_what_a_start_needs() -> None:
    """Its shape has to be right all the same."""
    unfinished = BRANCHED.replace('["big", "others"]', '["big", "others", "pause"]')
    with pytest.raises(InvalidDefinitions):
        read(unfinished)
    assert read(f'status = "draft"\n{unfinished}').status == "Draft"


def test_a_list_that_starts_a_workflow_is_named() -> None:
    """Or nobody would ever enter it."""
    text = f'name = "W"\ntrigger = "added-to-list"\n{STEP}'
    with pytest.raises(InvalidDefinitions) as invalid:
        read(text)
    assert [str(one) for one in invalid.value.mistakes] == [
        f'{FILE}:2: name the list that starts the workflow: mailing_list = "…"'
    ]
    assert read(f'status = "draft"\n{text}').status == "Draft"
