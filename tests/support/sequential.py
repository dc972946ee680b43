"""The rules of ingest once more, in the plainest way there is: one command at a time, over a list of dicts.

What the fold is held against. Answers are "ok" or the name of a refusal, contacts are without their ids.
"""

from dataclasses import dataclass, field

from loopwright.server.ingest.command import (
    Command,
    ContactInput,
    CreateContact,
    DeleteContact,
    Identity,
    SendEvent,
    UpdateContact,
)
from loopwright.wire.values import PropertyType

LISTS = ("list1", "list2")
PROPERTIES: dict[str, PropertyType] = {"plan": "string", "seats": "number"}


@dataclass
class Sequential:
    """A team's contacts, event names and idempotency keys."""

    contacts: list[dict[str, object]] = field(default_factory=list)
    events: list[tuple[object, str]] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)

    def take(self, command: Command) -> str:
        """Do what `command` says, or say why not."""
        match command:
            case CreateContact(identity=identity, input=said):
                if self._named(identity):
                    return "Conflict"
                return self._write({}, identity, said)
            case UpdateContact(identity=identity, input=said):
                return self._upsert(identity, said)
            case SendEvent(identity=identity, input=said, name=name, key=key):
                if key and key.key in self.keys:
                    return "Conflict"
                answer = self._upsert(identity, said)
                if answer == "ok":
                    self.events.append((self._named(identity)[0]["email"], name))
                    self.keys |= {key.key} if key else set()
                return answer
            case DeleteContact(identity=identity):
                found = self._named(identity)
                if not found:
                    return "NotFound"
                self.contacts.remove(found[0])
                return "ok"
        raise AssertionError(command)

    def _named(self, identity: Identity) -> list[dict[str, object]]:
        return [
            one
            for one in self.contacts
            if (identity.email and one["email"] == identity.email)
            or (identity.user_id and one["user_id"] == identity.user_id)
        ]

    def _upsert(self, identity: Identity, said: ContactInput) -> str:
        found = self._named(identity)
        if len(found) > 1 or (not found and not identity.email):
            return "BadRequest"
        return self._write(found[0] if found else {}, identity, said)

    def _write(self, contact: dict[str, object], identity: Identity, said: ContactInput) -> str:
        if any(name not in LISTS for name in said.lists):
            return "BadRequest"
        if not isinstance(said.custom.get("seats"), int | float | None):
            return "BadRequest"
        if not contact:
            contact.update(email=None, user_id=None, first_name=None, subscribed=True)
            self.contacts.append(contact)
        contact["email"] = identity.email or contact["email"]
        contact["user_id"] = identity.user_id or contact["user_id"]
        contact.update(said.fields)
        for name in PROPERTIES:
            if name in said.custom:
                contact[name] = said.custom[name]
                if said.custom[name] is None:
                    del contact[name]
        for name, member in said.lists.items():
            if member:
                contact[name] = True
            else:
                contact.pop(name, None)
        return "ok"
