"""The first schema: teams, contacts, events, workflows, email messages and emails.

Ids are text of 25 characters (see `loopwright.ids`); collation "C" sorts them by time.
Every table names its team, and every query does too.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0001"
down_revision = None

SCHEMA = """
CREATE TABLE team (
    id             text COLLATE "C" PRIMARY KEY,
    name           text NOT NULL,
    secret         bytea NOT NULL,           -- signs the links in emails
    sending_domain text NOT NULL,
    company        text NOT NULL DEFAULT '', -- shown in the footer of marketing email
    address        text NOT NULL DEFAULT '', -- postal address, same place
    double_opt_in  boolean NOT NULL DEFAULT false, -- contacts of forms confirm their address first
    opt_in_id      text COLLATE "C",         -- the transactional email that asks them to
    blocklist      text[] NOT NULL DEFAULT '{}', -- addresses kept out, '*' standing for anything
    created_at     timestamptz NOT NULL
);

CREATE TABLE api_key (
    id         text COLLATE "C" PRIMARY KEY,
    team_id    text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    name       text NOT NULL,
    key_hash   bytea NOT NULL UNIQUE,        -- SHA-256; the key itself is never stored
    created_at timestamptz NOT NULL
);

CREATE TABLE contact (
    id            text COLLATE "C" PRIMARY KEY,
    team_id       text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    email         text COLLATE "C" NOT NULL, -- trimmed and lower-cased
    user_id       text COLLATE "C",
    first_name    text,
    last_name     text,
    source        text NOT NULL,
    subscribed    boolean NOT NULL,
    user_group    text NOT NULL,
    opt_in_status text CHECK (opt_in_status IN ('accepted', 'pending', 'rejected')),
    notes         text,
    properties    jsonb NOT NULL,            -- custom property key -> value; dates as ISO 8601 text
    mailing_lists jsonb NOT NULL,            -- list id -> state, see store.contacts
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    -- Deferrable, so that a statement may pass an address from one contact to another.
    CONSTRAINT contact_email UNIQUE (team_id, email) DEFERRABLE,
    CONSTRAINT contact_user_id UNIQUE (team_id, user_id) DEFERRABLE
);
CREATE INDEX contact_newest ON contact (team_id, id DESC);

CREATE TABLE contact_property (
    team_id    text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    key        text COLLATE "C" NOT NULL,
    type       text NOT NULL CHECK (type IN ('string', 'number', 'boolean', 'date')),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (team_id, key)
);

CREATE TABLE mailing_list (
    id          text COLLATE "C" PRIMARY KEY,
    team_id     text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    slug        text,                         -- the name a definition file gives it
    name        text NOT NULL,
    description text,
    is_public   boolean NOT NULL,
    created_at  timestamptz NOT NULL,
    UNIQUE (team_id, slug)
);

CREATE TABLE form (
    id            text COLLATE "C" PRIMARY KEY,
    team_id       text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    name          text NOT NULL,
    mailing_lists text[] NOT NULL,           -- list ids it may be used for; empty for every public list
    created_at    timestamptz NOT NULL
);
CREATE INDEX form_of_team ON form (team_id, id);

CREATE TABLE event_pattern (
    id         text COLLATE "C" PRIMARY KEY,
    team_id    text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    name       text COLLATE "C" NOT NULL,
    properties jsonb NOT NULL,                -- property name -> type
    platform   text,
    created_at timestamptz NOT NULL,
    UNIQUE (team_id, name)
);

CREATE TABLE event (
    id          text COLLATE "C" NOT NULL,
    team_id     text COLLATE "C" NOT NULL,
    contact_id  text COLLATE "C" NOT NULL,
    name        text COLLATE "C" NOT NULL,
    properties  jsonb NOT NULL,
    received_at timestamptz NOT NULL
) PARTITION BY RANGE (received_at);
CREATE TABLE event_default PARTITION OF event DEFAULT;
CREATE INDEX event_newest ON event (team_id, id DESC);
CREATE INDEX event_of_contact ON event (contact_id, id DESC);

CREATE TABLE idempotency_key (
    team_id    text COLLATE "C" NOT NULL,
    endpoint   text COLLATE "C" NOT NULL,
    key        text COLLATE "C" NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (team_id, endpoint, key)
);
CREATE INDEX idempotency_key_age ON idempotency_key (created_at);

CREATE TABLE suppression (
    team_id    text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    email      text COLLATE "C" NOT NULL,
    reason     text NOT NULL CHECK (reason IN ('hard_bounce', 'complaint')),
    created_at timestamptz NOT NULL,
    PRIMARY KEY (team_id, email)
);

CREATE TABLE suppression_removal (
    team_id    text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    email      text NOT NULL,
    removed_at timestamptz NOT NULL
);
CREATE INDEX suppression_removal_age ON suppression_removal (team_id, removed_at);

CREATE TABLE email_message (
    id                  text COLLATE "C" PRIMARY KEY,
    team_id             text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    content_revision_id text COLLATE "C" NOT NULL,
    subject             text NOT NULL,
    preview_text        text NOT NULL,
    from_name           text NOT NULL,
    from_email          text NOT NULL,         -- the part before the @
    reply_to_email      text NOT NULL,
    cc_email            text NOT NULL DEFAULT '',
    bcc_email           text NOT NULL DEFAULT '',
    language_code       text NOT NULL DEFAULT '',
    email_format        text NOT NULL CHECK (email_format IN ('styled', 'plain')),
    lmx                 text NOT NULL,
    contact_fallbacks   jsonb NOT NULL,        -- variable name -> fallback text
    event_fallbacks     jsonb NOT NULL,
    data_fallbacks      jsonb NOT NULL,
    updated_at          timestamptz NOT NULL
);

CREATE TABLE transactional_email (
    id                   text COLLATE "C" PRIMARY KEY,
    team_id              text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    slug                 text,
    name                 text NOT NULL,
    draft_message_id     text COLLATE "C" REFERENCES email_message,
    published_message_id text COLLATE "C" REFERENCES email_message,
    data_variables       text[] NOT NULL,      -- used by the published message
    required_variables   text[] NOT NULL,      -- those of them without a fallback
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    UNIQUE (team_id, slug)
);

CREATE TABLE workflow (
    id              text COLLATE "C" PRIMARY KEY,
    team_id         text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    slug            text,
    revision_id     text COLLATE "C" NOT NULL,
    status          text NOT NULL CHECK (status IN ('Draft', 'Sending', 'Paused', 'PausedAndQueueing')),
    name            text NOT NULL,
    description     text NOT NULL,
    mailing_list_id text COLLATE "C" REFERENCES mailing_list,
    root_node_id    text COLLATE "C" NOT NULL,
    nodes           jsonb NOT NULL,            -- node id -> node, as `workflow.graph` reads it
    removed_nodes   jsonb NOT NULL DEFAULT '{}', -- node that is gone -> where the runs at it go on
    trigger_type    text NOT NULL,             -- of the root node, kept apart to be found by ingest
    trigger_event   text COLLATE "C",
    created_at      timestamptz NOT NULL,
    updated_at      timestamptz NOT NULL,
    UNIQUE (team_id, slug)
);
CREATE INDEX workflow_trigger ON workflow (team_id, trigger_type, trigger_event) WHERE status = 'Sending';

CREATE TABLE run (
    id               text COLLATE "C" PRIMARY KEY,
    team_id          text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    workflow_id      text COLLATE "C" NOT NULL REFERENCES workflow ON DELETE CASCADE,
    contact_id       text COLLATE "C" NOT NULL,
    event_id         text COLLATE "C",
    event_name       text,
    event_properties jsonb NOT NULL,
    once             boolean NOT NULL,         -- the trigger lets a contact enter once in a lifetime
    status           text NOT NULL CHECK (status IN ('active', 'finished', 'removed')),
    reason           text NOT NULL DEFAULT '', -- why it was removed
    node_id          text COLLATE "C" NOT NULL,
    held             boolean NOT NULL DEFAULT false, -- its job came while the workflow was paused
    entered_at       timestamptz NOT NULL,     -- when it arrived at that node
    created_at       timestamptz NOT NULL,
    updated_at       timestamptz NOT NULL
);
CREATE UNIQUE INDEX run_once ON run (workflow_id, contact_id) WHERE once;
CREATE INDEX run_held ON run (workflow_id) WHERE held;
CREATE INDEX run_waiting ON run (workflow_id, node_id) WHERE status = 'active';
CREATE INDEX run_of_contact ON run (contact_id, id DESC);
CREATE INDEX run_of_event ON run (event_id) WHERE event_id IS NOT NULL;

CREATE TABLE email (
    id               text COLLATE "C" PRIMARY KEY,
    team_id          text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    cause            text NOT NULL,            -- run and node, or the transactional request: one email each
    kind             text NOT NULL CHECK (kind IN ('marketing', 'transactional')),
    message_id       text COLLATE "C" NOT NULL REFERENCES email_message,
    contact_id       text COLLATE "C",
    to_email         text NOT NULL,
    workflow_id      text COLLATE "C",
    run_id           text COLLATE "C",
    mailing_list_id  text COLLATE "C",
    transactional_id text COLLATE "C",
    event_properties jsonb NOT NULL,
    data_variables   jsonb NOT NULL,
    attachments      jsonb NOT NULL,           -- [{filename, contentType, data}], data in base64
    status           text NOT NULL CHECK (status IN ('queued', 'sent', 'skipped', 'failed')),
    reason           text NOT NULL DEFAULT '', -- why it was skipped or failed, or what the last attempt met
    attempts         integer NOT NULL DEFAULT 0,
    subject          text NOT NULL DEFAULT '', -- as sent
    mime_id          text NOT NULL,            -- its Message-ID, the same for every attempt
    created_at       timestamptz NOT NULL,
    sent_at          timestamptz,
    UNIQUE (team_id, cause)
);
CREATE INDEX email_newest ON email (team_id, id DESC);
CREATE INDEX email_of_contact ON email (contact_id, id DESC);
CREATE INDEX email_of_mime_id ON email (mime_id);

CREATE TABLE inbox_message (
    id          text COLLATE "C" PRIMARY KEY,
    team_id     text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    email_id    text COLLATE "C",              -- the email it is a copy of, when it is one of ours
    from_email  text NOT NULL,
    to_email    text NOT NULL,
    subject     text NOT NULL,
    raw         bytea NOT NULL,
    received_at timestamptz NOT NULL
);
CREATE INDEX inbox_message_newest ON inbox_message (team_id, id DESC);
CREATE INDEX inbox_message_of_email ON inbox_message (email_id) WHERE email_id IS NOT NULL;
"""


def upgrade() -> None:
    """Create every table of the first release."""
    run(SCHEMA)
