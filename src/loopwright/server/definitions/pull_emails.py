"""Writes as files what emails say, and the transactional ones that are published."""

from collections.abc import Mapping
from typing import Any, LiteralString

from msgspec import Struct

from loopwright.server.store.database import Connection
from loopwright.server.store.definitions import transactional_place
from loopwright.server.store.groups import load_group_names
from loopwright.server.store.messages import Content, RevisionRow, load_current_revisions

from .content import KEYS
from .names import slugs_of
from .pull_shared import PulledShared, refused
from .toml import lines

TRANSACTIONAL: LiteralString = """
    SELECT id, slug, name, published_message_id, group_id FROM transactional_email
     WHERE team_id = $1 ORDER BY id
"""
NAME_TRANSACTIONAL: LiteralString = """
    UPDATE transactional_email SET slug = new.slug FROM unnest($2::text[], $3::text[]) AS new (id, slug)
     WHERE transactional_email.team_id = $1 AND transactional_email.id = new.id
"""


class PublishedRow(Struct, frozen=True, kw_only=True):
    """A transactional email with its group's name, and its published revision; without one it was never
    published.
    """

    id: str
    slug: str | None
    name: str
    group: str | None
    revision: RevisionRow | None


class PulledEmails(Struct, frozen=True, kw_only=True):
    """Files by their names, what files cannot hold, and the revision that stands at each place of a file."""

    files: dict[str, str]
    notes: list[str]
    places: dict[str, str]


def is_whole(content: Content) -> bool:
    """Whether an email has all that files need of one."""
    return bool(content.subject.strip() and content.from_email.strip() and content.lmx.strip())


def described(content: Content) -> dict[str, Any]:
    """What a file says of an email beside its body."""
    said: dict[str, Any] = {key: getattr(content, field) or None for field, key in KEYS.items()}
    plain = {"format": "plain"} if content.email_format == "plain" else {}
    kinds = ("contact", "event", "data")
    fallbacks = {kind: texts for kind in kinds if (texts := getattr(content, f"{kind}_fallbacks"))}
    return {**said, **plain, "fallbacks": fallbacks or None}


async def load_published(tx: Connection, team_id: str) -> list[PublishedRow]:
    """The team's transactional emails, oldest first."""
    rows = await tx.fetch(TRANSACTIONAL, team_id)
    ids = [row["published_message_id"] for row in rows if row["published_message_id"]]
    revisions = await load_current_revisions(tx, team_id, ids)
    groups = await load_group_names(tx, team_id, "transactional")
    return [
        PublishedRow(
            id=row["id"],
            slug=row["slug"],
            name=row["name"],
            group=groups.get(row["group_id"] or ""),
            revision=revisions.get(row["published_message_id"] or ""),
        )
        for row in rows
    ]


async def pull_transactional(
    tx: Connection, team_id: str, rows: list[PublishedRow], shared: PulledShared
) -> PulledEmails:
    """Those that are published, each with a slug from now on."""
    slugs = slugs_of([(row.id, row.slug, row.name) for row in rows])
    pulled = PulledEmails(files={}, notes=[], places={})
    for row in rows:
        slug = slugs[row.id]
        file = f"transactional/{slug}.toml"
        if row.revision is None:
            pulled.notes.append(f"{file}: {row.name} was never published, and files publish what they hold")
            del slugs[row.id]
            continue
        written = _written(slug, row, row.revision.content, shared)
        if mistakes := refused({**shared.files, **written}, shared.images):
            pulled.notes.extend(f"{one}; the email stays where it is" for one in mistakes)
            del slugs[row.id]
            continue
        pulled.files.update(written)
        pulled.places[transactional_place(slug)] = row.revision.id
    await tx.execute(NAME_TRANSACTIONAL, team_id, list(slugs), list(slugs.values()))
    return pulled


def _written(slug: str, row: PublishedRow, content: Content, shared: PulledShared) -> Mapping[str, str]:
    said = {"name": row.name, "group": row.group, **described(content), "body": f"{slug}.lmx"}
    return {
        f"transactional/{slug}.toml": lines(said),
        f"transactional/{slug}.lmx": shared.names.resolved(content.lmx),
    }
