"""What endpoints are told of, made of facts in the transaction that writes them.

Whoever writes a fact tells the endpoints by it. The payloads are those of the published API. Facts that
nothing writes yet (of bounces that are temporary, opens, clicks, complaints) have theirs already; that of a
campaign's email names the campaign in its detail. An email is delivered when a server took it.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0122"
down_revision = "0121"

# Nobody is told of a contact that has yet to confirm its address, nor of previews.
CHANGES = """
CREATE FUNCTION told_of_contacts(facts fact[])
RETURNS TABLE (
    fact_id text, team_id text, contact_id text, place int, name text, identity jsonb, fields jsonb
)
LANGUAGE sql STABLE AS $$
    SELECT told.id, told.team_id, told.contact_id, event.place, event.name, told.detail -> 'identity',
           CASE
               WHEN event.name = 'contact.created'
                   THEN jsonb_build_object('contact', told.detail -> 'contact')
               WHEN told.detail ? 'listId' THEN jsonb_build_object('mailingList', jsonb_build_object(
                   'id', told.detail ->> 'listId', 'name', coalesce(list.name, ''),
                   'description', list.description, 'isPublic', coalesce(list.is_public, false)))
               ELSE '{}'
           END
      FROM unnest(facts) AS told
      JOIN (VALUES ('contact_added', 1, 'contact.created'),
                   ('contact_unsubscribed', 1, 'contact.unsubscribed'),
                   ('contact_deleted', 1, 'contact.unsubscribed'),
                   ('contact_deleted', 2, 'contact.deleted'),
                   ('list_joined', 1, 'contact.mailingList.subscribed'),
                   ('list_left', 1, 'contact.mailingList.unsubscribed')) AS event (kind, place, name)
           ON event.kind = told.kind
      LEFT JOIN mailing_list AS list ON list.team_id = told.team_id AND list.id = told.detail ->> 'listId'
     WHERE told.detail ? 'identity'
$$;

CREATE FUNCTION told_of_emails(facts fact[])
RETURNS TABLE (
    fact_id text, team_id text, contact_id text, place int, name text, identity jsonb, fields jsonb
)
LANGUAGE sql STABLE AS $$
    SELECT told.id, told.team_id, email.contact_id, event.place,
           CASE event.name WHEN 'sent' THEN source.kind || '.email.sent' ELSE event.name END,
           jsonb_build_object(
               'id', coalesce(email.contact_id,
                              'c' || left(md5(team.secret || convert_to(lower(email.to_email), 'UTF8')), 24)),
               'email', email.to_email, 'userId', contact.user_id),
           jsonb_build_object(
               source.kind || 'Id', source.id,
               'email', jsonb_build_object(
                   'id', email.id, 'emailMessageId', email.message_id, 'subject', email.subject))
           || CASE
                  WHEN event.name <> 'sent' THEN jsonb_build_object('sourceType', source.kind)
                  WHEN source.kind = 'transactional' THEN jsonb_build_object('transactionalName', source.name)
                  ELSE jsonb_build_object(source.kind || 'Name', source.name, 'mailingLists',
                      CASE WHEN list.id IS NULL THEN '[]' ELSE jsonb_build_array(jsonb_build_object(
                          'id', list.id, 'name', list.name, 'description', list.description,
                          'isPublic', list.is_public)) END)
              END
      FROM unnest(facts) AS told
      JOIN (VALUES ('email_sent', 1, 'sent'), ('email_sent', 2, 'email.delivered'),
                   ('email_soft_bounced', 1, 'email.softBounced'), ('email_bounced', 1, 'email.hardBounced'),
                   ('email_opened', 1, 'email.opened'), ('email_clicked', 1, 'email.clicked'),
                   ('email_unsubscribed', 1, 'email.unsubscribed'),
                   ('email_resubscribed', 1, 'email.resubscribed'),
                   ('email_complained', 1, 'email.spamReported')) AS event (kind, place, name)
           ON event.kind = told.kind
      JOIN email ON email.team_id = told.team_id AND email.id = told.email_id AND email.preview IS NULL
      JOIN team ON team.id = told.team_id
      LEFT JOIN contact ON contact.team_id = email.team_id AND contact.id = email.contact_id
      LEFT JOIN workflow ON workflow.team_id = email.team_id AND workflow.id = email.workflow_id
      LEFT JOIN transactional_email AS transactional
             ON transactional.team_id = email.team_id AND transactional.id = email.transactional_id
      LEFT JOIN mailing_list AS list ON list.team_id = email.team_id AND list.id = email.mailing_list_id
     CROSS JOIN LATERAL (
               SELECT 'transactional', email.transactional_id, coalesce(transactional.name, '')
                WHERE email.kind = 'transactional'
                UNION ALL
               SELECT 'loop', email.workflow_id, coalesce(workflow.name, '')
                WHERE email.kind <> 'transactional' AND email.workflow_id IS NOT NULL
                UNION ALL
               SELECT 'campaign', told.detail ->> 'campaignId',
                      coalesce(told.detail ->> 'campaignName', '')
                WHERE email.kind <> 'transactional' AND email.workflow_id IS NULL
           ) AS source (kind, id, name)
     WHERE contact.opt_in_status IS DISTINCT FROM 'pending'
$$;

CREATE FUNCTION tell_webhooks() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    facts fact[];
BEGIN
    facts = ARRAY (SELECT told FROM told
                    WHERE told.team_id IN (SELECT team_id FROM webhook_endpoint) ORDER BY told.id);
    IF cardinality(facts) > 0 THEN
        INSERT INTO webhook_delivery (
            endpoint_id, id, team_id, event_name, contact_id, payload, status, due_at, created_at
        )
        SELECT endpoint.id, event.fact_id || CASE event.place WHEN 1 THEN '' ELSE '2' END,
               event.team_id, event.name, event.contact_id,
               jsonb_build_object(
                   'eventName', event.name,
                   'eventTime', floor(extract(epoch FROM told.happened_at))::bigint,
                   'webhookSchemaVersion', '1.0.0',
                   'contactIdentity', event.identity) || event.fields,
               CASE WHEN endpoint.disabled_at IS NULL THEN 'queued' ELSE 'missed' END,
               CASE WHEN endpoint.disabled_at IS NULL THEN told.happened_at END,
               told.happened_at
          FROM (SELECT * FROM told_of_contacts(facts) UNION ALL SELECT * FROM told_of_emails(facts)) AS event
          JOIN told ON told.id = event.fact_id
          JOIN webhook_endpoint AS endpoint
               ON endpoint.team_id = event.team_id AND event.name = ANY (endpoint.events)
         ORDER BY event.fact_id, event.place, endpoint.id;
        PERFORM pg_notify('loopwright_webhook', '');
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER told AFTER INSERT ON fact REFERENCING NEW TABLE AS told
    FOR EACH STATEMENT EXECUTE FUNCTION tell_webhooks();
"""


def upgrade() -> None:
    """Add the functions and the trigger."""
    run(CHANGES)
