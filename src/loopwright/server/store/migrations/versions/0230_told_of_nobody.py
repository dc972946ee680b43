"""Nothing is told of an email whose address went with its contact.

A click or an opening after a contact's deletion was told of a contact with an empty address, and with one and
the same id for all who were deleted.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0230"
down_revision = "0226"

CHANGES = """
CREATE OR REPLACE FUNCTION told_of_emails(facts fact[])
RETURNS TABLE (
    fact_id text, team_id text, place int, name text, identity jsonb, fields jsonb
)
LANGUAGE plpgsql STABLE STRICT AS $$
BEGIN
    RETURN QUERY
    SELECT told.id, told.team_id, event.place,
           CASE event.name WHEN 'sent' THEN source.kind || '.email.sent' ELSE event.name END,
           jsonb_build_object(
               'id', coalesce(email.contact_id, id_of_address(team.secret, email.to_email)),
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
                   ('email_delivered', 1, 'email.delivered'),
                   ('email_complained', 1, 'email.spamReported')) AS event (kind, place, name)
           ON event.kind = told.kind
      JOIN email ON email.team_id = told.team_id AND email.id = told.email_id AND email.preview IS NULL
      JOIN team ON team.id = told.team_id
      LEFT JOIN contact ON contact.team_id = email.team_id AND contact.id = email.contact_id
      LEFT JOIN workflow ON workflow.team_id = email.team_id AND workflow.id = email.workflow_id
      LEFT JOIN campaign ON campaign.team_id = email.team_id AND campaign.id = email.campaign_id
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
               SELECT 'campaign', email.campaign_id, coalesce(campaign.name, '')
                WHERE email.kind <> 'transactional' AND email.campaign_id IS NOT NULL
           ) AS source (kind, id, name)
     WHERE email.to_email <> '' AND contact.opt_in_status IS DISTINCT FROM 'pending'
       AND NOT (team.provider_delivers AND told.kind = 'email_sent' AND event.name = 'email.delivered');
END $$;
"""


def upgrade() -> None:
    """Replace the function."""
    run(CHANGES)
