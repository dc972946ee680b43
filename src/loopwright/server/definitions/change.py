"""What an apply did, definition by definition."""

from typing import Literal, TypeAlias

from msgspec import Struct

Kind: TypeAlias = Literal[
    "image",
    "theme",
    "component",
    "contact property",
    "campaign group",
    "transactional group",
    "workflow group",
    "mailing list",
    "segment",
    "transactional email",
    "workflow",
]
Action: TypeAlias = Literal["created", "changed", "unchanged"]


class Change(Struct, frozen=True):
    """What became of one definition.

    `id` is what the API calls it; empty when nobody knows yet. `detail` says in words what else came with the
    change, and may be empty.
    """

    kind: Kind
    slug: str
    action: Action
    id: str = ""
    detail: str = ""


def action(stored: object | None, *, differs: bool) -> Action:
    """What becomes of a definition, by what was stored of it before."""
    if stored is None:
        return "created"
    return "changed" if differs else "unchanged"
