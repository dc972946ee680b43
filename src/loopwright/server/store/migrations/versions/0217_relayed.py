"""Emails that the relay has taken, counted for themselves.

Deliveries are what a provider tells of, where one does: then they say nothing of how many have left.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0217"
down_revision = "0216"

CHANGES = """
ALTER TABLE email_counter ADD COLUMN relayed bigint NOT NULL DEFAULT 0;
-- Where a provider tells, sends are the nearest that was kept: few of them were refused.
UPDATE email_counter SET relayed = CASE WHEN team.provider_delivers THEN sends ELSE deliveries END
  FROM team WHERE team.id = email_counter.team_id;
CREATE OR REPLACE FUNCTION count_email_facts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM added WHERE email_id IS NOT NULL) THEN
        RETURN NULL;
    END IF;
    -- A bounce in the talk with the server is a send, too: there was no other fact before. It is noted as
    -- one, which those that are sent are not: nearly all are, and once.
    WITH told AS (
        SELECT added.team_id, added.email_id, added.kind,
               coalesce(email.transactional_id, email.message_id, link.owner_id) AS owner_id,
               bool_or(added.kind = 'email_bounced' AND email.status = 'failed') AS is_refused,
               CASE WHEN team.provider_delivers THEN 'email_delivered' ELSE 'email_sent' END AS delivery
          FROM added
          JOIN team ON team.id = added.team_id
          LEFT JOIN email ON email.team_id = added.team_id AND email.id = added.email_id
          LEFT JOIN email_link AS link ON link.team_id = added.team_id AND link.email_id = added.email_id
         WHERE added.email_id IS NOT NULL AND email.preview IS NULL
         GROUP BY 1, 2, 3, 4, 6
    ), outcome AS (
        SELECT team_id, email_id, kind FROM told
         WHERE owner_id IS NOT NULL
           AND kind IN ('email_opened', 'email_clicked', 'email_unsubscribed', 'email_complained',
                        'email_bounced', 'email_soft_bounced', 'email_delivered', 'email_suppressed')
         UNION ALL
        SELECT team_id, email_id, 'email_sent' FROM told WHERE owner_id IS NOT NULL AND is_refused
    ), once AS (
        INSERT INTO email_outcome (team_id, email_id, kind)
        SELECT team_id, email_id, kind FROM outcome ORDER BY email_id, kind
        ON CONFLICT DO NOTHING
        RETURNING email_id, kind
    ), counted AS (
        SELECT told.team_id, told.owner_id, told.kind, told.delivery,
               once.email_id IS NOT NULL
               AND NOT (told.kind = 'email_bounced' AND EXISTS (
                            SELECT FROM email_outcome AS known
                             WHERE known.email_id = told.email_id AND known.kind = 'email_suppressed'))
               AS is_first,
               CASE WHEN told.kind = 'email_sent'
                    THEN NOT EXISTS (SELECT FROM email_outcome AS known
                                      WHERE known.email_id = told.email_id AND known.kind = 'email_sent')
                    ELSE is_refused
                         AND EXISTS (SELECT FROM once AS sent
                                      WHERE sent.email_id = told.email_id AND sent.kind = 'email_sent')
               END AS is_send
          FROM told LEFT JOIN once USING (email_id, kind)
         WHERE owner_id IS NOT NULL
    )
    INSERT INTO email_counter AS known (
        team_id, owner_id, part, sends, deliveries, opens, clicks, unsubscribes, spam_reports, hard_bounces,
        soft_bounces, relayed
    )
    SELECT team_id, owner_id, pg_backend_pid() % 16,
           count(*) FILTER (WHERE is_send),
           count(*) FILTER (WHERE kind = delivery),
           count(*) FILTER (WHERE kind = 'email_opened' AND is_first),
           count(*) FILTER (WHERE kind = 'email_clicked' AND is_first),
           count(*) FILTER (WHERE kind = 'email_unsubscribed' AND is_first),
           count(*) FILTER (WHERE kind = 'email_complained' AND is_first),
           count(*) FILTER (WHERE kind IN ('email_bounced', 'email_suppressed') AND is_first),
           count(*) FILTER (WHERE kind = 'email_soft_bounced' AND is_first),
           count(*) FILTER (WHERE kind = 'email_sent')
      FROM counted
     WHERE is_first OR is_send OR kind = 'email_sent'
     GROUP BY team_id, owner_id
     ORDER BY team_id, owner_id
    ON CONFLICT (team_id, owner_id, part) DO UPDATE
       SET sends = known.sends + excluded.sends,
           deliveries = known.deliveries + excluded.deliveries,
           opens = known.opens + excluded.opens,
           clicks = known.clicks + excluded.clicks,
           unsubscribes = known.unsubscribes + excluded.unsubscribes,
           spam_reports = known.spam_reports + excluded.spam_reports,
           hard_bounces = known.hard_bounces + excluded.hard_bounces,
           soft_bounces = known.soft_bounces + excluded.soft_bounces,
           relayed = known.relayed + excluded.relayed;
    RETURN NULL;
END $$;
"""


def upgrade() -> None:
    """Add the column, and replace the function."""
    run(CHANGES)
