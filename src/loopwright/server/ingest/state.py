"""The state of a batch while it is folded: what was loaded, what became of it, and what is to be saved."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import TypeAlias

from msgspec import Struct

from loopwright.server.refusal import Conflict, Refusal
from loopwright.server.store.contacts import ContactRow
from loopwright.server.store.emails import NewEmail
from loopwright.server.store.events import EventRow, PatternRow, UsedKey
from loopwright.server.store.facts import Fact
from loopwright.server.store.feedback import EmailReport
from loopwright.server.store.transactional import TransactionalRow
from loopwright.wire import failures
from loopwright.wire.contacts import ContactDeleted, ContactSaved
from loopwright.wire.events import EventAccepted
from loopwright.wire.transactional import TransactionalAccepted
from loopwright.wire.values import PropertyType

from .facts import deletion_of, facts_of


class EmailReported(Struct, frozen=True):
    """What was told of an email, and whether it was news."""

    is_news: bool


CommandResult: TypeAlias = (
    ContactSaved | ContactDeleted | EventAccepted | TransactionalAccepted | EmailReported | None
)


class Loaded(Struct, kw_only=True):
    """What the commands of a batch speak of, as the database has it. The maps are keyed by team first.

    `asked` holds when addresses were asked to confirm, by the causes of these emails, and `watched` the
    properties whose changes somebody waits for. `reported` are (email id, kind of fact) that were told.
    """

    contacts: Sequence[ContactRow] = ()
    properties: Mapping[str, Mapping[str, PropertyType]] = {}
    lists: Mapping[str, Collection[str]] = {}
    watched: Mapping[str, Collection[str]] = {}
    patterns: Sequence[PatternRow] = ()
    blocklists: Mapping[str, Collection[str]] = {}
    transactionals: Sequence[TransactionalRow] = ()
    keys: Iterable[UsedKey] = ()
    asked: Mapping[str, Mapping[str, datetime]] = {}
    reported: Iterable[tuple[str, str]] = ()


class Folded(Struct, kw_only=True):
    """Outcomes in the commands' order, and the changes in the order they are to be saved.

    `identities_changed`: some contact has come or gone, or has another address or user id. `forgotten` holds
    the contacts that a command deleted, those too that had only just come. `facts` are in the order in which
    they happened. `lifted` are (team, address) that get email again.
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
    emails: list[NewEmail] = []
    reports: list[EmailReport] = []
    lifted: list[tuple[str, str]] = []


class BatchState:
    """What commands see and change. Whoever changes it has checked all there is to check first."""

    def __init__(self, loaded: Loaded, now: datetime) -> None:
        self.folded = Folded()
        self.now = now
        self.properties = loaded.properties
        self.lists = loaded.lists
        self.watched = loaded.watched
        self.blocklists = loaded.blocklists
        self.patterns = {(p.team_id, p.name): p for p in loaded.patterns}
        self.transactionals = {(t.team_id, t.id): t for t in loaded.transactionals}
        self.asked = {team_id: dict(asked) for team_id, asked in loaded.asked.items()}
        self._before = {contact.id: contact for contact in loaded.contacts}
        self._contacts = dict(self._before)
        self._by_email = {(c.team_id, c.email): c.id for c in loaded.contacts}
        self._by_user_id = {(c.team_id, c.user_id): c.id for c in loaded.contacts if c.user_id}
        self._changed_patterns: dict[tuple[str, str], PatternRow] = {}
        self._keys = set(loaded.keys)
        self._reported = set(loaded.reported)

    def find(self, team_id: str, contact_id: str) -> ContactRow | None:
        """The contact of that id."""
        contact = self._contacts.get(contact_id)
        return contact if contact and contact.team_id == team_id else None

    def find_by_email(self, team_id: str, email: str | None) -> ContactRow | None:
        """The contact of that address."""
        contact_id = self._by_email.get((team_id, email)) if email else None
        return self._contacts[contact_id] if contact_id else None

    def find_by_user_id(self, team_id: str, user_id: str | None) -> ContactRow | None:
        """The contact of that user id."""
        contact_id = self._by_user_id.get((team_id, user_id)) if user_id else None
        return self._contacts[contact_id] if contact_id else None

    def put(
        self, contact: ContactRow, *, event: EventRow | None = None, starts_workflows: bool = True
    ) -> None:
        """Add the contact, or what has become of it, by the `event` or otherwise; and tell of it."""
        before = self._contacts.get(contact.id)
        if before is contact and event is None:
            return
        self.folded.facts += facts_of(
            before,
            contact,
            event=event,
            watched=self.watched.get(contact.team_id, ()),
            starts_workflows=starts_workflows,
        )
        if event is not None:
            self.folded.events.append(event)
        if before is contact:
            return
        if before is not None:
            self._forget_identity(before)
        self._contacts[contact.id] = contact
        self._by_email[contact.team_id, contact.email] = contact.id
        if contact.user_id:
            self._by_user_id[contact.team_id, contact.user_id] = contact.id

    def remove(self, contact: ContactRow) -> None:
        """Take the contact out."""
        self._forget_identity(contact)
        del self._contacts[contact.id]
        self.folded.forgotten.append(contact)
        self.folded.facts += deletion_of(contact)

    def put_pattern(self, pattern: PatternRow) -> None:
        """Add the pattern, or what it has learned."""
        key = (pattern.team_id, pattern.name)
        self.patterns[key] = self._changed_patterns[key] = pattern

    def check_key(self, key: UsedKey | None) -> None:
        """Raises `Conflict` for an idempotency key that has been used."""
        if key is not None and key in self._keys:
            message = failures.IDEMPOTENCY_KEY_USED.format(key=key.key)
            raise Conflict(message, code="idempotency_key_used")

    def use_key(self, key: UsedKey | None) -> None:
        """From now on the key is used."""
        if key is not None:
            self._keys.add(key)
            self.folded.keys.append(key)

    def is_news(self, email_id: str, fact: str) -> bool:
        """Whether nobody has told that of the email; from now on somebody has."""
        if (email_id, fact) in self._reported:
            return False
        self._reported.add((email_id, fact))
        return True

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

    def _forget_identity(self, contact: ContactRow) -> None:
        del self._by_email[contact.team_id, contact.email]
        if contact.user_id:
            del self._by_user_id[contact.team_id, contact.user_id]
