"""Email messages and their revisions: a revision is written once, and a message names its current one.

An email names the revision it is rendered from. So nothing that is written later changes what was accepted.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Literal, LiteralString

import msgspec
from asyncpg import Record
from msgspec import Struct

from .database import Connection


class Content(Struct, frozen=True, kw_only=True):
    """All that makes an email. `from_email` is the part before the @; fallbacks map a variable to text."""

    subject: str
    preview_text: str
    from_name: str
    from_email: str
    reply_to_email: str
    cc_email: str
    bcc_email: str
    language_code: str
    email_format: Literal["styled", "plain"]
    lmx: str
    contact_fallbacks: dict[str, str]
    event_fallbacks: dict[str, str]
    data_fallbacks: dict[str, str]


EMPTY = Content(
    subject="",
    preview_text="",
    from_name="",
    from_email="",
    reply_to_email="",
    cc_email="",
    bcc_email="",
    language_code="",
    email_format="styled",
    lmx="",
    contact_fallbacks={},
    event_fallbacks={},
    data_fallbacks={},
)
"""What a message says before anybody has written anything."""


class RevisionRow(Struct, frozen=True, kw_only=True):
    """A message's content as of `created_at`. Its id is what the API calls `contentRevisionId`."""

    id: str
    team_id: str
    message_id: str
    content: Content
    created_at: datetime


class MessageOwner(Struct, frozen=True, kw_only=True):
    """Whose content a message is. `state` is a workflow's status; of a transactional email, which version."""

    kind: Literal["transactional", "workflow"]
    id: str
    state: Literal["Published", "Draft", "Sending", "Paused", "PausedAndQueueing"]


_COLUMNS: LiteralString = """
    id, team_id, message_id, subject, preview_text, from_name, from_email, reply_to_email, cc_email,
    bcc_email, language_code, email_format, lmx, contact_fallbacks, event_fallbacks, data_fallbacks,
    created_at
"""

REVISIONS: LiteralString = f"""
    SELECT {_COLUMNS} FROM unnest($1::text[], $2::text[]) AS wanted (team_id, id)
      JOIN email_revision USING (team_id, id)
"""
CURRENT_REVISION: LiteralString = f"""
    SELECT {_COLUMNS} FROM email_revision
     WHERE team_id = $1
       AND id = (SELECT content_revision_id FROM email_message WHERE team_id = $1 AND id = $2)
"""
LOCK_MESSAGE: LiteralString = """
    SELECT FROM email_message WHERE team_id = $1 AND id = $2 FOR NO KEY UPDATE
"""
_TRANSACTIONAL_OWNER: LiteralString = """
    SELECT 'transactional' AS kind, id,
           CASE WHEN draft_message_id = $2 THEN 'Draft' ELSE 'Published' END AS state
      FROM transactional_email
     WHERE team_id = $1 AND (draft_message_id = $2 OR published_message_id = $2)
"""
_WORKFLOW_OWNER: LiteralString = """
    SELECT 'workflow' AS kind, id, status AS state
      FROM workflow
     WHERE team_id = $1
       AND jsonb_path_exists(nodes, '$.* ? (@.emailMessageId == $id)', jsonb_build_object('id', $2::text))
"""
OWNER: LiteralString = f"{_TRANSACTIONAL_OWNER} UNION ALL {_WORKFLOW_OWNER} LIMIT 1"
LOCK_TRANSACTIONAL_OWNER: LiteralString = f"{_TRANSACTIONAL_OWNER} FOR NO KEY UPDATE"
LOCK_WORKFLOW_OWNER: LiteralString = f"{_WORKFLOW_OWNER} FOR SHARE"
WRITE_REVISIONS: LiteralString = f"""
    WITH written AS (
        INSERT INTO email_revision ({_COLUMNS})
        SELECT *
          FROM unnest(
                   $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
                   $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::jsonb[],
                   $15::jsonb[], $16::jsonb[], $17::timestamptz[]
               )
        RETURNING id, team_id, message_id, created_at
    )
    INSERT INTO email_message (id, team_id, content_revision_id, updated_at)
    SELECT message_id, team_id, id, created_at FROM written
    ON CONFLICT (id) DO UPDATE
       SET content_revision_id = excluded.content_revision_id, updated_at = excluded.updated_at
     WHERE email_message.team_id = excluded.team_id
"""

_fallbacks = msgspec.json.Decoder(dict[str, str])


async def load_revisions(tx: Connection, ids: Collection[tuple[str, str]]) -> list[RevisionRow]:
    """The revisions of the given (team, id) pairs."""
    rows = await tx.fetch(REVISIONS, [team for team, _ in ids], [one for _, one in ids])
    return [_revision(row) for row in rows]


async def load_current_revision(tx: Connection, team_id: str, message_id: str) -> RevisionRow | None:
    """What the message of that id says now."""
    row = await tx.fetchrow(CURRENT_REVISION, team_id, message_id)
    return _revision(row) if row else None


async def lock_current_revision(tx: Connection, team_id: str, message_id: str) -> RevisionRow | None:
    """The same, and nobody changes it until the caller's transaction ends."""
    await tx.execute(LOCK_MESSAGE, team_id, message_id)
    return await load_current_revision(tx, team_id, message_id)


async def load_owner(tx: Connection, team_id: str, message_id: str) -> MessageOwner | None:
    """Whose message it is; None when it is nobody's, or no more."""
    row = await tx.fetchrow(OWNER, team_id, message_id)
    return MessageOwner(**row) if row else None


async def lock_owner(tx: Connection, team_id: str, message_id: str) -> MessageOwner | None:
    """The same, and it stays so until the caller's transaction ends."""
    for statement in (LOCK_TRANSACTIONAL_OWNER, LOCK_WORKFLOW_OWNER):
        if row := await tx.fetchrow(statement, team_id, message_id):
            return MessageOwner(**row)
    return None


async def write_revisions(tx: Connection, revisions: Sequence[RevisionRow]) -> None:
    """Add revisions, at most one for a message, which becomes its current one; new messages come with it."""
    contents = [revision.content for revision in revisions]
    await tx.execute(
        WRITE_REVISIONS,
        [revision.id for revision in revisions],
        [revision.team_id for revision in revisions],
        [revision.message_id for revision in revisions],
        [content.subject for content in contents],
        [content.preview_text for content in contents],
        [content.from_name for content in contents],
        [content.from_email for content in contents],
        [content.reply_to_email for content in contents],
        [content.cc_email for content in contents],
        [content.bcc_email for content in contents],
        [content.language_code for content in contents],
        [content.email_format for content in contents],
        [content.lmx for content in contents],
        [_json(content.contact_fallbacks) for content in contents],
        [_json(content.event_fallbacks) for content in contents],
        [_json(content.data_fallbacks) for content in contents],
        [revision.created_at for revision in revisions],
    )


def _revision(row: Record) -> RevisionRow:
    values: dict[str, Any] = dict(row)
    for kind in ("contact_fallbacks", "event_fallbacks", "data_fallbacks"):
        values[kind] = _fallbacks.decode(values[kind])
    return RevisionRow(
        id=values.pop("id"),
        team_id=values.pop("team_id"),
        message_id=values.pop("message_id"),
        created_at=values.pop("created_at"),
        content=Content(**values),
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
