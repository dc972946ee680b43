"""Email messages and their revisions: a revision is written once, and a message names its current one.

An email names the revision it is rendered from. So nothing that is written later changes what was accepted.
"""

import asyncio
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Literal, LiteralString, TypeVar

import msgspec
from asyncpg import Record
from msgspec import Struct

from .database import Connection

Row = TypeVar("Row")

AT_ONCE = 250
"""Revisions that are written by one statement."""


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
    """Whose content a message is. `state` is the status of a workflow or campaign; of a transactional email,
    which version.
    """

    kind: Literal["transactional", "workflow", "campaign"]
    id: str
    state: Literal["Published", "Draft", "Scheduled", "Sending", "Sent", "Paused", "PausedAndQueueing"]

    @property
    def email_kind(self) -> Literal["transactional", "marketing"]:
        """The kind of email that the message becomes."""
        return "transactional" if self.kind == "transactional" else "marketing"


class UserRow(Struct, frozen=True, kw_only=True):
    """A current revision that uses something shared; `transactional_id` is of the email it is sent by.

    `is_of_no_event` says that a campaign is to send it, where nobody has sent an event.
    """

    kind: Literal["transactional", "marketing"]
    transactional_id: str | None
    is_of_no_event: bool
    revision: RevisionRow


_TEXTS = (
    "subject", "preview_text", "from_name", "from_email", "reply_to_email", "cc_email", "bcc_email",
    "language_code", "email_format", "lmx",
)  # fmt: skip
_FALLBACKS = ("contact_fallbacks", "event_fallbacks", "data_fallbacks")
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
CURRENT_REVISIONS: LiteralString = f"""
    SELECT {_COLUMNS} FROM email_revision
     WHERE team_id = $1
       AND id IN (SELECT content_revision_id FROM email_message WHERE team_id = $1 AND id = ANY ($2::text[]))
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
_CAMPAIGN_OWNER: LiteralString = """
    SELECT 'campaign' AS kind, id, status AS state FROM campaign WHERE team_id = $1 AND message_id = $2
"""
OWNER: LiteralString = f"""
    {_TRANSACTIONAL_OWNER} UNION ALL {_CAMPAIGN_OWNER} UNION ALL {_WORKFLOW_OWNER} LIMIT 1
"""
LOCK_TRANSACTIONAL_OWNER: LiteralString = f"{_TRANSACTIONAL_OWNER} FOR NO KEY UPDATE"
LOCK_CAMPAIGN_OWNER: LiteralString = f"{_CAMPAIGN_OWNER} FOR NO KEY UPDATE"
LOCK_WORKFLOW_OWNER: LiteralString = f"{_WORKFLOW_OWNER} FOR SHARE"
INSERT_REVISIONS: LiteralString = f"""
    INSERT INTO email_revision ({_COLUMNS})
    SELECT *
      FROM unnest(
               $1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[],
               $8::text[], $9::text[], $10::text[], $11::text[], $12::text[], $13::text[], $14::jsonb[],
               $15::jsonb[], $16::jsonb[], $17::timestamptz[]
           )
"""
WRITE_REVISIONS: LiteralString = f"""
    WITH written AS ({INSERT_REVISIONS} RETURNING id, team_id, message_id, created_at)
    INSERT INTO email_message (id, team_id, content_revision_id, updated_at)
    SELECT message_id, team_id, id, created_at FROM written
    ON CONFLICT (id) DO UPDATE
       SET content_revision_id = excluded.content_revision_id, updated_at = excluded.updated_at
     WHERE email_message.team_id = excluded.team_id
"""

# What a message's emails are rendered from, given the message's row as `message`.
RENDITION: LiteralString = """
    coalesce(
        (SELECT rendition_id FROM rendition WHERE rendition.revision_id = message.content_revision_id),
        message.content_revision_id
    )
"""
NAME_RENDITIONS: LiteralString = """
    INSERT INTO rendition (team_id, revision_id, rendition_id)
    SELECT * FROM unnest($1::text[], $2::text[], $3::text[])
    ON CONFLICT (revision_id) DO UPDATE SET rendition_id = excluded.rendition_id
"""
FORGET_RENDITIONS: LiteralString = "DELETE FROM rendition WHERE revision_id = ANY($1)"
_CURRENT: LiteralString = f"""
    SELECT {", ".join(f"revision.{name.strip()}" for name in _COLUMNS.split(","))},
           email.id AS transactional_id, email.published_message_id = message.id AS is_published,
           campaign.id IS NOT NULL AS is_of_no_event
      FROM email_message AS message
      JOIN email_revision AS revision ON revision.id = message.content_revision_id
      LEFT JOIN transactional_email AS email
             ON email.team_id = message.team_id
            AND message.id IN (email.draft_message_id, email.published_message_id)
      LEFT JOIN campaign
             ON campaign.team_id = message.team_id AND campaign.message_id = message.id
            AND campaign.status IN ('Draft', 'Scheduled')
     WHERE message.team_id = $1
"""
# The id may stand there as mere text, too: whoever asks reads the markup.
NAMING: LiteralString = f"{_CURRENT} AND position($2 IN revision.lmx) > 0"
NAMING_NO_THEME: LiteralString = f"""
    {_CURRENT} AND (position($2 IN revision.lmx) > 0 OR position('themeId' IN revision.lmx) = 0)
"""

_fallbacks = msgspec.json.Decoder(dict[str, str])


async def load_revisions(tx: Connection, ids: Collection[tuple[str, str]]) -> list[RevisionRow]:
    """The revisions of the given (team, id) pairs."""
    rows = await tx.fetch(REVISIONS, [team for team, _ in ids], [one for _, one in ids])
    return [_revision(dict(row)) for row in rows]


async def load_current_revision(tx: Connection, team_id: str, message_id: str) -> RevisionRow | None:
    """What the message of that id says now."""
    row = await tx.fetchrow(CURRENT_REVISION, team_id, message_id)
    return _revision(dict(row)) if row else None


async def load_current_revisions(
    tx: Connection, team_id: str, message_ids: Collection[str]
) -> dict[str, RevisionRow]:
    """What the messages of those ids say now, by id."""
    rows = await tx.fetch(CURRENT_REVISIONS, team_id, list(message_ids))
    return {row["message_id"]: _revision(dict(row)) for row in rows}


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
    for statement in (LOCK_TRANSACTIONAL_OWNER, LOCK_CAMPAIGN_OWNER, LOCK_WORKFLOW_OWNER):
        if row := await tx.fetchrow(statement, team_id, message_id):
            return MessageOwner(**row)
    return None


async def write_revisions(tx: Connection, revisions: Sequence[RevisionRow]) -> None:
    """Add revisions, at most one for a message, which becomes its current one; new messages come with it."""
    for some in _slices(revisions):
        await tx.execute(WRITE_REVISIONS, *_values(some))


async def write_renditions(
    tx: Connection, renditions: Mapping[str, RevisionRow], *, without: Sequence[str]
) -> None:
    """Add renditions, by the revision each is of; the revisions `without` one are rendered as they are."""
    for some in _slices(list(renditions.items())):
        rows = [row for _, row in some]
        await tx.execute(INSERT_REVISIONS, *_values(rows))
        teams, ids = [row.team_id for row in rows], [row.id for row in rows]
        await tx.execute(NAME_RENDITIONS, teams, [revision_id for revision_id, _ in some], ids)
    if without:
        await tx.execute(FORGET_RENDITIONS, without)


async def load_theme_users(
    tx: Connection, team_id: str, theme_id: str, *, is_default: bool
) -> list[RevisionRow]:
    """The current revisions that have the theme; the default one is that of those which name none."""
    rows = await tx.fetch(NAMING_NO_THEME if is_default else NAMING, team_id, theme_id)
    return [one.revision for one in await asyncio.to_thread(_users, rows)]


async def load_component_users(tx: Connection, team_id: str, component_id: str) -> list[UserRow]:
    """The current revisions in which the component's id stands."""
    return await asyncio.to_thread(_users, await tx.fetch(NAMING, team_id, component_id))


def _slices(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """Rows to be written together: to write thousands at once would hold up everybody else of the process."""
    return (rows[start : start + AT_ONCE] for start in range(0, len(rows), AT_ONCE))


def _values(revisions: Sequence[RevisionRow]) -> list[list[Any]]:
    contents = [revision.content for revision in revisions]
    return [
        [revision.id for revision in revisions],
        [revision.team_id for revision in revisions],
        [revision.message_id for revision in revisions],
        *([getattr(content, field) for content in contents] for field in _TEXTS),
        *([_json(getattr(content, field)) for content in contents] for field in _FALLBACKS),
        [revision.created_at for revision in revisions],
    ]


def _users(rows: Sequence[Record]) -> list[UserRow]:
    return [_user(row) for row in rows]


def _user(row: Record) -> UserRow:
    values = dict(row)
    transactional_id, is_published = values.pop("transactional_id"), values.pop("is_published")
    return UserRow(
        kind="transactional" if transactional_id else "marketing",
        transactional_id=transactional_id if is_published else None,
        is_of_no_event=values.pop("is_of_no_event"),
        revision=_revision(values),
    )


def _revision(values: dict[str, Any]) -> RevisionRow:
    for kind in _FALLBACKS:
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
