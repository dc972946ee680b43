"""Webhooks: who is told of what, what there is to tell, and what came of each attempt."""

from loopwright.server.store.migrations.scripts import run

revision = "0121"
down_revision = "0120"

# The team's revision counts whether it has endpoints: what they ask for is looked at when something happens.
CHANGES = """
CREATE TABLE webhook_endpoint (
    id              text COLLATE "C" PRIMARY KEY,
    team_id         text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    url             text NOT NULL,
    description     text NOT NULL,
    events          text[] NOT NULL,
    sealed_secret   bytea NOT NULL,
    former_secret   bytea,                    -- sealed; signs beside the other until then
    former_until    timestamptz,
    disabled_at     timestamptz,
    disabled_reason text NOT NULL DEFAULT '',
    failing_since   timestamptz,              -- the first failure after the last success
    token           text,                     -- of the process that serves it
    leased_until    timestamptz,
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL
);
CREATE INDEX webhook_endpoint_list ON webhook_endpoint (team_id, id);
CREATE TRIGGER counted AFTER INSERT OR DELETE ON webhook_endpoint
    FOR EACH ROW EXECUTE FUNCTION count_revision();

CREATE TABLE webhook_delivery (
    endpoint_id text COLLATE "C" NOT NULL REFERENCES webhook_endpoint ON DELETE CASCADE,
    id          text COLLATE "C" NOT NULL,    -- the webhook-id, the same at every endpoint
    team_id     text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    sequence    bigint GENERATED ALWAYS AS IDENTITY,
    event_name  text NOT NULL,
    contact_id  text COLLATE "C",
    payload     jsonb NOT NULL,
    status      text NOT NULL CHECK (status IN ('queued', 'delivered', 'failed', 'missed')),
    attempts    smallint NOT NULL DEFAULT 0,  -- since it was last queued
    due_at      timestamptz,
    created_at  timestamptz NOT NULL,
    ended_at    timestamptz,
    PRIMARY KEY (endpoint_id, id),
    CHECK ((status = 'queued') = (due_at IS NOT NULL))
) WITH (fillfactor = 70);
CREATE INDEX webhook_delivery_due ON webhook_delivery (endpoint_id, due_at, sequence)
    WHERE due_at IS NOT NULL;
CREATE INDEX webhook_delivery_age ON webhook_delivery (created_at);
CREATE INDEX webhook_delivery_of_contact ON webhook_delivery (contact_id) WHERE contact_id IS NOT NULL;

CREATE TABLE webhook_attempt (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    endpoint_id  text COLLATE "C" NOT NULL,
    delivery_id  text COLLATE "C" NOT NULL,
    team_id      text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    attempted_at timestamptz NOT NULL,
    milliseconds integer NOT NULL,
    status_code  smallint,                    -- null when no answer came
    error        text NOT NULL,
    reply        text NOT NULL,
    FOREIGN KEY (endpoint_id, delivery_id) REFERENCES webhook_delivery ON DELETE CASCADE
);
CREATE INDEX webhook_attempt_of_delivery ON webhook_attempt (endpoint_id, delivery_id, id);
"""


def upgrade() -> None:
    """Add the tables."""
    run(CHANGES)
