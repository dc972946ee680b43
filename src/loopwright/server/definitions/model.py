"""What definition files say, once they are known to be sound."""

from collections.abc import Mapping
from hashlib import sha256
from typing import Literal, TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from loopwright.server.content.message import required_variables
from loopwright.server.content.sample import GivenValues
from loopwright.server.mail.variables import Variable
from loopwright.server.store.messages import Content
from loopwright.server.store.workflows import WorkflowStatus
from loopwright.server.workflow.graph import (
    EventTrigger,
    ExitAction,
    Graph,
    Node,
    SendEmailAction,
    SignupTrigger,
    TimerAction,
)

from .mistakes import Mistake

NodeKind: TypeAlias = Literal["trigger", "timer", "email", "exit"]


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
    """A transactional email, published with this content."""

    slug: str
    name: str
    message: MessageDefinition

    @property
    def data_variables(self) -> list[str]:
        """The names of its data variables, sorted."""
        return sorted({use.variable.asked.name for use in self.message.uses if use.variable.kind == "data"})

    @property
    def required_variables(self) -> list[str]:
        """Those of them that have no fallback."""
        return required_variables(self.data_variables, self.message.content)


class StepDefinition(Struct, frozen=True, kw_only=True):
    """A step of a workflow by its name, which is its own within the workflow."""

    name: str
    action: TimerAction | MessageDefinition


class WorkflowDefinition(Struct, frozen=True, kw_only=True):
    """A workflow: a trigger, then step after step. `mailing_list` is a slug."""

    slug: str
    name: str
    description: str
    mailing_list: str | None
    status: WorkflowStatus
    trigger: EventTrigger | SignupTrigger
    steps: tuple[StepDefinition, ...]

    def messages(self) -> dict[str, MessageDefinition]:
        """The content of each email node, by the node's id."""
        named = ((self._id_of(step), step.action) for step in self.steps)
        return {node_id: action for node_id, action in named if isinstance(action, MessageDefinition)}

    def graph(self, message_ids: Mapping[str, str]) -> Graph:
        """The workflow as a graph; `message_ids` maps an email node's id to its message's."""
        exit_id = node_id(self.slug, "exit", "exit")
        nodes: dict[str, Node] = {exit_id: ExitAction()}
        next_id = exit_id
        for step in reversed(self.steps):
            this_id = self._id_of(step)
            after = (next_id,)
            if isinstance(step.action, TimerAction):
                nodes[this_id] = replace(step.action, next_node_ids=after)
            else:
                nodes[this_id] = SendEmailAction(next_node_ids=after, email_message_id=message_ids[this_id])
            next_id = this_id
        root_id = node_id(self.slug, "trigger", "trigger")
        nodes[root_id] = replace(self.trigger, next_node_ids=(next_id,))
        return Graph(root_id, dict(reversed(nodes.items())))

    def _id_of(self, step: StepDefinition) -> str:
        return node_id(self.slug, "timer" if isinstance(step.action, TimerAction) else "email", step.name)


class Definitions(Struct, frozen=True, kw_only=True):
    """All that a folder defines, in the order of its files. `warnings` stop nothing."""

    lists: tuple[ListDefinition, ...]
    images: tuple[ImageDefinition, ...] = ()
    themes: tuple[ThemeDefinition, ...] = ()
    components: tuple[ComponentDefinition, ...] = ()
    transactional: tuple[TransactionalDefinition, ...]
    workflows: tuple[WorkflowDefinition, ...]
    warnings: tuple[Mistake, ...]

    def uses(self) -> list[Use]:
        """Every variable of every email, with its place."""
        messages = [email.message for email in self.transactional]
        messages += [message for workflow in self.workflows for message in workflow.messages().values()]
        return [use for message in messages for use in message.uses]


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
