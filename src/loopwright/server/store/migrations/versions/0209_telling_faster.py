"""Webhooks made of facts about contacts without a detour, and endpoints locked once a statement, not a row.

Facts went through an array and a function before they became deliveries, and each delivery had its endpoint
looked up and locked by a foreign key. Now the statement locks those it tells, so that none is deleted under
it, and a trigger deletes what a deleted one leaves.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0209"
down_revision = "0208"

# What is told of emails is asked for where there are facts about emails alone: of nothing it is not called.
CHANGES = """
ALTER TABLE webhook_delivery DROP CONSTRAINT webhook_delivery_endpoint_id_fkey;
CREATE FUNCTION delete_deliveries() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    DELETE FROM webhook_delivery WHERE team_id = OLD.team_id AND endpoint_id = OLD.id;
    RETURN NULL;
END $$;
CREATE TRIGGER emptied AFTER DELETE ON webhook_endpoint FOR EACH ROW EXECUTE FUNCTION delete_deliveries();

ALTER FUNCTION told_of_emails(fact[]) STRICT;
CREATE OR REPLACE FUNCTION tell_webhooks() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    emails fact[];
BEGIN
    IF NOT EXISTS (SELECT FROM webhook_endpoint
                    WHERE team_id = ANY (ARRAY (SELECT DISTINCT team_id FROM told))) THEN
        RETURN NULL;
    END IF;
    IF EXISTS (SELECT FROM told WHERE email_id IS NOT NULL) THEN
        emails = ARRAY (SELECT told FROM told WHERE email_id IS NOT NULL);
    END IF;
    INSERT INTO webhook_delivery (
        endpoint_id, id, team_id, event_name, contact_id, payload, status, due_at, created_at
    )
    WITH endpoint AS MATERIALIZED (
        SELECT id, team_id, events, disabled_at FROM webhook_endpoint
         WHERE team_id = ANY (ARRAY (SELECT DISTINCT team_id FROM told))
         ORDER BY id FOR KEY SHARE
    ), event AS (
        SELECT told.id, told.team_id, event.place, event.name, told.happened_at,
               told.detail -> 'identity' AS identity,
               CASE
                   WHEN event.name = 'contact.created'
                       THEN jsonb_build_object('contact', told.detail -> 'contact')
                   WHEN told.detail ? 'listId' THEN jsonb_build_object('mailingList', jsonb_build_object(
                       'id', told.detail ->> 'listId', 'name', coalesce(list.name, ''),
                       'description', list.description, 'isPublic', coalesce(list.is_public, false)))
                   ELSE '{}'
               END AS fields
          FROM told
          JOIN (VALUES ('contact_added', 1, 'contact.created'),
                       ('contact_unsubscribed', 1, 'contact.unsubscribed'),
                       ('contact_deleted', 1, 'contact.unsubscribed'),
                       ('contact_deleted', 2, 'contact.deleted'),
                       ('list_joined', 1, 'contact.mailingList.subscribed'),
                       ('list_left', 1, 'contact.mailingList.unsubscribed')) AS event (kind, place, name)
               ON event.kind = told.kind
          LEFT JOIN mailing_list AS list
                 ON list.team_id = told.team_id AND list.id = told.detail ->> 'listId'
         WHERE told.detail ? 'identity'
         UNION ALL
        SELECT event.fact_id, event.team_id, event.place, event.name, told.happened_at, event.identity,
               event.fields
          FROM told_of_emails(emails) AS event
          JOIN told ON told.id = event.fact_id
    )
    SELECT endpoint.id, event.id || CASE event.place WHEN 1 THEN '' ELSE '2' END, event.team_id, event.name,
           event.identity ->> 'id',
           jsonb_build_object(
               'eventName', event.name,
               'eventTime', floor(extract(epoch FROM event.happened_at))::bigint,
               'webhookSchemaVersion', '1.0.0',
               'contactIdentity', event.identity) || event.fields,
           CASE WHEN endpoint.disabled_at IS NULL THEN 'queued' ELSE 'missed' END,
           CASE WHEN endpoint.disabled_at IS NULL THEN event.happened_at END,
           event.happened_at
      FROM event
      JOIN endpoint ON endpoint.team_id = event.team_id AND event.name = ANY (endpoint.events)
     ORDER BY event.id, event.place, endpoint.id;
    PERFORM pg_notify('loopwright_webhook', '');
    RETURN NULL;
END $$;
DROP FUNCTION told_of_contacts(fact[]);
"""


def upgrade() -> None:
    """Replace the functions, and the key by a trigger."""
    run(CHANGES)
