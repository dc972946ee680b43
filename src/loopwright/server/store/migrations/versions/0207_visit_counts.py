"""Hits counted by link and hour, so that what became of two million emails is read from a few hundred rows.

A link is that of a revision: another edit may have another in its place. Several rows for each, as counters
of emails have, so that processes seldom wait for each other.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0207"
down_revision = "0206"

CHANGES = """
CREATE TABLE visit_count (
    team_id     text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    owner_id    text COLLATE "C" NOT NULL, -- the email message
    revision_id text COLLATE "C" NOT NULL,
    link        smallint NOT NULL,
    hour        timestamptz NOT NULL,
    part        smallint NOT NULL,
    human       integer NOT NULL,
    machine     integer NOT NULL,
    unsure      integer NOT NULL,
    PRIMARY KEY (team_id, owner_id, revision_id, link, hour, part)
) WITH (fillfactor = 50);

-- What was kept of hits before.
INSERT INTO visit_count
SELECT hit.team_id, owner.id, owner.revision_id, hit.link, date_trunc('hour', hit.happened_at, 'UTC'), 0,
       count(*) FILTER (WHERE verdict = 'human'), count(*) FILTER (WHERE verdict = 'machine'),
       count(*) FILTER (WHERE verdict = 'unsure')
  FROM email_hit AS hit
  LEFT JOIN email ON email.team_id = hit.team_id AND email.id = hit.email_id
  LEFT JOIN email_link AS link ON link.team_id = hit.team_id AND link.email_id = hit.email_id
 CROSS JOIN LATERAL (SELECT coalesce(email.message_id, link.owner_id) AS id,
                            coalesce(email.revision_id, link.revision_id) AS revision_id) AS owner
 WHERE owner.id IS NOT NULL AND owner.revision_id IS NOT NULL
 GROUP BY 1, 2, 3, 4, 5;
"""


def upgrade() -> None:
    """Add the table, and count what there is."""
    run(CHANGES)
