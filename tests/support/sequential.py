"""The rules of ingest once more, in the plainest way there is: one command at a time, a list of contacts.

What the fold is held against, with which it shares no code. Answers are "ok" or the name of a refusal.
Contacts have no ids here: where a command follows a link, its `contact_id` is the address that got the link.
"""

from collections import Counter
from collections.abc import Iterable
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeAlias, TypeVar, cast

from loopwright.server.ingest.command import (
    AnswerOptIn,
    Command,
    ContactInput,
    CreateContact,
    DeleteContact,
    Identity,
    ImportContact,
    LiftSuppression,
    OptIn,
    ReportEmail,
    SendEvent,
    SendTransactional,
    SetPreferences,
    SubmitForm,
    UpdateContact,
)
from loopwright.server.store.contacts import ContactRow
from loopwright.wire.values import PropertyType

Item = TypeVar("Item")

TEAM = "t"
LISTS = ("list1", "list2")
PROPERTIES: dict[str, PropertyType] = {"plan": "string", "seats": "number"}
WATCHED = ("plan", "userId")  # properties whose changes are told
MESSAGE = "message"
REVISION = "r"
PUBLISHED = "published"  # a transactional email that needs the variable `total`
DRAFT = "draft"
CONFIRM = OptIn(
    transactional_id="confirm",
    message_id=MESSAGE,
    revision_id=REVISION,
    public_url="https://mail.example.org",
    secret=b"secret",
)

# The values of event properties that the commands draw: what each becomes in a property of a type it fits.
FITTING: dict[str, dict[object, object]] = {
    "string": {},
    "number": {3: 3, 2.5: 2.5, "7": 7},
    "boolean": {True: True, "true": True},
    "date": {
        "2024-01-17": "2024-01-17T00:00:00.000Z",
        3: "1970-01-01T00:00:00.003Z",
        "7": "1970-01-01T00:00:00.007Z",
    },
}
GUESSED: dict[object, str] = {3: "number", 2.5: "number", True: "boolean", "2024-01-17": "date"}
AS_TEXT: dict[object, str] = {3: "3", 2.5: "2.5", True: "true"}


@dataclass
class State:
    """What a team's database holds. People are told by the addresses they have now; None is who is gone."""

    contacts: dict[str, dict[str, object]]
    events: dict[str, list[tuple[str | None, dict[str, object]]]]  # by name: of whom, properties
    patterns: dict[str, dict[str, str]]
    emails: Counter[tuple[str, str | None, str | None]]  # recipient, of whom, transactional email
    keys: set[tuple[str, str]]


@dataclass(eq=False)
class Contact:
    """A contact."""

    email: str
    user_id: str | None = None
    first_name: str | None = None
    source: str = "API"
    subscribed: bool = True
    user_group: str = ""
    opt_in_status: str | None = None
    properties: dict[str, object] = field(default_factory=dict[str, object])
    mailing_lists: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def waits(self) -> bool:
        """Whether it has yet to confirm."""
        return self.opt_in_status in ("pending", "rejected")


def plain(contact: Contact | ContactRow) -> dict[str, object]:
    """What is compared of a contact."""
    names = ["email", "user_id", "first_name", "source", "subscribed", "user_group", "opt_in_status"]
    return {name: getattr(contact, name) for name in [*names, "properties", "mailing_lists"]}


Event: TypeAlias = tuple[Contact, str, dict[str, object]]
"""Of whom, name, properties."""

Email: TypeAlias = tuple[str, Contact | None, str | None]
"""Its recipient, of whom, transactional email."""

Happening: TypeAlias = tuple[str, Contact, object, dict[str, str], bool]
"""Of which kind, to whom, of which event or list or what changed, mailing lists, whether workflows start."""


def grouped(pairs: Iterable[tuple[str, Item]]) -> dict[str, list[Item]]:
    """The second of each pair under the first, in their order."""
    groups: dict[str, list[Item]] = {}
    for name, item in pairs:
        groups.setdefault(name, []).append(item)
    return groups


@dataclass
class Sequential:
    """A team, as commands change it."""

    now: datetime
    contacts: list[Contact] = field(default_factory=list[Contact])
    links: dict[str, Contact] = field(default_factory=dict[str, Contact])
    events: list[Event] = field(default_factory=list[Event])
    patterns: dict[str, dict[str, str]] = field(default_factory=dict[str, dict[str, str]])
    emails: list[Email] = field(default_factory=list[Email])
    asked: dict[str, datetime] = field(default_factory=dict[str, datetime])
    keys: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    facts: list[Happening] = field(default_factory=list[Happening])

    def begin(self, now: datetime) -> None:
        """The time is `now`, and whoever is there has had a link by email."""
        self.now = now
        self.links |= {contact.email: contact for contact in self.contacts}

    def take(self, command: Command) -> str:
        """Do what `command` says, or say why not."""
        match command:
            case CreateContact(identity=identity) if self._named(identity):
                return "Conflict"
            case CreateContact(identity=identity, input=said) | UpdateContact(identity=identity, input=said):
                return self._upsert(identity, said, loud=command.starts_workflows)
            case ImportContact():
                return self._import(command)
            case DeleteContact(identity=identity):
                found = self._named(identity)
                for contact in found:
                    self.contacts.remove(contact)
                    if not contact.waits:
                        self._happened("contact_deleted", contact)
                return "ok" if found else "NotFound"
            case SendEvent():
                return self._send_event(command)
            case SendTransactional():
                return self._send_transactional(command)
            case SubmitForm():
                return self._submit_form(command)
            case AnswerOptIn() | SetPreferences():
                return self._follow_link(command)
            case ReportEmail() | LiftSuppression():
                raise AssertionError("emails of this model do not leave, and nothing comes back of them")

    def state(self) -> State:
        """What there is now."""
        return State(
            contacts={contact.email: plain(contact) for contact in self.contacts},
            events=grouped((name, (self.address(of), properties)) for of, name, properties in self.events),
            patterns=self.patterns,
            emails=Counter((to, self.address(of), transactional) for to, of, transactional in self.emails),
            keys=self.keys,
        )

    def address(self, contact: Contact | None) -> str | None:
        """The address that the contact has now; None when it is gone."""
        return contact.email if contact and contact in self.contacts else None

    def _named(self, identity: Identity) -> list[Contact]:
        return [
            one
            for one in self.contacts
            if (identity.email and one.email == identity.email)
            or (identity.user_id and one.user_id == identity.user_id)
        ]

    def _upsert(
        self, identity: Identity, said: ContactInput, *, event: str | None = None, loud: bool = True
    ) -> str:
        found = self._named(identity)
        if len(found) > 1 or not (found or identity.email) or _is_wrong(said):
            return "BadRequest"
        contact = found[0] if found else Contact(identity.email or "")
        before = deepcopy(contact) if found else None
        contact.email = identity.email or contact.email
        contact.user_id = identity.user_id or contact.user_id
        _write(contact, said)
        if not found:
            self.contacts.append(contact)
        self._tell(before, contact, event=event, loud=loud)
        return "ok"

    def _import(self, row: ImportContact) -> str:
        said = row.input
        if said.fields.get("subscribed"):
            said = ContactInput(
                fields={name: value for name, value in said.fields.items() if name != "subscribed"},
                custom=said.custom,
                lists=said.lists,
            )
        of_user = [
            one for one in self.contacts if row.identity.user_id and one.user_id == row.identity.user_id
        ]
        if of_user and row.identity.email not in (None, of_user[0].email):
            return "BadRequest"
        is_new = not self._named(row.identity)
        answer = self._upsert(row.identity, said, loud=row.starts_workflows)
        if is_new and answer == "ok" and "source" not in said.fields:
            self._named(row.identity)[0].source = "CSV Upload"
        return answer

    def _send_event(self, command: SendEvent) -> str:
        if self._is_used(command):
            return "Conflict"
        answer = self._upsert(command.identity, command.input, event=command.name)
        if answer == "ok":
            [contact] = self._named(command.identity)
            pattern = self.patterns.setdefault(command.name, {})
            properties = {key: _as_in(pattern, key, value) for key, value in command.properties.items()}
            self.events.append((contact, command.name, properties))
            self._use(command)
        return answer

    def _send_transactional(self, command: SendTransactional) -> str:
        if self._is_used(command):
            return "Conflict"
        if command.transactional_id not in (PUBLISHED, DRAFT):
            return "NotFound"
        if command.transactional_id == DRAFT or "total" not in command.data_variables:
            return "BadRequest"
        identity = Identity(command.email, None)
        if command.add_to_audience and not self._named(identity):
            self._upsert(identity, ContactInput())
        to = self._named(identity)
        self.emails.append((command.email, to[0] if to else None, PUBLISHED))
        self._use(command)
        return "ok"

    def _submit_form(self, form: SubmitForm) -> str:
        if self._named(form.identity):
            return self._submit_again(self._named(form.identity)[0], form)
        if _is_wrong(form.input):
            return "BadRequest"
        contact = Contact(form.identity.email or "", source="Form")
        self.contacts.append(contact)
        if form.opt_in:
            self._ask(contact)
        _write(contact, form.input)
        self._tell(None, contact)
        return "ok"

    def _submit_again(self, contact: Contact, form: SubmitForm) -> str:
        if _is_wrong(ContactInput(lists=form.input.lists)):
            return "BadRequest"
        before = deepcopy(contact)
        if "user_group" in form.input.fields:
            contact.user_group = str(form.input.fields["user_group"])
        _write(contact, ContactInput(lists=form.input.lists))
        if form.opt_in and contact.opt_in_status == "pending":
            self._ask(contact)
        self._tell(before, contact)
        return "ok"

    def _ask(self, contact: Contact) -> None:
        contact.opt_in_status = "pending"
        last = self.asked.get(contact.email)
        if last is None or self.now - last >= timedelta(days=30):
            self.asked[contact.email] = self.now
            self.emails.append((contact.email, contact, CONFIRM.transactional_id))

    def _follow_link(self, command: AnswerOptIn | SetPreferences) -> str:
        contact = self.links.get(command.contact_id)
        if contact is None or contact not in self.contacts:
            return "NotFound"
        before = deepcopy(contact)
        if isinstance(command, AnswerOptIn):
            self._answer(contact, accepted=command.accepted)
            self._tell(before, contact)
            return "ok"
        if command.subscribed is False or (command.subscribed and not contact.waits):
            contact.subscribed = command.subscribed
        for name in LISTS:
            if name in command.lists:
                contact.mailing_lists[name] = _membership(contact) if command.lists[name] else "opted_out"
        self._tell(before, contact)
        return "ok"

    def _answer(self, contact: Contact, *, accepted: bool) -> None:
        if not contact.waits:
            return
        contact.opt_in_status = "accepted" if accepted else "rejected"
        contact.subscribed = accepted
        if accepted:
            for name, state in contact.mailing_lists.items():
                contact.mailing_lists[name] = "subscribed" if state == "pending" else state

    def _is_used(self, command: SendEvent | SendTransactional) -> bool:
        return command.key is not None and (command.key.endpoint, command.key.key) in self.keys

    def _use(self, command: SendEvent | SendTransactional) -> None:
        if command.key:
            self.keys.add((command.key.endpoint, command.key.key))

    def _tell(
        self, before: Contact | None, now: Contact, *, event: str | None = None, loud: bool = True
    ) -> None:
        """What has happened to a contact that nobody knew, or that was as it was `before`."""
        came = before is None or before.waits
        was = Contact(now.email, subscribed=now.subscribed) if before is None or before.waits else before
        if came and not now.waits:
            self._happened("contact_added", now, loud=loud)
        if event:
            self._happened("event_received", now, event)
        if now.waits:
            return
        changes = {
            key: (old, new)
            for key, old, new in [
                ("plan", was.properties.get("plan"), now.properties.get("plan")),
                ("userId", was.user_id, now.user_id),
            ]
            if old != new
        }
        if changes and not came:
            self._happened("contact_updated", now, changes, loud=loud)
        if was.subscribed != now.subscribed:
            kind = "contact_resubscribed" if now.subscribed else "contact_unsubscribed"
            self._happened(kind, now)
        for name, state in sorted(now.mailing_lists.items()):
            joined, was_on = state == "subscribed", was.mailing_lists.get(name) == "subscribed"
            if joined != was_on:
                self._happened("list_joined" if joined else "list_left", now, name, loud=loud)

    def _happened(self, kind: str, contact: Contact, about: object = None, *, loud: bool = True) -> None:
        self.facts.append((kind, contact, about or {}, dict(contact.mailing_lists), loud))


def _is_wrong(said: ContactInput) -> bool:
    return said.custom.get("seats") == "many" or any(name not in LISTS for name in said.lists)


def _write(contact: Contact, said: ContactInput) -> None:
    for name, value in said.fields.items():
        setattr(contact, name, value)
    for name in PROPERTIES:
        if name in said.custom:
            contact.properties[name] = said.custom[name]
            if said.custom[name] is None:
                del contact.properties[name]
    for name, member in said.lists.items():
        before = contact.mailing_lists.get(name)
        if before != "opted_out" and (member or before):
            contact.mailing_lists[name] = _membership(contact) if member else "unsubscribed"


def _membership(contact: Contact) -> str:
    return "pending" if contact.waits else "subscribed"


def _as_in(pattern: dict[str, str], key: str, value: object) -> object:
    if isinstance(value, list):
        return cast("object", value)
    kind = pattern.setdefault(key, GUESSED.get(value, "string"))
    if value in FITTING[kind]:
        return FITTING[kind][value]
    pattern[key] = "string"
    return AS_TEXT.get(value, value)
