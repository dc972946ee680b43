"""Runs carry the time of their next step: due runs are taken by the batch, without a job for each.

A process of the release before starts runs by jobs, and takes them by jobs: the default has a new worker take
them too, and a run that has ended is due no more, whoever ended it. Both go in a later release.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0012"
down_revision = "0011"

CHANGES = """
ALTER TABLE run ADD COLUMN due_at timestamptz,       -- by the server's clock; none while held or over
                ADD COLUMN failures smallint NOT NULL DEFAULT 0; -- of this step, in a row
ALTER TABLE run ALTER COLUMN due_at SET DEFAULT now();

UPDATE run SET due_at = now() WHERE status = 'active' AND NOT held;
-- Until now only its job knew how long a run sleeps. A step that comes too early goes back to sleep.
DO $$ BEGIN
    IF to_regclass('pgqueuer') IS NOT NULL THEN
        UPDATE run SET due_at = job.due_at
          FROM (
                   SELECT payload ->> 'run_id' AS run_id, payload ->> 'node_id' AS node_id,
                          min(execute_after) AS due_at
                     FROM (SELECT convert_from(payload, 'UTF8')::jsonb AS payload, execute_after
                             FROM pgqueuer WHERE entrypoint = 'run_step' AND status = 'queued') AS jobs
                    GROUP BY 1, 2
               ) AS job
         WHERE run.id = job.run_id AND run.node_id = job.node_id AND run.due_at IS NOT NULL;
        DELETE FROM pgqueuer WHERE entrypoint = 'run_step' AND status <> 'picked';
    END IF;
END $$;
CREATE INDEX run_due ON run (due_at, id) WHERE due_at IS NOT NULL;

CREATE FUNCTION end_due() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.due_at = NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER ended BEFORE UPDATE OF status ON run
   FOR EACH ROW WHEN (NEW.status <> 'active' AND NEW.due_at IS NOT NULL) EXECUTE FUNCTION end_due();

CREATE FUNCTION tell_of_runs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('loopwright_run', '');
    RETURN NULL;
END $$;
CREATE TRIGGER started AFTER INSERT ON run FOR EACH STATEMENT EXECUTE FUNCTION tell_of_runs();
"""


def upgrade() -> None:
    """Write down when each run is due, and spend the jobs that said so."""
    run(CHANGES)
