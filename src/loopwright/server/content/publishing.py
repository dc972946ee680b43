"""The life of a transactional email: created with a draft, published, drafted anew.

A draft is a message of its own. Publishing makes it the published one, so sends never see half an edit; each
email keeps the revision that was published when it was accepted.
"""

from datetime import datetime

from msgspec.structs import replace

from loopwright.ids import new_id
from loopwright.server.mail.decide import is_owned, no_domain
from loopwright.server.mail.design import expand
from loopwright.server.refusal import Conflict, NotFound, Unprocessable
from loopwright.server.store import transactional
from loopwright.server.store.database import Connection
from loopwright.server.store.designs import lock_design
from loopwright.server.store.messages import (
    EMPTY,
    Content,
    MessageOwner,
    RevisionRow,
    load_current_revision,
    lock_current_revision,
)
from loopwright.server.store.teams import load_team
from loopwright.server.store.transactional import TransactionalRow
from loopwright.wire.email_messages import GuardianFinding
from loopwright.wire.failures import TRANSACTIONAL_NOT_FOUND

from .designs import load_design
from .guardian import inspect
from .message import check_message, required_variables
from .save import write_content
from .scope import load_scope

NEEDED = {"subject": "subject", "from_email": "fromEmail", "lmx": "lmx"}


async def create(
    tx: Connection, team_id: str, name: str, group_id: str | None, *, now: datetime
) -> tuple[str, RevisionRow]:
    """A new transactional email with an empty draft; answers its id and the draft."""
    draft = await write_content(tx, team_id, None, EMPTY, now=now)
    transactional_id = new_id(now)
    await transactional.insert_transactional(
        tx,
        team_id,
        transactional_id,
        name=name,
        group_id=group_id,
        draft_message_id=draft.message_id,
        now=now,
    )
    return transactional_id, draft


async def ensure_draft(tx: Connection, team_id: str, transactional_id: str, *, now: datetime) -> RevisionRow:
    """The draft; made of the published version when there is none. Raises `NotFound`."""
    await lock_design(tx, team_id)
    email = await locked(tx, team_id, transactional_id)
    if email.draft_message_id is not None:
        draft = await load_current_revision(tx, team_id, email.draft_message_id)
        assert draft is not None
        return draft
    assert email.published_message_id is not None
    published = await load_current_revision(tx, team_id, email.published_message_id)
    assert published is not None
    draft = await write_content(tx, team_id, None, published.content, now=now)
    await transactional.set_draft(tx, team_id, transactional_id, draft.message_id, now=now)
    return draft


async def publish(
    tx: Connection, team_id: str, transactional_id: str, *, has_relay: bool, now: datetime
) -> None:
    """Make the draft what is sent from now on. A relay wants a sending domain of the team's own.

    Raises `NotFound`, `Conflict` without a draft, and `Unprocessable` naming all that keeps it from working.
    """
    await lock_design(tx, team_id)
    email = await locked(tx, team_id, transactional_id)
    if email.draft_message_id is None:
        raise Conflict(
            "There is nothing to publish; make a draft of this transactional email first.",
            code="nothing_to_publish",
        )
    draft = await lock_current_revision(tx, team_id, email.draft_message_id)
    assert draft is not None
    content = draft.content
    owner = MessageOwner(kind="transactional", id=transactional_id, state="Draft")
    reasons = await reasons_against(tx, team_id, owner, content)
    if reasons:
        told = "; ".join(reasons)
        raise Unprocessable(f"It cannot be published: {told}.", code="draft_invalid", details=reasons)
    domain = (await load_team(tx, team_id)).sending_domain
    if has_relay and not is_owned(domain):
        raise Unprocessable(f"It cannot be published: {no_domain(domain)}", code="no_sending_domain")
    design = await load_design(tx, team_id, [content.lmx])
    checked = check_message(content, "transactional", design)
    names = checked.data_variables
    await transactional.publish(
        tx,
        team_id,
        transactional_id,
        data_variables=names,
        required_variables=required_variables(names, content),
        now=now,
    )


async def reasons_against(tx: Connection, team_id: str, owner: MessageOwner, content: Content) -> list[str]:
    """All that keeps content from being sent for its owner, in words; nothing when it may be."""
    design = await load_design(tx, team_id, [content.lmx])
    whole = replace(content, lmx=expand(content.lmx, design))
    report = inspect(whole, await load_scope(tx, team_id, owner))
    reasons = [f"{name} is empty" for field, name in NEEDED.items() if not getattr(content, field).strip()]
    reasons += [_told(finding) for finding in report.errors]
    checked = check_message(content, owner.email_kind, design)
    return [*reasons, *(problem.message for problem in checked.problems)]


async def locked(tx: Connection, team_id: str, transactional_id: str) -> TransactionalRow:
    """The transactional email, which nobody else changes until the transaction ends. Raises `NotFound`."""
    email = await transactional.lock_transactional(tx, team_id, transactional_id)
    if email is None:
        raise NotFound(TRANSACTIONAL_NOT_FOUND, code="transactional_not_found")
    return email


def _told(finding: GuardianFinding) -> str:
    return f"{finding.title}: {', '.join(item.label for item in finding.items)} ({finding.rule})"
