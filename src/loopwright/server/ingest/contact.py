"""What commands about one contact do: create, update, import, delete. Pure."""

from collections.abc import Callable, Mapping

from msgspec.structs import replace

from loopwright.ids import new_id
from loopwright.server.refusal import BadRequest, Conflict, NotFound, Refusal
from loopwright.server.store.contacts import ContactRow, Membership
from loopwright.wire import failures
from loopwright.wire.contacts import IMPORT_SOURCE, ContactDeleted, ContactSaved
from loopwright.wire.values import Value, coerce

from .blocklist import is_blocked
from .command import (
    NOTHING,
    ContactInput,
    CreateContact,
    DeleteContact,
    Identity,
    ImportContact,
    UpdateContact,
)
from .state import BatchState

SOURCE = "API"


def create(state: BatchState, command: CreateContact) -> ContactSaved:
    """A contact that is not there yet. Raises `Conflict` for one that is, and `BadRequest`."""
    if state.find_by_email(command.team_id, command.identity.email) or state.find_by_user_id(
        command.team_id, command.identity.user_id
    ):
        raise Conflict(failures.CONTACT_EXISTS, code="contact_exists")
    contact = changed(state, new_contact(state, command.team_id, command.identity), command.input)
    state.put(contact, starts_workflows=command.starts_workflows)
    return ContactSaved(success=True, id=contact.id)


def update(state: BatchState, command: UpdateContact) -> ContactSaved:
    """Change a contact, or create it. Raises `BadRequest`."""
    before = resolve(state, command.team_id, command.identity, missing=_cannot_create)
    contact = changed(state, before or new_contact(state, command.team_id, command.identity), command.input)
    contact = identified(state, contact, command.identity)
    state.put(contact, starts_workflows=command.starts_workflows)
    return ContactSaved(success=True, id=contact.id)


def import_row(state: BatchState, command: ImportContact) -> ContactSaved:
    """By user id, then by address; rows change no address, subscribe nobody again, and have a source."""
    team_id, identity = command.team_id, command.identity
    before = state.find_by_user_id(team_id, identity.user_id)
    if before and identity.email and identity.email != before.email:
        raise BadRequest(
            "the contact with this user id has another email address; rows cannot change it",
            code="contacts_differ",
        )
    before = before or state.find_by_email(team_id, identity.email)
    if before is None and identity.email is None:
        raise BadRequest(
            "no contact has this user id, and without an email none can be created",
            code="contact_not_found",
        )
    contact = before or replace(new_contact(state, team_id, identity), source=IMPORT_SOURCE)
    fields = {name: value for name, value in command.input.fields.items() if value is not True}
    contact = changed(state, contact, replace(command.input, fields=fields))
    contact = identified(state, contact, identity)
    state.put(contact, starts_workflows=command.starts_workflows)
    return ContactSaved(success=True, id=contact.id)


def delete(state: BatchState, command: DeleteContact) -> ContactDeleted:
    """Take a contact away. Raises `NotFound`."""
    contact = state.find_by_email(command.team_id, command.identity.email) or state.find_by_user_id(
        command.team_id, command.identity.user_id
    )
    if contact is None:
        raise unknown_contact()
    state.remove(contact)
    return ContactDeleted(success=True, message=failures.CONTACT_DELETED)


def resolve(
    state: BatchState, team_id: str, identity: Identity, *, missing: Callable[[], Refusal]
) -> ContactRow | None:
    """The contact an update or event speaks of; None when it is to be created."""
    by_email = state.find_by_email(team_id, identity.email)
    by_user_id = state.find_by_user_id(team_id, identity.user_id)
    if by_email and by_user_id and by_email.id != by_user_id.id:
        raise BadRequest(failures.CONTACTS_DIFFER, code="contacts_differ")
    contact = by_email or by_user_id
    if contact is None and identity.email is None:
        raise missing()
    return contact


def identified(state: BatchState, contact: ContactRow, identity: Identity) -> ContactRow:
    """The contact with the identifiers a command gave: of two, one found it and the other is set."""
    email = identity.email or contact.email
    user_id = identity.user_id or contact.user_id
    if (email, user_id) == (contact.email, contact.user_id):
        return contact
    if email != contact.email:
        _check_address(state, contact.team_id, email)
    return replace(contact, email=email, user_id=user_id)


def new_contact(state: BatchState, team_id: str, identity: Identity) -> ContactRow:
    """A contact as it begins, subscribed. Raises `BadRequest` for an address that is kept out."""
    assert identity.email is not None
    _check_address(state, team_id, identity.email)
    return ContactRow(
        id=new_id(state.now),
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
        created_at=state.now,
    )


def changed(state: BatchState, contact: ContactRow, said: ContactInput) -> ContactRow:
    """The contact with what was said of it; the same object when they change nothing."""
    if said is NOTHING:
        return contact
    changes: dict[str, object] = {
        name: value for name, value in said.fields.items() if getattr(contact, name) != value
    }
    properties = _with_custom(state, contact, said.custom)
    if properties != contact.properties:
        changes["properties"] = properties
    lists = _with_lists(state, contact, said.lists)
    if lists != contact.mailing_lists:
        changes["mailing_lists"] = lists
    return replace(contact, **changes) if changes else contact


def joined(contact: ContactRow) -> Membership:
    """What a contact that joins a list becomes there: an unconfirmed one's lists wait with it."""
    return "pending" if contact.is_unconfirmed else "subscribed"


def unknown_contact() -> Refusal:
    """There is no such contact."""
    return NotFound(failures.CONTACT_NOT_FOUND, code="contact_not_found")


def _with_custom(state: BatchState, contact: ContactRow, custom: Mapping[str, object]) -> dict[str, Value]:
    if not custom:
        return contact.properties
    declared = state.properties.get(contact.team_id, {})
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


def _with_lists(state: BatchState, contact: ContactRow, wanted: Mapping[str, bool]) -> dict[str, Membership]:
    if not wanted:
        return contact.mailing_lists
    known = state.lists.get(contact.team_id, ())
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
        lists[list_id] = joined(contact) if member else "unsubscribed"
    return lists


def _check_address(state: BatchState, team_id: str, email: str) -> None:
    if is_blocked(email, state.blocklists.get(team_id, ())):
        raise BadRequest(
            "This email address is on the team's blocklist, so no contact can have it.",
            code="email_blocked",
        )


def _cannot_create() -> Refusal:
    return BadRequest(
        "No contact has this userId, and a new one needs an address: add email.", code="contact_not_found"
    )
