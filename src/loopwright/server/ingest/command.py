"""Commands: every wish to change a contact, as one value each, checked as far as a look at itself goes."""

from typing import TypeAlias

from msgspec import Struct

from loopwright.server.store.emails import Value
from loopwright.server.store.events import UsedKey
from loopwright.server.store.feedback import FeedbackFact
from loopwright.wire.transactional import Attachment


class Identity(Struct, frozen=True):
    """Whom a command speaks of. `email` is trimmed and lower-cased; at least one of the two is given."""

    email: str | None
    user_id: str | None


class ContactInput(Struct, frozen=True, kw_only=True):
    """What a command says about a contact.

    `fields` are attributes of a contact row with their new values, `custom` other top-level keys as they came
    (None clears; which of them are declared is known later), `lists` list id -> member or not.
    """

    fields: dict[str, str | bool | None] = {}
    custom: dict[str, object] = {}
    lists: dict[str, bool] = {}


NOTHING = ContactInput()


class CreateContact(Struct, frozen=True, kw_only=True):
    """Add a contact that is not there yet. `starts_workflows`: those that begin with a new contact do."""

    team_id: str
    identity: Identity
    input: ContactInput = NOTHING
    starts_workflows: bool = True


class UpdateContact(Struct, frozen=True, kw_only=True):
    """Change a contact, or add it. `starts_workflows` as above."""

    team_id: str
    identity: Identity
    input: ContactInput = NOTHING
    starts_workflows: bool = True


class ImportContact(Struct, frozen=True, kw_only=True):
    """Add a contact, or change the one that is there, by the rules of an import; see `fold`."""

    team_id: str
    identity: Identity
    input: ContactInput = NOTHING
    starts_workflows: bool = True


class DeleteContact(Struct, frozen=True, kw_only=True):
    """Remove a contact; the identity has exactly one identifier."""

    team_id: str
    identity: Identity


class SendEvent(Struct, frozen=True, kw_only=True):
    """Record an event for a contact, which is added or changed on the way."""

    team_id: str
    identity: Identity
    name: str
    properties: dict[str, object] = {}
    input: ContactInput = NOTHING
    key: UsedKey | None = None


class SendTransactional(Struct, frozen=True, kw_only=True):
    """Send a transactional email to an address, whether or not a contact has it."""

    team_id: str
    email: str
    transactional_id: str
    data_variables: dict[str, Value] = {}
    attachments: list[Attachment] = []
    add_to_audience: bool = False
    key: UsedKey | None = None


class OptIn(Struct, frozen=True, kw_only=True):
    """How a form's contacts are asked to confirm: by which email, and what signs the link in it."""

    transactional_id: str
    message_id: str
    revision_id: str
    public_url: str
    secret: bytes


class SubmitForm(Struct, frozen=True, kw_only=True):
    """Somebody filled a form in, with their own address or another's. `opt_in` is set where that matters."""

    team_id: str
    identity: Identity
    input: ContactInput = NOTHING
    opt_in: OptIn | None = None


class AnswerOptIn(Struct, frozen=True, kw_only=True):
    """A contact's own answer to the question whether they want a team's email."""

    team_id: str
    contact_id: str
    accepted: bool


class SetPreferences(Struct, frozen=True, kw_only=True):
    """What a contact itself wants to get: marketing email at all, and by list id, that of a list.

    None and lists that are not named stay as they are. `email_id` is that of the email whose link was used.
    """

    team_id: str
    contact_id: str
    email_id: str | None = None
    subscribed: bool | None = None
    lists: dict[str, bool] = {}


class ReportEmail(Struct, frozen=True, kw_only=True):
    """What a mail server or a provider has told of an email that went to `address`, and to that contact.

    `reply` are its words, `code` is what classes them.
    """

    team_id: str
    email_id: str
    contact_id: str | None
    address: str
    fact: FeedbackFact
    reply: str = ""
    code: str = ""


class LiftSuppression(Struct, frozen=True, kw_only=True):
    """An address was suppressed as it bounced, which was a mistake: it gets email again, outside the quota.

    `contact_id` is that of a contact to be subscribed again, which the mistake had unsubscribed.
    """

    team_id: str
    address: str
    contact_id: str | None = None


Command: TypeAlias = (
    CreateContact
    | UpdateContact
    | ImportContact
    | DeleteContact
    | SendEvent
    | SendTransactional
    | SubmitForm
    | AnswerOptIn
    | SetPreferences
    | ReportEmail
    | LiftSuppression
)
