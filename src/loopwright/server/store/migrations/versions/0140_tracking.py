"""Tracking: hits of links and pictures in marketing email, and counters of what became of emails.

A counter belongs to whom the emails are of: a transactional email, or else the message of a workflow's node
or of a campaign. Facts are counted where they are written, in their transaction, each once an email. A
counter has several rows, so that processes seldom wait for each other; together they make the number.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0140"
down_revision = "0131"

CHANGES = """
ALTER TABLE team
    ADD COLUMN tracking boolean NOT NULL DEFAULT false, -- marketing email tells of opens and clicks
    ADD COLUMN hash_visitors boolean NOT NULL DEFAULT false; -- keeps a hash of who made them
ALTER TABLE email_link
    ADD COLUMN owner_id text COLLATE "C",
    ADD COLUMN event_properties jsonb; -- where links need them

CREATE TABLE email_visit (
    team_id  text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    email_id text COLLATE "C" NOT NULL,
    link     smallint NOT NULL, -- its place in the revision, 0 for the picture
    hits     integer NOT NULL,
    human    integer NOT NULL,
    machine  integer NOT NULL,
    unsure   integer NOT NULL,
    PRIMARY KEY (email_id, link)
) WITH (fillfactor = 80);
CREATE TABLE email_hit (
    id          text COLLATE "C" NOT NULL,
    team_id     text COLLATE "C" NOT NULL,
    email_id    text COLLATE "C" NOT NULL,
    link        smallint NOT NULL,
    verdict     text NOT NULL, -- human, machine, unsure
    reason      text NOT NULL,
    delay       interval, -- since the email was delivered
    visitor     bytea, -- hashes of address and user agent, where the team keeps them
    agent       bytea,
    happened_at timestamptz NOT NULL
) PARTITION BY RANGE (happened_at);
CREATE INDEX email_hit_of_email ON email_hit (email_id);
CREATE TABLE email_hit_default PARTITION OF email_hit DEFAULT;

CREATE TABLE email_outcome (
    team_id  text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    email_id text COLLATE "C" NOT NULL,
    kind     text NOT NULL, -- of the facts that are counted once an email
    PRIMARY KEY (email_id, kind)
);
CREATE TABLE email_counter (
    team_id      text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    owner_id     text COLLATE "C" NOT NULL, -- a transactional email, or else an email message
    part         smallint NOT NULL,
    sends        bigint NOT NULL DEFAULT 0,
    deliveries   bigint NOT NULL DEFAULT 0,
    opens        bigint NOT NULL DEFAULT 0,
    clicks       bigint NOT NULL DEFAULT 0,
    unsubscribes bigint NOT NULL DEFAULT 0,
    spam_reports bigint NOT NULL DEFAULT 0,
    hard_bounces bigint NOT NULL DEFAULT 0,
    soft_bounces bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (team_id, owner_id, part)
) WITH (fillfactor = 20);

CREATE FUNCTION count_email_facts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (SELECT FROM added WHERE email_id IS NOT NULL) THEN
        RETURN NULL;
    END IF;
    -- A bounce in the talk with the server is a send, too: there was no other fact before.
    WITH told AS (
        SELECT DISTINCT added.team_id, added.email_id, added.kind,
               coalesce(email.transactional_id, email.message_id, link.owner_id) AS owner_id,
               coalesce(email.status, 'sent') AS status
          FROM added
          LEFT JOIN email ON email.team_id = added.team_id AND email.id = added.email_id
          LEFT JOIN email_link AS link ON link.team_id = added.team_id AND link.email_id = added.email_id
         WHERE added.email_id IS NOT NULL AND email.preview IS NULL
    ), once AS (
        INSERT INTO email_outcome (team_id, email_id, kind)
        SELECT team_id, email_id, kind FROM told
         WHERE owner_id IS NOT NULL
           AND kind IN ('email_opened', 'email_clicked', 'email_unsubscribed', 'email_complained',
                        'email_bounced', 'email_soft_bounced')
         ORDER BY email_id, kind
        ON CONFLICT DO NOTHING
        RETURNING email_id, kind
    ), counted AS (
        SELECT told.* FROM told LEFT JOIN once USING (email_id, kind)
         WHERE owner_id IS NOT NULL AND (kind = 'email_sent' OR once.email_id IS NOT NULL)
    )
    INSERT INTO email_counter AS known (
        team_id, owner_id, part, sends, deliveries, opens, clicks, unsubscribes, spam_reports, hard_bounces,
        soft_bounces
    )
    SELECT team_id, owner_id, pg_backend_pid() % 16,
           count(*) FILTER (WHERE kind = 'email_sent' OR kind = 'email_bounced' AND status = 'failed'),
           count(*) FILTER (WHERE kind = 'email_sent'),
           count(*) FILTER (WHERE kind = 'email_opened'),
           count(*) FILTER (WHERE kind = 'email_clicked'),
           count(*) FILTER (WHERE kind = 'email_unsubscribed'),
           count(*) FILTER (WHERE kind = 'email_complained'),
           count(*) FILTER (WHERE kind = 'email_bounced'),
           count(*) FILTER (WHERE kind = 'email_soft_bounced')
      FROM counted
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
           soft_bounces = known.soft_bounces + excluded.soft_bounces;
    RETURN NULL;
END $$;
CREATE TRIGGER counted AFTER INSERT ON fact
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION count_email_facts();

-- What was sent before.
WITH bounced AS (
    SELECT DISTINCT team_id, email_id FROM fact WHERE kind = 'email_bounced' AND email_id IS NOT NULL
), noted AS (
    INSERT INTO email_outcome (team_id, email_id, kind)
    SELECT team_id, email_id, 'email_bounced' FROM bounced
)
INSERT INTO email_counter (team_id, owner_id, part, sends, deliveries, hard_bounces)
SELECT email.team_id, coalesce(email.transactional_id, email.message_id), 0, count(*),
       count(*) FILTER (WHERE email.status = 'sent'), count(bounced.email_id)
  FROM email LEFT JOIN bounced ON bounced.team_id = email.team_id AND bounced.email_id = email.id
 WHERE email.preview IS NULL AND (email.status = 'sent' OR bounced.email_id IS NOT NULL)
 GROUP BY 1, 2;
"""


def upgrade() -> None:
    """Add the tables, and count what there is."""
    run(CHANGES)
