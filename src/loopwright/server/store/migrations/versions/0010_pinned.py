"""Content that is pinned: revisions are written once, and an email names the one it is rendered from.

A process of the release before writes content into `email_message` and emails without a revision; triggers
make of both what this release writes. They, and the content in `email_message`, which only it reads, go in a
later release.
"""

from loopwright.server.store.migrations.scripts import run

revision = "0010"
down_revision = "0006"

CHANGES = """
CREATE TABLE email_revision (
    id                text COLLATE "C" PRIMARY KEY, -- the API's contentRevisionId
    team_id           text COLLATE "C" NOT NULL REFERENCES team ON DELETE CASCADE,
    message_id        text COLLATE "C" NOT NULL
                          REFERENCES email_message ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
    subject           text NOT NULL,
    preview_text      text NOT NULL,
    from_name         text NOT NULL,
    from_email        text NOT NULL,         -- the part before the @
    reply_to_email    text NOT NULL,
    cc_email          text NOT NULL,
    bcc_email         text NOT NULL,
    language_code     text NOT NULL,
    email_format      text NOT NULL CHECK (email_format IN ('styled', 'plain')),
    lmx               text NOT NULL,
    contact_fallbacks jsonb NOT NULL,        -- variable name -> fallback text
    event_fallbacks   jsonb NOT NULL,
    data_fallbacks    jsonb NOT NULL,
    created_at        timestamptz NOT NULL
);
CREATE INDEX email_revision_of_message ON email_revision (message_id, id);

INSERT INTO email_revision
SELECT content_revision_id, team_id, id, subject, preview_text, from_name, from_email, reply_to_email,
       cc_email, bcc_email, language_code, email_format, lmx, contact_fallbacks, event_fallbacks,
       data_fallbacks, updated_at
  FROM email_message;

CREATE FUNCTION keep_content_in_step() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    known email_revision;
BEGIN
    SELECT * INTO known FROM email_revision WHERE id = NEW.content_revision_id;
    IF FOUND THEN
        NEW.subject = known.subject;
        NEW.preview_text = known.preview_text;
        NEW.from_name = known.from_name;
        NEW.from_email = known.from_email;
        NEW.reply_to_email = known.reply_to_email;
        NEW.cc_email = known.cc_email;
        NEW.bcc_email = known.bcc_email;
        NEW.language_code = known.language_code;
        NEW.email_format = known.email_format;
        NEW.lmx = known.lmx;
        NEW.contact_fallbacks = known.contact_fallbacks;
        NEW.event_fallbacks = known.event_fallbacks;
        NEW.data_fallbacks = known.data_fallbacks;
    ELSE
        INSERT INTO email_revision VALUES (
            NEW.content_revision_id, NEW.team_id, NEW.id, NEW.subject, NEW.preview_text, NEW.from_name,
            NEW.from_email, NEW.reply_to_email, NEW.cc_email, NEW.bcc_email, NEW.language_code,
            NEW.email_format, NEW.lmx, NEW.contact_fallbacks, NEW.event_fallbacks, NEW.data_fallbacks,
            NEW.updated_at
        );
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER in_step BEFORE INSERT OR UPDATE ON email_message
   FOR EACH ROW EXECUTE FUNCTION keep_content_in_step();

ALTER TABLE email ADD COLUMN revision_id text COLLATE "C" REFERENCES email_revision;
UPDATE email SET revision_id = content_revision_id FROM email_message AS message
 WHERE message.id = email.message_id AND email.status = 'queued';
-- Of those that have left, nobody knows any more which revision it was. A revision names its message.
ALTER TABLE email ADD CONSTRAINT email_pinned CHECK (status <> 'queued' OR revision_id IS NOT NULL),
    DROP CONSTRAINT email_message_id_fkey;

CREATE FUNCTION pin_revision() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    NEW.revision_id = (SELECT content_revision_id FROM email_message WHERE id = NEW.message_id);
    RETURN NEW;
END $$;
CREATE TRIGGER pinned BEFORE INSERT ON email
   FOR EACH ROW WHEN (NEW.revision_id IS NULL) EXECUTE FUNCTION pin_revision();
"""


def upgrade() -> None:
    """Make a revision of what each message says, and pin the emails that wait to it."""
    run(CHANGES)
