"""What lets a batch be committed by one statement, without locks held while it is made.

`team.revision` counts the changes of what a team has declared: whoever remembers that knows by it whether it
still holds. The types are the shapes in which a batch is handed over.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0002"
down_revision = "0001"

CHANGES = """
ALTER TABLE team ADD COLUMN revision bigint NOT NULL DEFAULT 0;

CREATE FUNCTION count_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE team SET revision = revision + 1 WHERE id IN (NEW.team_id, OLD.team_id);
    RETURN NULL;
END $$;

CREATE TRIGGER counted AFTER INSERT OR UPDATE OR DELETE ON contact_property
   FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER counted AFTER INSERT OR UPDATE OR DELETE ON mailing_list
   FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER counted AFTER INSERT OR UPDATE OR DELETE ON event_pattern
   FOR EACH ROW EXECUTE FUNCTION count_revision();
CREATE TRIGGER counted AFTER INSERT OR UPDATE OR DELETE ON workflow
   FOR EACH ROW EXECUTE FUNCTION count_revision();

CREATE FUNCTION insist(holds boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT holds THEN
        RAISE 'another process was first' USING ERRCODE = 'serialization_failure';
    END IF;
END $$;

CREATE TYPE contact_state AS (
    id            text COLLATE "C",
    version       xid,                       -- xmin of the row it was made from
    team_id       text COLLATE "C",
    email         text COLLATE "C",
    user_id       text COLLATE "C",
    first_name    text,
    last_name     text,
    source        text,
    subscribed    boolean,
    user_group    text,
    opt_in_status text,
    notes         text,
    properties    jsonb,
    mailing_lists jsonb
);

CREATE TYPE event_record AS (
    id         text COLLATE "C",
    team_id    text COLLATE "C",
    contact_id text COLLATE "C",
    name       text COLLATE "C",
    properties jsonb
);

-- Room on each page for the next version of its rows, which then needs no new entry in any index.
ALTER TABLE contact SET (fillfactor = 80);
"""


def upgrade() -> None:
    """Add the count, the check, the types and the room."""
    run(CHANGES)
