"""Campaigns: one email to many contacts, who are noted when it starts, and each of whom has one email.

Recipients are noted in slices of contacts, and emails made of them by the batch, as the queue has room: the
campaign's row says how far either has come. So nothing long is ever under way, and whoever dies when, the
next one goes on from there. The queue takes them in a lane of their own.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0131"
down_revision = "0130"

CHANGES = """
CREATE TABLE campaign (
    id              text COLLATE "C" PRIMARY KEY,
    team_id         text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    name            text NOT NULL,
    status          text NOT NULL CHECK (status IN ('Draft', 'Scheduled', 'Sending', 'Sent')),
    stopped         text NOT NULL DEFAULT '', -- why it does not go on: paused, late, cancelled
    message_id      text COLLATE "C" NOT NULL REFERENCES email_message,
    group_id        text COLLATE "C" REFERENCES content_group, -- NULL is the group for whatever has no other
    mailing_list_id text COLLATE "C" REFERENCES mailing_list,
    segment_id      text COLLATE "C" REFERENCES segment,
    filter          jsonb,
    planned_at      timestamptz, -- NULL is now
    starts_at       timestamptz, -- of a scheduled one
    revision_id     text COLLATE "C" REFERENCES email_revision, -- what its emails say, from its start on
    started_at      timestamptz,
    noted_to        text COLLATE "C" NOT NULL DEFAULT '', -- contacts up to this id have been looked at
    noted_at        timestamptz,                          -- all have
    recipients      bigint NOT NULL DEFAULT 0,
    queued_to       text COLLATE "C" NOT NULL DEFAULT '', -- recipients up to this id have their emails
    queued_at       timestamptz,                          -- all have
    ended_at        timestamptz,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE INDEX campaign_list ON campaign (team_id, id);
CREATE UNIQUE INDEX campaign_message ON campaign (message_id);
CREATE INDEX campaign_active ON campaign (id) WHERE status IN ('Scheduled', 'Sending');

CREATE TABLE campaign_recipient (
    campaign_id text COLLATE "C" NOT NULL REFERENCES campaign ON DELETE CASCADE,
    contact_id  text COLLATE "C" NOT NULL,
    team_id     text COLLATE "C" NOT NULL,
    PRIMARY KEY (campaign_id, contact_id)
);

ALTER TABLE email ADD COLUMN campaign_id text COLLATE "C";
CREATE INDEX email_of_campaign ON email (campaign_id, contact_id) WHERE campaign_id IS NOT NULL;

CREATE OR REPLACE FUNCTION queue_emails() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO email_attachment
    SELECT added.id, added.team_id, file.place, file.value ->> 'filename', file.value ->> 'contentType',
           file.value ->> 'data'
      FROM added, jsonb_array_elements(added.attachments) WITH ORDINALITY AS file (value, place);
    INSERT INTO email_queue (email_id, team_id, lane, due_at)
    SELECT id, team_id,
           CASE WHEN kind = 'transactional' THEN 0 WHEN campaign_id IS NULL THEN 1 ELSE 2 END, created_at
      FROM added WHERE status = 'queued';
    PERFORM pg_notify('loopwright_email', lane::text)
       FROM (SELECT DISTINCT
                    CASE WHEN kind = 'transactional' THEN 0 WHEN campaign_id IS NULL THEN 1 ELSE 2 END AS lane
               FROM added WHERE status = 'queued') AS lanes;
    RETURN NULL;
END $$;
"""


def upgrade() -> None:
    """Add the tables, and the lane."""
    run(CHANGES)
