"""What definition files say, once they are known to be sound."""

import re
from collections.abc import Mapping
from hashlib import sha256
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from loopwright.server.content.message import required_variables
from loopwright.server.content.sample import GivenValues
from loopwright.server.mail.variables import Variable
from loopwright.server.store.groups import GroupKind
from loopwright.server.store.messages import Content
from loopwright.server.store.workflows import WorkflowStatus
from loopwright.server.workflow.graph import (
    AudienceFilterNode,
    BranchNode,
    ExitAction,
    ExperimentBranchNode,
    Graph,
    Node,
    SendEmailAction,
    TimerAction,
    Trigger,
    VariantNode,
)
from loopwright.wire.filters import AudienceFilter
from loopwright.wire.values import PropertyType

from .mistakes import Mistake

NodeKind: TypeAlias = Literal[
    "trigger", "timer", "email", "filter", "branch", "experiment", "variant", "exit"
]
EXIT = "exit"
"""What steps call the end of the workflow."""

_NODE_ID = re.compile(r"c[0-9a-z]{24}")


class Use(Struct, frozen=True):
    """Where a variable is first used: a file and a line of it, from 1."""

    variable: Variable
    file: str
    line: int


class MessageDefinition(Struct, frozen=True, kw_only=True):
    """The content of an email, from `file` and `body_file`.

    `said` names the fields of `content` that the files decide; `samples` are values to preview it with, by
    what they are called.
    """

    file: str
    content: Content
    said: frozenset[str]
    uses: tuple[Use, ...]
    body_file: str = ""
    samples: Mapping[str, GivenValues] = {}

    @property
    def copies(self) -> bool:
        """Whether the files have copies of it go elsewhere."""
        return bool(self.content.cc_email or self.content.bcc_email)

    def over(self, stored: Content) -> Content:
        """What is stored, with all that the files say."""
        return replace(stored, **{field: getattr(self.content, field) for field in self.said})

    def differs(self, one: Content, other: Content) -> bool:
        """Whether two contents differ in what the files decide."""
        return any(getattr(one, field) != getattr(other, field) for field in self.said)


class ListDefinition(Struct, frozen=True, kw_only=True):
    """A mailing list."""

    slug: str
    name: str
    description: str | None
    is_public: bool


class PropertyDefinition(Struct, frozen=True, kw_only=True):
    """A contact property of the team's own. `line` is where it stands."""

    key: str
    type: PropertyType
    line: int


class GroupDefinition(Struct, frozen=True, kw_only=True):
    """A group, by the name that what is in it calls it."""

    kind: GroupKind
    name: str
    description: str


class SegmentDefinition(Struct, frozen=True, kw_only=True):
    """A segment, by the name that filters call it. `line` is where it stands."""

    name: str
    description: str | None
    filter: AudienceFilter
    line: int


class ImageDefinition(Struct, frozen=True, kw_only=True):
    """An image, by its path from the folder's root."""

    path: str
    content_type: str
    data: bytes


class ThemeDefinition(Struct, frozen=True, kw_only=True):
    """A theme: all of its styles."""

    slug: str
    file: str
    name: str
    styles: Mapping[str, str | float]


class ComponentDefinition(Struct, frozen=True, kw_only=True):
    """A component, whose body may name images of the folder."""

    slug: str
    file: str
    name: str
    lmx: str


class TransactionalDefinition(Struct, frozen=True, kw_only=True):
    """A transactional email, published with this content. `group` is a name."""

    slug: str
    name: str
    group: str | None = None
    message: MessageDefinition

    @property
    def data_variables(self) -> list[str]:
        """The names of its data variables, sorted."""
        return sorted({use.variable.asked.name for use in self.message.uses if use.variable.kind == "data"})

    @property
    def required_variables(self) -> list[str]:
        """Those of them that have no fallback."""
        return required_variables(self.data_variables, self.message.content)


class KeptEmail(Struct, frozen=True, kw_only=True):
    """An email whose content is written elsewhere, over the API; files leave it as it is."""


class FilterDefinition(Struct, frozen=True, kw_only=True):
    """An audience filter; `segment` is a segment's name. `file` and `line` are where it stands."""

    filter: AudienceFilter | None
    segment: str | None
    applies_downstream: bool
    file: str
    line: int


Action: TypeAlias = (
    TimerAction
    | MessageDefinition
    | KeptEmail
    | FilterDefinition
    | BranchNode
    | ExperimentBranchNode
    | VariantNode
    | ExitAction
)


class StepDefinition(Struct, frozen=True, kw_only=True):
    """A step by its name, which is its own within the workflow, and the names of those after it."""

    name: str
    action: Action
    next: tuple[str, ...]
    stale_after_hours: float | None = None


class WorkflowDefinition(Struct, frozen=True, kw_only=True):
    """A workflow: a trigger, then step after step.

    `mailing_list` is a slug, `group` a name. `trigger_id` is the trigger's node where files do not choose it;
    `trigger_line` is where the trigger stands.
    """

    slug: str
    name: str
    description: str
    mailing_list: str | None
    group: str | None = None
    status: WorkflowStatus
    trigger: Trigger
    trigger_id: str | None = None
    trigger_line: int = 1
    steps: tuple[StepDefinition, ...]

    def messages(self) -> dict[str, MessageDefinition]:
        """The content of each email node, by the node's id."""
        named = ((self.id_of(step), step.action) for step in self.steps)
        return {node_id: action for node_id, action in named if isinstance(action, MessageDefinition)}

    def kept_emails(self) -> list[str]:
        """The email nodes whose content is written elsewhere."""
        return [self.id_of(step) for step in self.steps if isinstance(step.action, KeptEmail)]

    def step_names(self) -> dict[str, str]:
        """What the steps are called, by their nodes' ids."""
        return {self.id_of(step): step.name for step in self.steps}

    def email_nodes(self) -> dict[str, str]:
        """The nodes of the steps that send emails, by the steps' names."""
        return {
            step.name: self.id_of(step)
            for step in self.steps
            if isinstance(step.action, MessageDefinition | KeptEmail)
        }

    def filters(self) -> dict[str, FilterDefinition]:
        """The audience filters, by their nodes' ids."""
        named = ((self.id_of(step), step.action) for step in self.steps)
        return {node_id: action for node_id, action in named if isinstance(action, FilterDefinition)}

    def graph(
        self, message_ids: Mapping[str, str], filters: Mapping[str, AudienceFilterNode] | None = None
    ) -> Graph:
        """The workflow as a graph.

        `message_ids` maps an email node's id to its message's; `filters` has what audience filters are once
        their segments are known.
        """
        ids = {EXIT: node_id(self.slug, "exit", EXIT)} | {step.name: self.id_of(step) for step in self.steps}
        nodes: dict[str, Node] = {
            self.id_of(step): _node(
                self.id_of(step),
                step,
                tuple(ids.get(one, one) for one in step.next),
                message_ids,
                filters or {},
            )
            for step in self.steps
        }
        named = {one for step in self.steps for one in step.next}
        if EXIT in named and ids[EXIT] not in nodes:
            nodes[ids[EXIT]] = ExitAction()
        root_id = self.trigger_id or node_id(self.slug, "trigger", "trigger")
        first = self.id_of(self.steps[0]) if self.steps else ids[EXIT]
        return Graph(root_id, {root_id: replace(self.trigger, next_node_ids=(first,)), **nodes})

    def id_of(self, step: StepDefinition) -> str:
        """The id of a step's node. A name that is a node's id already stands for that node."""
        return (
            step.name if _NODE_ID.fullmatch(step.name) else node_id(self.slug, _kind(step.action), step.name)
        )


def _node(
    node_id: str,
    step: StepDefinition,
    after: tuple[str, ...],
    message_ids: Mapping[str, str],
    filters: Mapping[str, AudienceFilterNode],
) -> Node:
    match step.action:
        case MessageDefinition() | KeptEmail():
            return SendEmailAction(
                next_node_ids=after,
                email_message_id=message_ids[node_id],
                stale_after_hours=step.stale_after_hours,
            )
        case FilterDefinition() as said:
            unknown = AudienceFilterNode(applies_downstream=said.applies_downstream)
            return replace(filters.get(node_id, unknown), next_node_ids=after)
        case action:
            return replace(action, next_node_ids=after)


def _kind(action: Action) -> NodeKind:
    match action:
        case TimerAction():
            return "timer"
        case MessageDefinition() | KeptEmail():
            return "email"
        case FilterDefinition():
            return "filter"
        case BranchNode():
            return "branch"
        case ExperimentBranchNode():
            return "experiment"
        case VariantNode():
            return "variant"
        case ExitAction():
            return "exit"


class Definitions(Struct, frozen=True, kw_only=True):
    """All that a folder defines, in the order of its files. `warnings` stop nothing."""

    properties: tuple[PropertyDefinition, ...] = ()
    groups: tuple[GroupDefinition, ...] = ()
    lists: tuple[ListDefinition, ...]
    segments: tuple[SegmentDefinition, ...] = ()
    images: tuple[ImageDefinition, ...] = ()
    themes: tuple[ThemeDefinition, ...] = ()
    components: tuple[ComponentDefinition, ...] = ()
    transactional: tuple[TransactionalDefinition, ...]
    workflows: tuple[WorkflowDefinition, ...]
    warnings: tuple[Mistake, ...]


def node_id(slug: str, kind: NodeKind, name: str) -> str:
    """The id of a node: the same for ever for the same step of the same workflow.

    The kind is part of it, so that a run which waits at a timer never finds itself at an email.
    """
    number = int.from_bytes(sha256(f"{slug}/{kind}/{name}".encode()).digest())
    digits = ""
    for _ in range(24):
        number, digit = divmod(number, 36)
        digits += "0123456789abcdefghijklmnopqrstuvwxyz"[digit]
    return f"c{digits}"
