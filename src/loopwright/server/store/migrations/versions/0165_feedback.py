"""Feedback: what was told of emails that have left, addresses that bounce softly, and what nobody understood.

An email is delivered when the relay has taken it, or, for teams whose provider says so, when that does.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0165"
down_revision = "0160"

CHANGES = """
ALTER TABLE team ADD COLUMN provider_delivers boolean NOT NULL DEFAULT false; -- it tells what was delivered

CREATE TABLE email_report (
    team_id  text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    email_id text COLLATE "C" NOT NULL,
    kind     text NOT NULL, -- of the fact: each is told once, through however many doors it comes
    PRIMARY KEY (email_id, kind)
);
CREATE TABLE soft_bouncing (
    team_id    text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    email      text NOT NULL,
    email_ids  text[] NOT NULL, -- that have bounced since the last one was delivered
    first_at   timestamptz NOT NULL,
    last_at    timestamptz NOT NULL,
    stopped_at timestamptz, -- marketing no longer goes there
    PRIMARY KEY (team_id, email)
);
CREATE TABLE feedback_unknown (
    id          text COLLATE "C" PRIMARY KEY,
    team_id     text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    door        text NOT NULL, -- smtp, imap, or a provider
    reason      text NOT NULL,
    raw         bytea NOT NULL, -- how it began
    received_at timestamptz NOT NULL
);
CREATE INDEX feedback_unknown_list ON feedback_unknown (team_id, id);

CREATE FUNCTION count_soft_bounces() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    reached text[];
BEGIN
    IF NOT EXISTS (SELECT FROM added
                    WHERE kind IN ('email_soft_bounced', 'email_sent', 'email_delivered')) THEN
        RETURN NULL;
    END IF;
    -- One that was taken in the end, or that a provider has delivered: nearly all are sent at the first try.
    reached = ARRAY (
        SELECT added.email_id FROM added
          LEFT JOIN email_outcome AS before ON before.email_id = added.email_id
                                           AND before.kind = 'email_soft_bounced'
         WHERE added.kind = 'email_delivered' OR added.kind = 'email_sent' AND before.email_id IS NOT NULL);
    IF cardinality(reached) > 0 THEN
        DELETE FROM soft_bouncing USING email
         WHERE email.id = ANY (reached) AND soft_bouncing.team_id = email.team_id
           AND soft_bouncing.email = lower(email.to_email);
    END IF;
    IF NOT EXISTS (SELECT FROM added WHERE kind = 'email_soft_bounced') THEN
        RETURN NULL;
    END IF;
    INSERT INTO soft_bouncing AS known (team_id, email, email_ids, first_at, last_at)
    SELECT DISTINCT ON (email.team_id, lower(email.to_email))
           email.team_id, lower(email.to_email), ARRAY[email.id], added.happened_at, added.happened_at
      FROM added JOIN email ON email.team_id = added.team_id AND email.id = added.email_id
     WHERE added.kind = 'email_soft_bounced' AND email.to_email <> ''
     ORDER BY email.team_id, lower(email.to_email), email.id
    ON CONFLICT (team_id, email) DO UPDATE
       SET email_ids = CASE WHEN excluded.email_ids <@ known.email_ids OR cardinality(known.email_ids) >= 20
                            THEN known.email_ids ELSE known.email_ids || excluded.email_ids END,
           last_at = excluded.last_at;
    -- What the relay took five days ago and nobody has sent back was delivered: counting begins anew.
    UPDATE soft_bouncing AS known
       SET email_ids = ARRAY[email.id], first_at = added.happened_at, stopped_at = NULL
      FROM added JOIN email ON email.team_id = added.team_id AND email.id = added.email_id
     WHERE added.kind = 'email_soft_bounced' AND known.team_id = email.team_id
       AND known.email = lower(email.to_email)
       AND EXISTS (
           SELECT FROM email AS other
            WHERE other.team_id = email.team_id AND other.contact_id = email.contact_id
              AND lower(other.to_email) = known.email AND other.status = 'sent' AND other.id <> email.id
              AND other.sent_at > known.first_at AND other.sent_at <= added.happened_at - interval '5 days'
              AND NOT EXISTS (
                  SELECT FROM email_outcome AS told
                   WHERE told.email_id = other.id AND told.kind IN ('email_soft_bounced', 'email_bounced'))
       );
    UPDATE soft_bouncing AS known SET stopped_at = known.last_at
      FROM added JOIN email ON email.team_id = added.team_id AND email.id = added.email_id
     WHERE added.kind = 'email_soft_bounced' AND known.team_id = email.team_id
       AND known.email = lower(email.to_email) AND known.stopped_at IS NULL
       AND cardinality(known.email_ids) >= 5 AND known.last_at - known.first_at >= interval '7 days';
    RETURN NULL;
END $$;
CREATE TRIGGER soft_bounced AFTER INSERT ON fact
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_soft_bounces();

CREATE OR REPLACE FUNCTION told_of_emails(facts fact[])
RETURNS TABLE (
    fact_id text, team_id text, place int, name text, identity jsonb, fields jsonb
)
LANGUAGE plpgsql STABLE AS $$
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
     WHERE contact.opt_in_status IS DISTINCT FROM 'pending'
       AND NOT (team.provider_delivers AND told.kind = 'email_sent' AND event.name = 'email.delivered');
END $$;
"""


def upgrade() -> None:
    """Add the tables, and tell of deliveries by whoever knows."""
    run(CHANGES)
