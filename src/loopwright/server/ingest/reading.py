"""Reads commands out of request bodies. Pure: a command, or a `BadRequest` that names key and remedy."""

import re
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Collection, Mapping, Set
from typing import cast

from loopwright.server.refusal import BadRequest
from loopwright.server.store.contacts import ATTRIBUTES
from loopwright.server.store.emails import Value
from loopwright.server.store.events import UsedKey
from loopwright.wire import failures, limits
from loopwright.wire.contacts import CONTACT_KEYS
from loopwright.wire.transactional import Attachment
from loopwright.wire.values import coerce

from .command import (
    ContactInput,
    CreateContact,
    DeleteContact,
    Identity,
    ImportContact,
    OptIn,
    SendEvent,
    SendTransactional,
    SubmitForm,
    UpdateContact,
)
from .values import (
    check_characters,
    check_count,
    check_event_name,
    check_id,
    check_key,
    check_number,
    check_scalar_or_flat_objects,
    check_text,
    read_email,
    read_map,
    read_user_id,
    too_long,
)

Body = Mapping[str, object]

EVENTS_ENDPOINT = "events/send"
TRANSACTIONAL_ENDPOINT = "transactional"

_VARIABLE = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+|\[\])*")
_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_MEDIA_TYPE = re.compile(
    rf' *{_WORD}/{_WORD}(?:[ \t]*;(?:[ \t]*{_WORD}=(?:{_WORD}|"(?:[^"\\\x00-\x1f\x7f]|\\[ -~])*"))?)* *'
)
"""RFC 9110's media type, its parameters as tokens or quoted."""
_FIELDS = {key: name for key, name in ATTRIBUTES.items() if key not in ("email", "userId")}
# A form is open to all, so it decides neither who a contact is nor whether it is subscribed.
_NOT_BY_FORM = {"email", "userId", "subscribed", "mailingLists"}
# Keys with readers of their own.
_CONTACT_READ_APART = frozenset({"email", "userId", "mailingLists"})
_EVENT_READ_APART = _CONTACT_READ_APART | {"eventName", "eventProperties"}
# Keys of a contact that a request cannot set; `createdAt` is nobody's to change.
_IGNORED = (CONTACT_KEYS | {"createdAt"}) - _FIELDS.keys() - _CONTACT_READ_APART


def read_create_contact(team_id: str, body: Body) -> CreateContact:
    """POST /contacts/create."""
    identity = read_identity(body)
    if identity.email is None:
        raise BadRequest("email is required to create a contact; add it to the body", code="email_required")
    return CreateContact(team_id=team_id, identity=identity, input=_read_input(body))


def read_update_contact(team_id: str, body: Body) -> UpdateContact:
    """PUT /contacts/update."""
    return UpdateContact(team_id=team_id, identity=_read_some_identity(body), input=_read_input(body))


def read_import_contact(team_id: str, body: Body) -> ImportContact:
    """A line of POST /loopwright/v1/bulk/import."""
    return ImportContact(team_id=team_id, identity=_read_some_identity(body), input=_read_input(body))


def read_delete_contact(team_id: str, body: Body) -> DeleteContact:
    """POST /contacts/delete."""
    identity = read_one_identifier(body)
    _check_lengths(body)
    return DeleteContact(team_id=team_id, identity=identity)


def read_send_event(team_id: str, body: Body, key: str | None) -> SendEvent:
    """POST /events/send with the `Idempotency-Key` it came with."""
    name = body.get("eventName")
    if not isinstance(name, str) or not name.strip():
        raise BadRequest(
            'eventName is required; send the event\'s name, such as "signup"', code="event_name_required"
        )
    check_event_name(name)
    return SendEvent(
        team_id=team_id,
        identity=_read_some_identity(body),
        name=name,
        properties=_read_event_properties(body),
        input=_read_input(body, _EVENT_READ_APART),
        key=_read_key(team_id, EVENTS_ENDPOINT, key),
    )


def read_send_transactional(team_id: str, body: Body, key: str | None) -> SendTransactional:
    """POST /transactional with the `Idempotency-Key` it came with."""
    email = read_email(body.get("email"))
    if email is None:
        raise BadRequest("email is required; add the recipient's address to the body", code="email_required")
    _check_lengths(body)
    transactional_id = body.get("transactionalId")
    if not isinstance(transactional_id, str) or not transactional_id:
        raise BadRequest(
            "transactionalId is required; add the id of the transactional email to send",
            code="transactional_id_required",
        )
    check_id("transactionalId", transactional_id)
    add_to_audience = body.get("addToAudience")
    if not isinstance(add_to_audience, bool | None):
        raise BadRequest("addToAudience must be true or false", code="value_invalid")
    return SendTransactional(
        team_id=team_id,
        email=email,
        transactional_id=transactional_id,
        data_variables=_read_data_variables(body),
        attachments=_read_attachments(body.get("attachments")),
        add_to_audience=bool(add_to_audience),
        key=_read_key(team_id, TRANSACTIONAL_ENDPOINT, key),
    )


def read_submit_form(
    team_id: str, fields: Mapping[str, str], *, lists: Collection[str], opt_in: OptIn | None
) -> SubmitForm:
    """A form as somebody filled it in; `lists` are the mailing lists they may ask for."""
    # Browsers send an empty text for every input that nobody filled in.
    fields = {key: value for key, value in fields.items() if value.strip()}
    email = read_email(fields.get("email"))
    if email is None:
        raise BadRequest("email is required; add a field of that name to the form", code="email_required")
    said = _read_input({key: value for key, value in fields.items() if key not in _NOT_BY_FORM})
    if "notes" in fields:
        said.fields["notes"] = fields["notes"]
    wanted = {piece.strip(): True for piece in fields.get("mailingLists", "").split(",") if piece.strip()}
    for list_id in wanted:
        check_key(list_id)
    if unknown := wanted.keys() - set(lists):
        raise BadRequest(
            f"mailingLists: this form cannot add anybody to {', '.join(sorted(unknown))}; name public lists",
            code="mailing_list_unknown",
        )
    return SubmitForm(
        team_id=team_id,
        identity=Identity(email=email, user_id=None),
        input=ContactInput(fields=said.fields, custom=said.custom, lists=wanted),
        opt_in=opt_in,
    )


def read_identity(body: Body) -> Identity:
    """The identifiers a body gives; null and blank ones count as not given."""
    return Identity(email=read_email(body.get("email")), user_id=read_user_id(body.get("userId")))


def read_one_identifier(body: Body) -> Identity:
    """The one identifier that finding and deleting want."""
    identity = read_identity(body)
    if identity.email is None and identity.user_id is None:
        raise BadRequest(failures.IDENTIFIER_REQUIRED, code="identifier_required")
    if identity.email is not None and identity.user_id is not None:
        raise BadRequest("Both email and userId were given; leave one out.", code="identifier_ambiguous")
    return identity


def _read_some_identity(body: Body) -> Identity:
    identity = read_identity(body)
    if identity.email is None and identity.user_id is None:
        raise BadRequest(
            "An email or userId is required: add email, or the userId of a contact that is known already.",
            code="identifier_required",
        )
    return identity


def _read_input(body: Body, others: Set[str] = _CONTACT_READ_APART) -> ContactInput:
    """What a body says of a contact; `others` are the keys that are read elsewhere."""
    check_count("The body", body, limits.KEYS, "keys; it may have")
    fields: dict[str, str | bool | None] = {}
    custom: dict[str, object] = {}
    for key, value in body.items():
        if key in others:
            continue
        if isinstance(value, str):
            check_text(key, value)
        if key in _FIELDS:
            _read_field(fields, key, value)
        elif key not in _IGNORED:
            check_key(key)
            check_number(key, value)
            custom[key] = value
    return ContactInput(fields=fields, custom=custom, lists=_read_lists(body.get("mailingLists")))


def _read_field(fields: dict[str, str | bool | None], key: str, value: object) -> None:
    if value is None:
        if key in ("firstName", "lastName"):
            fields[_FIELDS[key]] = None
        elif key == "userGroup":
            fields["user_group"] = ""
        return
    try:
        read = coerce(value, "boolean" if key == "subscribed" else "string")
    except ValueError as problem:
        raise BadRequest(f"{key} {problem}", code="value_invalid") from None
    if isinstance(read, str) and read is not value:
        check_text(key, read)  # a number may be long, too
    fields[_FIELDS[key]] = cast("str | bool", read)


def _read_lists(value: object) -> dict[str, bool]:
    lists = read_map("mailingLists", value)
    check_count("mailingLists", lists, limits.KEYS, "lists; a request has")
    for list_id, member in lists.items():
        check_key(list_id)
        if not isinstance(member, bool):
            raise BadRequest(
                f"mailingLists.{list_id} must be true (subscribe) or false (unsubscribe)",
                code="mailing_list_invalid",
            )
    return cast("dict[str, bool]", lists)


def _read_event_properties(body: Body) -> dict[str, object]:
    given = read_map("eventProperties", body.get("eventProperties"))
    check_count("eventProperties", given, limits.EVENT_PROPERTIES, "properties; an event has")
    properties: dict[str, object] = {}
    for name, value in given.items():
        check_key(name)
        if value is None or not name.strip():
            continue
        check_scalar_or_flat_objects(f"eventProperties.{name}", value)
        properties[name.strip()] = value
    return properties


def _read_data_variables(body: Body) -> dict[str, Value]:
    variables = read_map("dataVariables", body.get("dataVariables"))
    check_count("dataVariables", variables, limits.KEYS, "variables; an email has")
    for name, value in variables.items():
        check_key(name)
        if not _VARIABLE.fullmatch(name):
            raise BadRequest(
                f"dataVariables.{name}: a name has letters, digits, '_' and '-' only", code="variable_invalid"
            )
        if value is not None:
            check_scalar_or_flat_objects(f"dataVariables.{name}", value)
    # Null does not count as a value: a required variable is then missing, by its name.
    given = {name: value for name, value in variables.items() if value is not None}
    return cast("dict[str, Value]", given)


def _read_attachments(value: object) -> list[Attachment]:
    if value is None:
        return []
    if not isinstance(value, list):
        raise BadRequest("attachments must be a list", code="attachment_invalid")
    items = cast("list[object]", value)
    check_count("attachments", items, limits.ATTACHMENTS, "files; an email has")
    return [_read_attachment(f"attachments[{index}]", item) for index, item in enumerate(items)]


def _read_attachment(where: str, value: object) -> Attachment:
    item = cast("dict[str, object]", value) if isinstance(value, dict) else {}
    filename, content_type, data = (item.get(key) for key in ("filename", "contentType", "data"))
    if not (isinstance(filename, str) and isinstance(content_type, str) and isinstance(data, str)):
        raise BadRequest(
            f"{where} needs filename, contentType and data (base64), each a string", code="attachment_invalid"
        )
    if not _MEDIA_TYPE.fullmatch(content_type):
        raise BadRequest(
            f"{where}.contentType is not a media type; send one such as application/pdf",
            code="attachment_invalid",
        )
    check_characters(f"{where}.filename", filename)
    try:
        b64decode(data, validate=True)
    except (Base64Error, ValueError):
        raise BadRequest(
            f"{where}.data is not base64; encode the file's bytes", code="attachment_invalid"
        ) from None
    return Attachment(filename=filename, content_type=content_type, data=data)


def _read_key(team_id: str, endpoint: str, key: str | None) -> UsedKey | None:
    if not key:
        return None
    if len(key) > limits.KEY_CHARACTERS:
        raise BadRequest(
            f"Idempotency-Key has {len(key)} characters; at most {limits.KEY_CHARACTERS} are allowed",
            code="idempotency_key_too_long",
        )
    check_text("Idempotency-Key", key)
    return UsedKey(team_id, endpoint, key)


def _check_lengths(body: Body) -> None:
    """Also what nobody reads may not be too long, nor too much."""
    check_count("The body", body, limits.KEYS, "keys; it may have")
    for key, value in body.items():
        if len(key) > limits.PROPERTY_KEY_CHARACTERS:
            raise too_long()
        if isinstance(value, str) and len(value) > limits.VALUE_CHARACTERS:
            raise too_long(path=key)
