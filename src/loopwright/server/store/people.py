"""What is held about one person, in every table: handed out on demand, and cleared once the contact is gone.

A person is a contact and an address. By the address alone are found emails that never belonged to a contact.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import LiteralString

from msgspec import Struct

from .database import Connection


class Person(Struct, frozen=True, kw_only=True):
    """Whom it is about. `contact_id` is empty for somebody who has only been written to."""

    team_id: str
    contact_id: str
    email: str


class Piece(Struct, frozen=True):
    """Something that is held, as JSON text, and its id."""

    id: str
    text: str


# What went to the address before it was a contact's: from here on it is found by the contact.
CLAIM_EMAILS: LiteralString = """
    WITH taken AS (
        UPDATE email SET contact_id = $2 WHERE team_id = $1 AND id IN (
            SELECT id FROM email
             WHERE team_id = $1 AND contact_id IS NULL AND to_email COLLATE "C" = $3 AND created_at < $4
             LIMIT $5)
        RETURNING 1
    )
    SELECT count(*) FROM taken
"""
# What was promised is still sent: a transactional email that waits is cleared once it has gone out, and so is
# what a connection has in hand just now.
# The row stays for its count, and so that the links in the email lead to a page that says where things stand.
FORGET_EMAILS: LiteralString = """
    WITH taken AS MATERIALIZED (
        SELECT id FROM email
         WHERE team_id = $1 AND contact_id = $2 AND status <> 'sending'
           AND NOT (kind = 'transactional' AND status IN ('queued', 'held'))
         LIMIT $3 FOR UPDATE SKIP LOCKED
    ), cleared AS (
        UPDATE email
           SET contact_id = NULL, run_id = NULL, to_email = '', subject = '', event_properties = '{}',
               data_variables = '{}', attachments = '[]', preview = NULL,
               reason = CASE status WHEN 'sent' THEN '' ELSE 'the contact was deleted' END,
               status = CASE WHEN status IN ('queued', 'held') THEN 'skipped' ELSE status END
          FROM taken
         WHERE email.team_id = $1 AND email.id = taken.id
    ), files AS (
        DELETE FROM email_attachment USING taken
         WHERE email_attachment.team_id = $1 AND email_attachment.email_id = taken.id
    ), facts AS (
        DELETE FROM fact USING taken WHERE fact.team_id = $1 AND fact.email_id = taken.id
    ), hits AS (
        DELETE FROM email_hit USING taken WHERE email_hit.team_id = $1 AND email_hit.email_id = taken.id
    ), visits AS (
        DELETE FROM email_visit USING taken WHERE email_visit.team_id = $1 AND email_visit.email_id = taken.id
    ), messages AS (
        DELETE FROM inbox_message USING taken
         WHERE inbox_message.team_id = $1 AND inbox_message.email_id = taken.id
    )
    SELECT count(*) FROM taken
"""
FORGET_MESSAGES: LiteralString = """
    WITH gone AS (
        DELETE FROM inbox_message WHERE team_id = $1 AND id IN (
            SELECT id FROM inbox_message
             WHERE team_id = $1 AND to_email COLLATE "C" = $2 AND email_id IS NULL AND received_at < $3
             LIMIT $4)
        RETURNING 1
    )
    SELECT count(*) FROM gone
"""
FORGET_RUNS: LiteralString = """
    WITH gone AS (
        DELETE FROM run WHERE team_id = $1 AND id IN (
            SELECT id FROM run WHERE team_id = $1 AND contact_id = $2 LIMIT $3 FOR UPDATE SKIP LOCKED)
        RETURNING 1
    )
    SELECT count(*) FROM gone
"""
FORGET_ENTRIES: LiteralString = """
    WITH gone AS (
        DELETE FROM run_entry WHERE team_id = $1 AND (workflow_id, contact_id) IN (
            SELECT workflow_id, contact_id FROM run_entry WHERE team_id = $1 AND contact_id = $2 LIMIT $3)
        RETURNING 1
    )
    SELECT count(*) FROM gone
"""
# Links that were mailed lead to a page that says where things stand.
FORGET_LINKS: LiteralString = """
    WITH cleared AS (
        UPDATE email_link SET contact_id = NULL, event_properties = NULL WHERE email_id IN (
            SELECT email_id FROM email_link WHERE team_id = $1 AND contact_id = $2 LIMIT $3 FOR UPDATE)
        RETURNING 1
    )
    SELECT count(*) FROM cleared
"""
# Facts about emails have gone with the emails.
FORGET_FACTS: LiteralString = """
    WITH gone AS (
        DELETE FROM fact WHERE team_id = $1 AND contact_id = $2 AND email_id IS NULL AND id IN (
            SELECT id FROM fact WHERE team_id = $1 AND contact_id = $2 AND email_id IS NULL LIMIT $3)
        RETURNING 1
    )
    SELECT count(*) FROM gone
"""
# Of emails that went to the address when it was no contact's.
FORGET_TOLD: LiteralString = """
    WITH gone AS (
        DELETE FROM webhook_delivery WHERE ctid = ANY (ARRAY(
            SELECT delivery.ctid
              FROM team JOIN webhook_delivery AS delivery
                   ON delivery.team_id = team.id AND delivery.contact_id = id_of_address(team.secret, $2)
             WHERE team.id = $1 AND due_at IS NULL AND delivery.created_at < $3
             LIMIT $4 FOR UPDATE OF delivery SKIP LOCKED))
        RETURNING 1
    )
    SELECT count(*) FROM gone
"""
# What was promised is still told: that the contact is deleted, above all.
FORGET_WEBHOOKS: LiteralString = """
    WITH gone AS (
        DELETE FROM webhook_delivery WHERE ctid = ANY (ARRAY(
            SELECT ctid FROM webhook_delivery
             WHERE team_id = $1 AND contact_id = $2 AND due_at IS NULL LIMIT $3 FOR UPDATE SKIP LOCKED))
        RETURNING 1
    )
    SELECT count(*) FROM gone
"""
FORGET_RECIPIENT: LiteralString = """
    WITH gone AS (
        DELETE FROM campaign_recipient AS recipient USING (
            SELECT campaign.id FROM campaign
              JOIN campaign_recipient AS one ON one.campaign_id = campaign.id AND one.contact_id = $2
             WHERE campaign.team_id = $1 LIMIT $3) AS chosen
         WHERE recipient.campaign_id = chosen.id AND recipient.contact_id = $2
        RETURNING 1
    )
    SELECT count(*) FROM gone
"""
FORGET_EVENTS: LiteralString = """
    WITH gone AS (
        DELETE FROM event WHERE team_id = $1 AND contact_id = $2 AND id IN (
            SELECT id FROM event WHERE team_id = $1 AND contact_id = $2 LIMIT $3)
        RETURNING 1
    )
    SELECT count(*) FROM gone
"""
# The quota counts these rows; whose they were it need not know.
FORGET_REMOVALS: LiteralString = """
    UPDATE suppression_removal SET email = '' WHERE team_id = $1 AND email = $2
"""
# An address that marketing no longer goes to stays, as a suppressed one does.
FORGET_SOFT_BOUNCES: LiteralString = """
    DELETE FROM soft_bouncing WHERE team_id = $1 AND email = $2 AND stopped_at IS NULL AND last_at < $3
"""
IS_ANYTHING_DUE: LiteralString = """
    SELECT EXISTS (SELECT FROM email WHERE team_id = $1 AND contact_id = $2
                      AND status IN ('queued', 'held', 'sending'))
        OR EXISTS (SELECT FROM webhook_delivery
                    WHERE team_id = $1 AND contact_id = $2 AND due_at IS NOT NULL)
"""

CONTACT: LiteralString = """
    SELECT id, json_build_object(
               'id', id, 'email', email, 'userId', user_id, 'firstName', first_name, 'lastName', last_name,
               'source', source, 'subscribed', subscribed, 'userGroup', user_group,
               'optInStatus', opt_in_status, 'notes', notes, 'properties', properties,
               'mailingLists', mailing_lists, 'createdAt', created_at, 'updatedAt', updated_at) AS text
      FROM contact WHERE team_id = $1 AND id = $2 AND $3::text IS NOT NULL AND id > $4 LIMIT $5
"""
SUPPRESSION: LiteralString = """
    SELECT email AS id, json_build_object('reason', reason, 'createdAt', created_at) AS text
      FROM suppression WHERE team_id = $1 AND $2::text IS NOT NULL AND email = $3 AND email > $4 LIMIT $5
"""
REMOVALS: LiteralString = """
    SELECT removed_at::text AS id, json_build_object('removedAt', removed_at) AS text
      FROM suppression_removal
     WHERE team_id = $1 AND $2::text IS NOT NULL AND email = $3 AND removed_at::text > $4
     ORDER BY removed_at::text LIMIT $5
"""
SOFT_BOUNCES: LiteralString = """
    SELECT email AS id, json_build_object(
               'emailIds', email_ids, 'firstAt', first_at, 'lastAt', last_at, 'stoppedAt', stopped_at) AS text
      FROM soft_bouncing
     WHERE team_id = $1 AND $2::text IS NOT NULL AND email = $3 AND email > $4 LIMIT $5
"""
EVENTS: LiteralString = """
    SELECT id, json_build_object(
               'id', id, 'name', name, 'properties', properties, 'receivedAt', received_at) AS text
      FROM event WHERE team_id = $1 AND contact_id = $2 AND $3::text IS NOT NULL AND id > $4
     ORDER BY id LIMIT $5
"""
RUNS: LiteralString = """
    SELECT run.id, json_build_object(
               'id', run.id, 'workflowId', workflow_id, 'workflowName', workflow.name, 'eventId', event_id,
               'eventName', event_name, 'eventProperties', event_properties, 'status', run.status,
               'reason', reason, 'nodeId', node_id, 'enteredAt', entered_at, 'createdAt', run.created_at,
               'updatedAt', run.updated_at) AS text
      FROM run JOIN workflow ON workflow.team_id = run.team_id AND workflow.id = run.workflow_id
     WHERE run.team_id = $1 AND contact_id = $2 AND $3::text IS NOT NULL AND run.id > $4
     ORDER BY run.id LIMIT $5
"""
FACTS: LiteralString = """
    SELECT id, json_build_object(
               'id', id, 'kind', kind, 'detail', detail, 'happenedAt', happened_at) AS text
      FROM fact
     WHERE team_id = $1 AND contact_id = $2 AND email_id IS NULL AND $3::text IS NOT NULL AND id > $4
     ORDER BY id LIMIT $5
"""
WEBHOOKS: LiteralString = """
    SELECT endpoint_id || id AS id, json_build_object(
               'id', id, 'endpointId', endpoint_id, 'status', status, 'payload', payload,
               'createdAt', created_at, 'endedAt', ended_at) AS text
      FROM webhook_delivery
     WHERE team_id = $1 AND endpoint_id || id > $4
       AND contact_id IN ($2, (SELECT id_of_address(secret, $3) FROM team WHERE team.id = $1))
     ORDER BY endpoint_id || id LIMIT $5
"""
EMAILS: LiteralString = """
    SELECT id, json_build_object(
               'id', id, 'kind', kind, 'to', to_email, 'subject', subject, 'status', status, 'reason', reason,
               'attempts', attempts, 'emailMessageId', message_id, 'workflowId', workflow_id, 'runId', run_id,
               'mailingListId', mailing_list_id, 'transactionalId', transactional_id,
               'eventProperties', event_properties, 'dataVariables', data_variables, 'preview', preview,
               'attachments', (
                   SELECT coalesce(json_agg(json_build_object(
                              'filename', filename, 'contentType', content_type, 'data', data
                          ) ORDER BY place), '[]')
                     FROM email_attachment AS file
                    WHERE file.team_id = email.team_id AND file.email_id = email.id),
               'facts', (
                   SELECT coalesce(json_agg(json_build_object(
                              'kind', kind, 'detail', detail, 'happenedAt', happened_at
                          ) ORDER BY fact.id), '[]')
                     FROM fact WHERE fact.team_id = email.team_id AND fact.email_id = email.id),
               'hits', (
                   SELECT coalesce(json_agg(json_build_object(
                              'link', link, 'verdict', verdict, 'reason', hit.reason,
                              'delay', extract(epoch FROM delay), 'happenedAt', happened_at
                          ) ORDER BY hit.id), '[]')
                     FROM email_hit AS hit WHERE hit.team_id = email.team_id AND hit.email_id = email.id),
               'messageId', mime_id, 'cause', cause, 'createdAt', created_at,
               'sentAt', sent_at) AS text
      FROM email
     WHERE team_id = $1 AND id > $4
       AND (contact_id = $2 OR (contact_id IS NULL AND to_email COLLATE "C" = $3))
     ORDER BY id LIMIT $5
"""
MESSAGES: LiteralString = """
    SELECT id, json_build_object(
               'id', id, 'emailId', email_id, 'from', from_email, 'to', to_email, 'subject', subject,
               'receivedAt', received_at, 'raw', translate(encode(raw, 'base64'), E'\\n', '')) AS text
      FROM inbox_message
     WHERE team_id = $1 AND id > $4 AND id IN (
               SELECT id FROM inbox_message WHERE team_id = $1 AND to_email COLLATE "C" = $3
                UNION
               SELECT copy.id FROM email JOIN inbox_message AS copy ON copy.email_id = email.id
                WHERE email.team_id = $1 AND email.contact_id = $2 AND copy.team_id = $1)
     ORDER BY id LIMIT $5
"""
SECTIONS: dict[str, LiteralString] = {
    "contact": CONTACT,
    "suppression": SUPPRESSION,
    "suppressionRemovals": REMOVALS,
    "softBounces": SOFT_BOUNCES,
    "events": EVENTS,
    "facts": FACTS,
    "webhooks": WEBHOOKS,
    "runs": RUNS,
    "emails": EMAILS,
    "inbox": MESSAGES,
}
"""What is held, by kind. Each statement takes team, contact, address, the id to go on after, and a limit."""


async def load_some(
    tx: Connection, person: Person, section: str, *, after: str = "", limit: int
) -> Sequence[Piece]:
    """At most `limit` of what is held in a section, in the order of ids, from the one after `after` on."""
    rows = await tx.fetch(SECTIONS[section], person.team_id, person.contact_id, person.email, after, limit)
    return [Piece(row["id"], row["text"]) for row in rows]


async def is_known(tx: Connection, person: Person) -> bool:
    """Whether anything is held about the person."""
    for section in SECTIONS:
        if await load_some(tx, person, section, limit=1):
            return True
    return False


async def forget_address(tx: Connection, person: Person, *, before: datetime, limit: int) -> bool:
    """Clear at most `limit` rows of each table by the address of a contact deleted at `before`; was that all?

    Emails are only claimed for the contact, by which `forget_contact` finds them. What an address got since
    then belongs to whoever has it now. It stays among the suppressed and the stopped addresses.
    """
    team_id, email = person.team_id, person.email
    await tx.execute(FORGET_REMOVALS, team_id, email)
    await tx.execute(FORGET_SOFT_BOUNCES, team_id, email, before)
    counts = [
        await tx.fetchval(CLAIM_EMAILS, team_id, person.contact_id, email, before, limit),
        await tx.fetchval(FORGET_MESSAGES, team_id, email, before, limit),
        await tx.fetchval(FORGET_TOLD, team_id, email, before, limit),
    ]
    return all(count < limit for count in counts)


async def forget_contact(tx: Connection, team_id: str, contact_id: str, *, limit: int) -> bool:
    """Clear at most `limit` rows of each table that belong to a deleted contact; was that all?"""
    statements = (
        FORGET_EMAILS,
        FORGET_LINKS,
        FORGET_RUNS,
        FORGET_ENTRIES,
        FORGET_RECIPIENT,
        FORGET_EVENTS,
        FORGET_FACTS,
        FORGET_WEBHOOKS,
    )
    counts = [await tx.fetchval(statement, team_id, contact_id, limit) for statement in statements]
    return all(count < limit for count in counts)


async def is_anything_due(tx: Connection, team_id: str, contact_id: str) -> bool:
    """Whether an email is still to go out to a deleted contact, or a webhook about it."""
    due: bool = await tx.fetchval(IS_ANYTHING_DUE, team_id, contact_id)
    return due
