"""What definition files name by slug: mailing lists and transactional emails.

Workflows are in `store.workflows`, content is in `store.messages`. Rows that have no slug were made in
another way and are never met here.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import LiteralString

from msgspec import Struct

from .database import Connection


class ListDefinitionRow(Struct, frozen=True, kw_only=True):
    """A mailing list with a slug."""

    id: str
    team_id: str
    slug: str
    name: str
    description: str | None
    is_public: bool


class TransactionalDefinitionRow(Struct, frozen=True, kw_only=True):
    """A transactional email with a slug. `required_variables` are the variables without a fallback."""

    id: str
    team_id: str
    slug: str
    name: str
    draft_message_id: str | None
    published_message_id: str | None
    published_at: datetime | None
    data_variables: list[str]
    required_variables: list[str]
    group_id: str | None


class NamedDesignRow(Struct, frozen=True, kw_only=True):
    """A theme or component with a slug. `written` is what files last wrote: styles as JSON, or a body."""

    id: str
    slug: str
    written: str | None


class WorkflowEmailRow(Struct, frozen=True, kw_only=True):
    """A node that sends an email, and the message; both are None for a workflow that has none."""

    workflow_id: str
    slug: str | None
    node_id: str | None
    message_id: str | None


# Definitions of one team are applied one after another, so that two applies never both create a slug.
LOCK_DEFINITIONS: LiteralString = """
    SELECT pg_advisory_xact_lock(hashtext('loopwright.definitions'), hashtext($1))
"""
LISTS: LiteralString = """
    SELECT id, team_id, slug, name, description, is_public
      FROM mailing_list
     WHERE team_id = $1 AND slug = ANY($2::text[])
"""
SAVE_LISTS: LiteralString = """
    INSERT INTO mailing_list (id, team_id, slug, name, description, is_public, created_at)
    SELECT new.*, $7
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::boolean[]) AS new
    ON CONFLICT (id) DO UPDATE
       SET name = excluded.name, description = excluded.description, is_public = excluded.is_public
     WHERE mailing_list.team_id = excluded.team_id
"""
TRANSACTIONAL: LiteralString = """
    SELECT id, team_id, slug, name, draft_message_id, published_message_id, published_at, data_variables,
           required_variables, group_id
      FROM transactional_email
     WHERE team_id = $1 AND slug = ANY($2::text[])
     ORDER BY id
       FOR NO KEY UPDATE
"""
LAST_WRITTEN: LiteralString = """
    SELECT place, revision_id FROM definition_revision WHERE team_id = $1 AND place = ANY ($2::text[])
"""
NOTE_WRITTEN: LiteralString = """
    INSERT INTO definition_revision (team_id, place, revision_id)
    SELECT $1, * FROM unnest($2::text[], $3::text[])
    ON CONFLICT (team_id, place) DO UPDATE SET revision_id = excluded.revision_id
"""
SAVE_TRANSACTIONAL: LiteralString = """
    INSERT INTO transactional_email (
        id, team_id, slug, name, draft_message_id, published_message_id, data_variables, required_variables,
        published_at, group_id, created_at, updated_at
    )
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $11)
    ON CONFLICT (id) DO UPDATE
       SET name = excluded.name, draft_message_id = excluded.draft_message_id,
           published_message_id = excluded.published_message_id, data_variables = excluded.data_variables,
           published_at = excluded.published_at, required_variables = excluded.required_variables,
           group_id = excluded.group_id, updated_at = excluded.updated_at
     WHERE transactional_email.team_id = excluded.team_id
"""


WORKFLOW_EMAILS: LiteralString = """
    SELECT workflow.id AS workflow_id, slug, node.key AS node_id,
           node.value ->> 'emailMessageId' AS message_id
      FROM workflow
      LEFT JOIN LATERAL jsonb_each(nodes) AS node ON node.value ->> 'typeName' = 'SendEmailAction'
     WHERE team_id = $1
"""
CAMPAIGN_NAMES: LiteralString = "SELECT id, name FROM campaign WHERE team_id = $1"
THEMES: LiteralString = """
    SELECT id, slug, written::text AS written FROM theme WHERE team_id = $1 AND slug = ANY($2::text[])
"""
COMPONENTS: LiteralString = """
    SELECT id, slug, written FROM component WHERE team_id = $1 AND slug = ANY($2::text[])
"""
NAME_THEME: LiteralString = "UPDATE theme SET slug = $3, written = $4 WHERE team_id = $1 AND id = $2"
NAME_COMPONENT: LiteralString = "UPDATE component SET slug = $3, written = $4 WHERE team_id = $1 AND id = $2"


async def load_named_themes(tx: Connection, team_id: str, slugs: Collection[str]) -> list[NamedDesignRow]:
    """The team's themes of those slugs."""
    return [NamedDesignRow(**row) for row in await tx.fetch(THEMES, team_id, list(slugs))]


async def load_named_components(tx: Connection, team_id: str, slugs: Collection[str]) -> list[NamedDesignRow]:
    """The team's components of those slugs."""
    return [NamedDesignRow(**row) for row in await tx.fetch(COMPONENTS, team_id, list(slugs))]


async def name_theme(tx: Connection, team_id: str, theme_id: str, slug: str, written: str) -> None:
    """Keep what files call a theme, and what they wrote."""
    await tx.execute(NAME_THEME, team_id, theme_id, slug, written)


async def name_component(tx: Connection, team_id: str, component_id: str, slug: str, written: str) -> None:
    """Keep what files call a component, and what they wrote."""
    await tx.execute(NAME_COMPONENT, team_id, component_id, slug, written)


async def load_workflow_emails(tx: Connection, team_id: str) -> list[WorkflowEmailRow]:
    """The emails of the team's workflows; a workflow without any has one row."""
    return [WorkflowEmailRow(**row) for row in await tx.fetch(WORKFLOW_EMAILS, team_id)]


async def load_campaign_names(tx: Connection, team_id: str) -> list[tuple[str, str]]:
    """The ids of the team's campaigns, with their names."""
    return [(row["id"], row["name"]) for row in await tx.fetch(CAMPAIGN_NAMES, team_id)]


def transactional_place(slug: str) -> str:
    """Where files keep the content of a transactional email; that of a workflow is at its node's id."""
    return f"transactional/{slug}"


async def load_last_written(tx: Connection, team_id: str, places: Sequence[str]) -> dict[str, str]:
    """The revision that files last wrote at each of these places where they wrote any."""
    rows = await tx.fetch(LAST_WRITTEN, team_id, places)
    return {row["place"]: row["revision_id"] for row in rows}


async def note_written(tx: Connection, team_id: str, revisions: Mapping[str, str]) -> None:
    """Keep that files wrote these revisions, by place."""
    await tx.execute(NOTE_WRITTEN, team_id, list(revisions), list(revisions.values()))


async def lock_definitions(tx: Connection, team_id: str) -> None:
    """Wait until nobody else applies definitions to the team, and keep others waiting until the end."""
    await tx.execute(LOCK_DEFINITIONS, team_id)


async def load_lists(tx: Connection, team_id: str, slugs: Collection[str]) -> list[ListDefinitionRow]:
    """The team's mailing lists of those slugs."""
    return [ListDefinitionRow(**row) for row in await tx.fetch(LISTS, team_id, list(slugs))]


async def save_lists(tx: Connection, lists: Sequence[ListDefinitionRow], *, now: datetime) -> None:
    """Add or rewrite mailing lists, by id."""
    await tx.execute(
        SAVE_LISTS,
        [row.id for row in lists],
        [row.team_id for row in lists],
        [row.slug for row in lists],
        [row.name for row in lists],
        [row.description for row in lists],
        [row.is_public for row in lists],
        now,
    )


async def load_transactional(
    tx: Connection, team_id: str, slugs: Collection[str]
) -> list[TransactionalDefinitionRow]:
    """The team's transactional emails of those slugs, locked until the caller's transaction ends."""
    return [TransactionalDefinitionRow(**row) for row in await tx.fetch(TRANSACTIONAL, team_id, list(slugs))]


async def save_transactional(tx: Connection, email: TransactionalDefinitionRow, *, now: datetime) -> None:
    """Add or rewrite a transactional email, by id."""
    await tx.execute(
        SAVE_TRANSACTIONAL,
        email.id,
        email.team_id,
        email.slug,
        email.name,
        email.draft_message_id,
        email.published_message_id,
        email.data_variables,
        email.required_variables,
        email.published_at,
        email.group_id,
        now,
    )
