"""Files remember which revision of each email they last wrote, so that what others changed is not lost."""

from loopwright.server.store.migrations.scripts import run

revision = "0050"
down_revision = "0020"

CHANGES = """
CREATE TABLE definition_revision (
    team_id     text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    place       text COLLATE "C" NOT NULL, -- transactional/<slug>, or the id of a workflow's email node
    revision_id text COLLATE "C" NOT NULL REFERENCES email_revision ON DELETE CASCADE,
    PRIMARY KEY (team_id, place)
);
CREATE INDEX definition_revision_revision ON definition_revision (revision_id);

-- Until now nothing but files, and the team's own setup, wrote content.
INSERT INTO definition_revision (team_id, place, revision_id)
SELECT email.team_id, 'transactional/' || email.slug, message.content_revision_id
  FROM transactional_email AS email JOIN email_message AS message ON message.id = email.published_message_id
 WHERE email.slug IS NOT NULL
 UNION
SELECT workflow.team_id, node.key, message.content_revision_id
  FROM workflow CROSS JOIN jsonb_each(workflow.nodes) AS node
  JOIN email_message AS message ON message.id = node.value ->> 'emailMessageId'
 WHERE workflow.slug IS NOT NULL;

-- A message is asked for by its id alone; its owner is found from there.
CREATE INDEX transactional_email_draft ON transactional_email (draft_message_id);
CREATE INDEX transactional_email_published ON transactional_email (published_message_id);
"""


def upgrade() -> None:
    """Add the table, and what files wrote so far."""
    run(CHANGES)
