"""What a batch of commands comes to: the heart of ingest, and pure.

Commands are taken one after the other. Each sees what those before it have done, changes the state or is
refused, and a refused one leaves nothing behind. So the outcome is that of one command at a time, whatever
the batches were.

    Loaded + [command, ...]  ->  Folded: an outcome for each command, and the changes to save
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias, assert_never, cast

from msgspec import Struct
from msgspec.structs import replace

from loopwright.ids import new_id
from loopwright.server.mail.links import opt_in_url
from loopwright.server.refusal import BadRequest, Conflict, NotFound, Refusal
from loopwright.server.store.contacts import ContactRow, Membership
from loopwright.server.store.emails import NewEmail
from loopwright.server.store.events import EventRow, PatternRow, UsedKey
from loopwright.server.store.transactional import TransactionalRow
from loopwright.server.workflow.entry import Fact
from loopwright.wire import failures, limits
from loopwright.wire.contacts import IMPORT_SOURCE, ContactDeleted, ContactSaved
from loopwright.wire.events import EventAccepted
from loopwright.wire.transactional import TransactionalAccepted
from loopwright.wire.values import PropertyType, Value, coerce

from .asking import is_asked, question
from .blocklist import is_blocked
from .command import (
    NOTHING,
    AnswerOptIn,
    Command,
    ContactInput,
    CreateContact,
    DeleteContact,
    Identity,
    ImportContact,
    OptIn,
    SendEvent,
    SendTransactional,
    SetPreferences,
    SubmitForm,
    UpdateContact,
)
from .pattern import type_values

CommandResult: TypeAlias = ContactSaved | ContactDeleted | EventAccepted | TransactionalAccepted | None

SOURCE = "API"
FORM_SOURCE = "Form"
OPT_IN_VARIABLE = "optInUrl"


class Loaded(Struct, kw_only=True):
    """What the commands of a batch speak of, as the database has it. The maps are keyed by team first.

    `asked` holds when addresses were asked to confirm, by the causes of these emails.
    """

    contacts: Sequence[ContactRow] = ()
    properties: Mapping[str, Mapping[str, PropertyType]] = {}
    lists: Mapping[str, Collection[str]] = {}
    patterns: Sequence[PatternRow] = ()
    blocklists: Mapping[str, Collection[str]] = {}
    transactionals: Sequence[TransactionalRow] = ()
    keys: Iterable[UsedKey] = ()
    asked: Mapping[str, Mapping[str, datetime]] = {}


class Folded(Struct, kw_only=True):
    """Outcomes in the commands' order, and the changes in the order they are to be saved.

    `identities_changed`: some contact has come or gone, or has another address or user id. `unconfirmed` are
    events of contacts who have not confirmed their address, and so happened to nobody. `forgotten` holds the
    contacts that a command deleted, those too that had only just come.
    """

    outcomes: list[CommandResult | Refusal] = []
    identities_changed: bool = False
    deleted: list[ContactRow] = []
    forgotten: list[ContactRow] = []
    updated: list[ContactRow] = []
    inserted: list[ContactRow] = []
    events: list[EventRow] = []
    patterns: list[PatternRow] = []
    keys: list[UsedKey] = []
    facts: list[Fact] = []
    unconfirmed: list[Fact] = []
    emails: list[NewEmail] = []


def fold(loaded: Loaded, commands: Sequence[Command], *, now: datetime) -> Folded:
    """Apply `commands` in their order. Total: a command that cannot be is a `Refusal` among the outcomes."""
    batch = _Batch(loaded, now)
    for command in commands:
        try:
            batch.folded.outcomes.append(batch.apply(command))
        except Refusal as refusal:
            batch.folded.outcomes.append(refusal)
    return batch.close()


class _Batch:
    """The state while it is folded. Every method that changes it has checked all there is to check first."""

    def __init__(self, loaded: Loaded, now: datetime) -> None:
        self.folded = Folded()
        self._now = now
        self._properties = loaded.properties
        self._lists = loaded.lists
        self._blocklists = loaded.blocklists
        self._before = {contact.id: contact for contact in loaded.contacts}
        self._contacts = dict(self._before)
        self._by_email = {(c.team_id, c.email): c.id for c in loaded.contacts}
        self._by_user_id = {(c.team_id, c.user_id): c.id for c in loaded.contacts if c.user_id}
        self._patterns = {(p.team_id, p.name): p for p in loaded.patterns}
        self._changed_patterns: dict[tuple[str, str], PatternRow] = {}
        self._transactionals = {(t.team_id, t.id): t for t in loaded.transactionals}
        self._keys = set(loaded.keys)
        self._asked = {team_id: dict(asked) for team_id, asked in loaded.asked.items()}

    def apply(self, command: Command) -> CommandResult:
        match command:
            case SendEvent():
                return self._send_event(command)
            case UpdateContact():
                return self._update(command)
            case ImportContact():
                return self._import(command)
            case CreateContact():
                return self._create(command)
            case DeleteContact():
                return self._delete(command)
            case SendTransactional():
                return self._send_transactional(command)
            case SubmitForm():
                return self._submit_form(command)
            case AnswerOptIn():
                self._answer_opt_in(command)
                return None
            case SetPreferences():
                self._set_preferences(command)
                return None
            case _:
                assert_never(command)

    def close(self) -> Folded:
        """Compare the contacts with what they were."""
        folded = self.folded
        for contact_id, contact in self._contacts.items():
            before = self._before.get(contact_id)
            if before is None:
                folded.inserted.append(contact)
            elif before is not contact:
                folded.updated.append(contact)
                if (before.email, before.user_id) != (contact.email, contact.user_id):
                    folded.identities_changed = True
        folded.deleted = [c for c in self._before.values() if c.id not in self._contacts]
        if folded.inserted or folded.deleted:
            folded.identities_changed = True
        folded.patterns = list(self._changed_patterns.values())
        return folded

    def _create(self, command: CreateContact) -> ContactSaved:
        if self._find_by_email(command.team_id, command.identity.email) or self._find_by_user_id(
            command.team_id, command.identity.user_id
        ):
            raise Conflict(failures.CONTACT_EXISTS, code="contact_exists")
        contact = self._changed(self._new_contact(command.team_id, command.identity), command.input)
        self._put(contact)
        if command.starts_workflows:
            self._added(contact)
        return ContactSaved(success=True, id=contact.id)

    def _update(self, command: UpdateContact) -> ContactSaved:
        before = self._resolve(command.team_id, command.identity, missing=_cannot_create)
        contact = self._changed(before or self._new_contact(command.team_id, command.identity), command.input)
        contact = self._identified(contact, command.identity)
        self._put(contact)
        if before is None and command.starts_workflows:
            self._added(contact)
        return ContactSaved(success=True, id=contact.id)

    def _import(self, command: ImportContact) -> ContactSaved:
        """By user id, then by address; rows change no address, subscribe nobody again, and have a source."""
        team_id, identity = command.team_id, command.identity
        before = self._find_by_user_id(team_id, identity.user_id)
        if before and identity.email and identity.email != before.email:
            raise BadRequest(
                "the contact with this user id has another email address; rows cannot change it",
                code="contacts_differ",
            )
        before = before or self._find_by_email(team_id, identity.email)
        if before is None and identity.email is None:
            raise BadRequest(
                "no contact has this user id, and without an email none can be created",
                code="contact_not_found",
            )
        contact = before or replace(self._new_contact(team_id, identity), source=IMPORT_SOURCE)
        fields = {name: value for name, value in command.input.fields.items() if value is not True}
        contact = self._changed(contact, replace(command.input, fields=fields))
        contact = self._identified(contact, identity)
        self._put(contact)
        if before is None and command.starts_workflows:
            self._added(contact)
        return ContactSaved(success=True, id=contact.id)

    def _delete(self, command: DeleteContact) -> ContactDeleted:
        contact = self._find_by_email(command.team_id, command.identity.email) or self._find_by_user_id(
            command.team_id, command.identity.user_id
        )
        if contact is None:
            raise _unknown_contact()
        self._forget(contact)
        del self._contacts[contact.id]
        self.folded.forgotten.append(contact)
        return ContactDeleted(success=True, message=failures.CONTACT_DELETED)

    def _send_event(self, command: SendEvent) -> EventAccepted:
        self._check_key(command.key)
        team_id = command.team_id
        before = self._resolve(team_id, command.identity, missing=_unknown_to_event)
        contact = self._changed(before or self._new_contact(team_id, command.identity), command.input)
        contact = self._identified(contact, command.identity)
        properties = self._typed(team_id, command.name, command.properties)
        self._put(contact)
        if before is None:
            self._added(contact)
        event = EventRow(
            id=new_id(self._now),
            team_id=team_id,
            contact_id=contact.id,
            name=command.name,
            properties=properties,
        )
        self.folded.events.append(event)
        self._use_key(command.key)
        received = _received(contact, event)
        (self.folded.unconfirmed if _is_unconfirmed(contact) else self.folded.facts).append(received)
        return EventAccepted(success=True)

    def _send_transactional(self, command: SendTransactional) -> TransactionalAccepted:
        self._check_key(command.key)
        transactional = self._transactionals.get((command.team_id, command.transactional_id))
        if transactional is None:
            raise NotFound(
                failures.TRANSACTIONAL_NOT_FOUND, code="transactional_not_found", path="transactionalId"
            )
        if transactional.published_message_id is None:
            raise BadRequest(
                "This transactional email is not published yet; publish it, then send again.",
                code="transactional_not_published",
            )
        missing = [name for name in transactional.required_variables if name not in command.data_variables]
        if missing:
            raise BadRequest(
                failures.MISSING_DATA_VARIABLES.format(names=", ".join(missing)), code="variables_missing"
            )
        contact = self._find_by_email(command.team_id, command.email)
        if contact is None and command.add_to_audience:
            contact = self._new_contact(command.team_id, Identity(command.email, None))
            self._put(contact)
            self._added(contact)
        self.folded.emails.append(
            NewEmail(
                team_id=command.team_id,
                cause=f"transactional:{new_id(self._now)}",
                kind="transactional",
                message_id=transactional.published_message_id,
                revision_id=transactional.published_revision_id,
                contact_id=contact.id if contact else None,
                to_email=command.email,
                transactional_id=transactional.id,
                data_variables=command.data_variables,
                attachments=command.attachments,
            )
        )
        self._use_key(command.key)
        return TransactionalAccepted(success=True)

    def _submit_form(self, command: SubmitForm) -> ContactSaved:
        before = self._find_by_email(command.team_id, command.identity.email)
        if before is not None:
            return self._submit_again(before, command)
        contact = self._new_contact(command.team_id, command.identity)
        status = "pending" if command.opt_in else None
        contact = replace(contact, source=FORM_SOURCE, opt_in_status=status)
        contact = self._changed(contact, command.input)
        self._put(contact)
        if command.opt_in:
            self._ask_to_confirm(contact, command.opt_in)
        else:
            self._added(contact)
        return ContactSaved(success=True, id=contact.id)

    def _submit_again(self, before: ContactRow, command: SubmitForm) -> ContactSaved:
        """A form changes little of a contact that is there: anybody can fill it in with the address."""
        fields = {name: value for name, value in command.input.fields.items() if name == "user_group"}
        contact = self._changed(before, ContactInput(fields=fields, lists=command.input.lists))
        # Whoever said no is left alone: whether to think again is up to them and the link they have.
        if command.opt_in and before.opt_in_status == "pending":
            self._ask_to_confirm(contact, command.opt_in)
        self._put(contact)
        return ContactSaved(success=True, id=contact.id)

    def _ask_to_confirm(self, contact: ContactRow, opt_in: OptIn) -> None:
        asked = self._asked.setdefault(contact.team_id, {})
        if is_asked(asked, contact.email, opt_in.secret, self._now):
            return
        cause = question(contact.email, opt_in.secret, self._now)
        asked[cause] = self._now
        link = opt_in_url(opt_in.public_url, opt_in.secret, team_id=contact.team_id, contact_id=contact.id)
        self.folded.emails.append(
            NewEmail(
                team_id=contact.team_id,
                cause=cause,
                kind="transactional",
                message_id=opt_in.message_id,
                revision_id=opt_in.revision_id,
                contact_id=contact.id,
                to_email=contact.email,
                transactional_id=opt_in.transactional_id,
                data_variables={OPT_IN_VARIABLE: link},
            )
        )

    def _answer_opt_in(self, command: AnswerOptIn) -> None:
        contact = self._by_link(command)
        if not _is_unconfirmed(contact):
            return  # whoever confirmed before leaves by the link in any email
        if not command.accepted:
            self._put(replace(contact, opt_in_status="rejected", subscribed=False))
            return
        lists: dict[str, Membership] = {
            list_id: "subscribed" if state == "pending" else state
            for list_id, state in contact.mailing_lists.items()
        }
        contact = replace(contact, opt_in_status="accepted", subscribed=True, mailing_lists=lists)
        self._put(contact)
        self._added(contact)

    def _set_preferences(self, command: SetPreferences) -> None:
        contact = self._by_link(command)
        known = self._lists.get(command.team_id, ())
        wanted: dict[str, Membership] = {
            list_id: _joined(contact) if member else "opted_out"
            for list_id, member in command.lists.items()
            if list_id in known  # a list may be gone since the page was opened
        }
        subscribed = contact.subscribed if command.subscribed is None else command.subscribed
        if subscribed and _is_unconfirmed(contact):
            subscribed = contact.subscribed  # only the link of double opt-in confirms
        self._put(replace(contact, subscribed=subscribed, mailing_lists={**contact.mailing_lists, **wanted}))

    def _by_link(self, command: AnswerOptIn | SetPreferences) -> ContactRow:
        """The contact whose link was followed."""
        contact = self._contacts.get(command.contact_id)
        if contact is None or contact.team_id != command.team_id:
            raise _unknown_contact()
        return contact

    def _resolve(
        self, team_id: str, identity: Identity, *, missing: Callable[[], Refusal]
    ) -> ContactRow | None:
        """The contact an update or event speaks of; None when it is to be created."""
        by_email = self._find_by_email(team_id, identity.email)
        by_user_id = self._find_by_user_id(team_id, identity.user_id)
        if by_email and by_user_id and by_email.id != by_user_id.id:
            raise BadRequest(failures.CONTACTS_DIFFER, code="contacts_differ")
        contact = by_email or by_user_id
        if contact is None and identity.email is None:
            raise missing()
        return contact

    def _identified(self, contact: ContactRow, identity: Identity) -> ContactRow:
        """The contact with the identifiers a command gave: of two, one found it and the other is set."""
        email = identity.email or contact.email
        user_id = identity.user_id or contact.user_id
        if (email, user_id) == (contact.email, contact.user_id):
            return contact
        if email != contact.email:
            self._check_address(contact.team_id, email)
        return replace(contact, email=email, user_id=user_id)

    def _find_by_email(self, team_id: str, email: str | None) -> ContactRow | None:
        contact_id = self._by_email.get((team_id, email)) if email else None
        return self._contacts[contact_id] if contact_id else None

    def _find_by_user_id(self, team_id: str, user_id: str | None) -> ContactRow | None:
        contact_id = self._by_user_id.get((team_id, user_id)) if user_id else None
        return self._contacts[contact_id] if contact_id else None

    def _new_contact(self, team_id: str, identity: Identity) -> ContactRow:
        assert identity.email is not None
        self._check_address(team_id, identity.email)
        return ContactRow(
            id=new_id(self._now),
            team_id=team_id,
            email=identity.email,
            user_id=identity.user_id,
            first_name=None,
            last_name=None,
            source=SOURCE,
            subscribed=True,
            user_group="",
            opt_in_status=None,
            notes=None,
            properties={},
            mailing_lists={},
            created_at=self._now,
        )

    def _check_address(self, team_id: str, email: str) -> None:
        if is_blocked(email, self._blocklists.get(team_id, ())):
            raise BadRequest(
                "This email address is on the team's blocklist, so no contact can have it.",
                code="email_blocked",
            )

    def _changed(self, contact: ContactRow, said: ContactInput) -> ContactRow:
        """The contact with what was said of it; the same object when they change nothing."""
        if said is NOTHING:
            return contact
        changes: dict[str, object] = {
            name: value for name, value in said.fields.items() if getattr(contact, name) != value
        }
        properties = self._with_custom(contact, said.custom)
        if properties != contact.properties:
            changes["properties"] = properties
        lists = self._with_lists(contact, said.lists)
        if lists != contact.mailing_lists:
            changes["mailing_lists"] = lists
        return replace(contact, **changes) if changes else contact

    def _with_custom(self, contact: ContactRow, custom: Mapping[str, object]) -> dict[str, Value]:
        if not custom:
            return contact.properties
        declared = self._properties.get(contact.team_id, {})
        properties = dict(contact.properties)
        for key, value in custom.items():
            if key not in declared:
                continue  # unknown properties are ignored, so that a program may run ahead of its team
            if value is None:
                properties.pop(key, None)
                continue
            try:
                properties[key] = coerce(value, declared[key])
            except ValueError as problem:
                raise BadRequest(f"{key} {problem}", code="value_invalid") from None
        return properties

    def _with_lists(self, contact: ContactRow, wanted: Mapping[str, bool]) -> dict[str, Membership]:
        if not wanted:
            return contact.mailing_lists
        known = self._lists.get(contact.team_id, ())
        lists = dict(contact.mailing_lists)
        for list_id, member in wanted.items():
            if list_id not in known:
                raise BadRequest(
                    f"mailingLists: there is no list {list_id}; GET /v1/lists names those there are",
                    code="mailing_list_unknown",
                )
            # Whoever left a list in person stays out of it: only they can come back.
            if lists.get(list_id) == "opted_out" or (not member and list_id not in lists):
                continue
            lists[list_id] = _joined(contact) if member else "unsubscribed"
        return lists

    def _typed(self, team_id: str, name: str, values: Mapping[str, object]) -> dict[str, object]:
        """An event's values in the types of its pattern, which learns. The last thing that may refuse."""
        pattern = self._patterns.get((team_id, name))
        known = pattern.properties if pattern else {}
        typed, learned = type_values(known, values)
        new = learned.keys() - known.keys()
        if new and len(known) + len(new) > limits.PATTERN_PROPERTIES:
            raise BadRequest(
                f"eventProperties: the events of this name have {len(known)} properties by now, and at most "
                f"{limits.PATTERN_PROPERTIES} altogether; leave out {', '.join(sorted(new)[:3])}, or use "
                "names that do not change from event to event",
                code="pattern_full",
            )
        if pattern is None:
            self._put_pattern(
                PatternRow(id=new_id(self._now), team_id=team_id, name=name, properties=learned)
            )
        elif learned:
            self._put_pattern(replace(pattern, properties={**pattern.properties, **learned}))
        return typed

    def _put_pattern(self, pattern: PatternRow) -> None:
        key = (pattern.team_id, pattern.name)
        self._patterns[key] = self._changed_patterns[key] = pattern

    def _check_key(self, key: UsedKey | None) -> None:
        if key is not None and key in self._keys:
            message = failures.IDEMPOTENCY_KEY_USED.format(key=key.key)
            raise Conflict(message, code="idempotency_key_used")

    def _use_key(self, key: UsedKey | None) -> None:
        if key is not None:
            self._keys.add(key)
            self.folded.keys.append(key)

    def _put(self, contact: ContactRow) -> None:
        before = self._contacts.get(contact.id)
        if before is contact:
            return
        if before is not None:
            self._forget(before)
        self._contacts[contact.id] = contact
        self._by_email[contact.team_id, contact.email] = contact.id
        if contact.user_id:
            self._by_user_id[contact.team_id, contact.user_id] = contact.id

    def _forget(self, contact: ContactRow) -> None:
        del self._by_email[contact.team_id, contact.email]
        if contact.user_id:
            del self._by_user_id[contact.team_id, contact.user_id]

    def _added(self, contact: ContactRow) -> None:
        self.folded.facts.append(
            Fact(
                team_id=contact.team_id,
                contact_id=contact.id,
                kind="contact_added",
                mailing_lists=contact.mailing_lists,
            )
        )


def _received(contact: ContactRow, event: EventRow) -> Fact:
    return Fact(
        team_id=contact.team_id,
        contact_id=contact.id,
        kind="event_received",
        event_id=event.id,
        event_name=event.name,
        event_properties=cast("Mapping[str, Value]", event.properties),
        mailing_lists=contact.mailing_lists,
    )


def _is_unconfirmed(contact: ContactRow) -> bool:
    """Whether the contact has been asked for its own word, and has not said yes."""
    return contact.opt_in_status in ("pending", "rejected")


def _joined(contact: ContactRow) -> Membership:
    """What a contact that joins a list becomes there: an unconfirmed one's lists wait with it."""
    return "pending" if _is_unconfirmed(contact) else "subscribed"


def _cannot_create() -> Refusal:
    return BadRequest(
        "No contact has this userId, and a new one needs an address: add email.", code="contact_not_found"
    )


def _unknown_to_event() -> Refusal:
    # The text the API gives; there is no address to create a contact with.
    return BadRequest(failures.CONTACT_NOT_FOUND, code="contact_not_found")


def _unknown_contact() -> Refusal:
    return NotFound(failures.CONTACT_NOT_FOUND, code="contact_not_found")
