"""Forms: where people put themselves on a team's lists."""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from msgspec import Struct

from .database import Connection
from .messages import RENDITION


class FormRow(Struct, frozen=True, kw_only=True):
    """A form. `mailing_lists` are the only ones it may be used for; empty, it is for every public list."""

    id: str
    team_id: str
    name: str
    mailing_lists: Sequence[str] = ()


class OpenForm(Struct, frozen=True, kw_only=True):
    """What filling a form in needs: its team's ways, and the public lists it may be used for.

    `opt_in_id` names the transactional email that asks for confirmation, `opt_in_message_id` and
    `opt_in_revision_id` its published content.
    """

    team_id: str
    secret: bytes
    double_opt_in: bool
    opt_in_id: str | None
    opt_in_message_id: str | None
    opt_in_revision_id: str | None
    lists: Sequence[str]


INSERT_FORM: LiteralString = """
    INSERT INTO form (id, team_id, name, mailing_lists, created_at) VALUES ($1, $2, $3, $4, $5)
"""
FORMS: LiteralString = "SELECT id, team_id, name, mailing_lists FROM form WHERE team_id = $1 ORDER BY id"
# A form's id is what names the team here, as an API key does elsewhere.
OPEN_FORM: LiteralString = f"""
    SELECT form.team_id, team.secret, team.double_opt_in, team.opt_in_id,
           opt_in.published_message_id AS opt_in_message_id,
           {RENDITION} AS opt_in_revision_id,
           ARRAY (
               SELECT mailing_list.id FROM mailing_list
                WHERE mailing_list.team_id = form.team_id AND mailing_list.is_public
                  AND (form.mailing_lists = '{{}}' OR mailing_list.id = ANY (form.mailing_lists))
           ) AS lists
      FROM form
      JOIN team ON team.id = form.team_id
      LEFT JOIN transactional_email AS opt_in ON opt_in.team_id = team.id AND opt_in.id = team.opt_in_id
      LEFT JOIN email_message AS message
             ON message.team_id = team.id AND message.id = opt_in.published_message_id
     WHERE form.id = $1
"""


async def insert_form(tx: Connection, form: FormRow, *, now: datetime) -> None:
    """Add a form."""
    await tx.execute(INSERT_FORM, form.id, form.team_id, form.name, list(form.mailing_lists), now)


async def load_forms(tx: Connection, team_id: str) -> list[FormRow]:
    """The team's forms, oldest first."""
    return [FormRow(**row) for row in await tx.fetch(FORMS, team_id)]


async def open_form(tx: Connection, form_id: str) -> OpenForm | None:
    """The form of that id, whichever team's it is."""
    row = await tx.fetchrow(OPEN_FORM, form_id)
    return OpenForm(**row) if row else None
