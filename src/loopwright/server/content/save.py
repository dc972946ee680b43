"""Writes content: a new revision of a message, under the rules of whoever owns it.

Locks are taken in one order everywhere: the design, the owner, then the message. So nothing
that is decided about them changes before it is written.
"""

from collections.abc import Awaitable, Callable
from datetime import datetime

from msgspec.structs import replace

from loopwright.ids import new_id
from loopwright.server.mail.normal import normalise
from loopwright.server.refusal import Conflict, NotFound
from loopwright.server.store.database import Connection
from loopwright.server.store.designs import lock_design
from loopwright.server.store.messages import (
    Content,
    MessageOwner,
    RevisionRow,
    lock_current_revision,
    lock_owner,
    write_revisions,
)
from loopwright.wire.failures import CAMPAIGN_NOT_DRAFT, EMAIL_MESSAGE_NOT_FOUND, REVISION_STALE

from .designs import load_design, render_anew

Edit = Callable[[Content, MessageOwner], Awaitable[Content]]


async def write_content(
    tx: Connection, team_id: str, message_id: str | None, content: Content, *, now: datetime
) -> RevisionRow:
    """Make `content` the current revision of a message, its body in normal form; None makes a new one."""
    content = replace(content, lmx=normalise(content.lmx))
    revision = RevisionRow(
        id=new_id(now),
        team_id=team_id,
        message_id=message_id or new_id(now),
        content=content,
        created_at=now,
    )
    await lock_design(tx, team_id)
    await write_revisions(tx, [revision])
    await render_anew(tx, [revision], await load_design(tx, team_id, [content.lmx]), now=now)
    return revision


async def edit_message(
    tx: Connection, team_id: str, message_id: str, expected_id: str | None, edit: Edit, *, now: datetime
) -> tuple[RevisionRow, MessageOwner]:
    """Replace the content by what `edit` makes of it, in the caller's transaction.

    Without `expected_id` the last write wins. Raises `NotFound`, `Conflict` when another revision is current
    or the owner keeps its content, and whatever `edit` raises.
    """
    await lock_design(tx, team_id)
    owner = await lock_owner(tx, team_id, message_id)
    current = await lock_current_revision(tx, team_id, message_id)
    if owner is None or current is None:
        raise NotFound(EMAIL_MESSAGE_NOT_FOUND, code="email_message_not_found")
    if reason := _closed(owner):
        raise Conflict(reason, code="email_message_closed")
    if expected_id is not None and expected_id != current.id:
        raise Conflict(REVISION_STALE, code="revision_stale")
    return await write_content(tx, team_id, message_id, await edit(current.content, owner), now=now), owner


def _closed(owner: MessageOwner) -> str | None:
    """Why content cannot be changed now; None when it can."""
    if owner.kind == "campaign":
        return None if owner.state == "Draft" else CAMPAIGN_NOT_DRAFT
    match owner.state:
        case "Published":
            return "This is the published version; make a draft of the transactional email and change that."
        case "Sending":
            return "Workflow is sending; pause it, then change its emails."
        case _:
            return None
