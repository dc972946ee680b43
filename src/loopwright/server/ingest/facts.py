"""What a command has made happen, by what it found and what it left, and what of it is stored. Pure."""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any

from loopwright.ids import new_id
from loopwright.server.store.contacts import ATTRIBUTES, ContactRow, Value, flat
from loopwright.server.store.events import EventRow
from loopwright.server.store.facts import Change, ContactFact, Fact, FactRow, PreferenceFact
from loopwright.server.store.workflows import Hindrance

CONSENT: Collection[ContactFact | PreferenceFact] = frozenset(
    {
        "contact_unsubscribed",
        "contact_resubscribed",
        "list_joined",
        "list_left",
        "email_unsubscribed",
        "email_resubscribed",
    }
)
"""What is stored of everybody: why somebody gets email, or gets none, may be asked at any time."""


def facts_of(
    before: ContactRow | None,
    after: ContactRow,
    *,
    event: EventRow | None = None,
    watched: Collection[str] = (),
    starts_workflows: bool = True,
) -> list[Fact]:
    """What has happened, in the order in which workflows hear of it.

    A contact has come once it has confirmed its address, where that was asked; before that nothing happens to
    it, except for events, which are recorded. Of other changes than those of consent only the `watched`
    properties are looked at.
    """
    if after.is_unconfirmed:
        return [Fact(kind="event_received", contact=after, event=event)] if event else []
    facts: list[Fact] = []
    found = None if before is None or before.is_unconfirmed else before
    if found is None:
        facts.append(Fact(kind="contact_added", contact=after, starts_workflows=starts_workflows))
    if event is not None:
        facts.append(Fact(kind="event_received", contact=after, event=event))
    if found is None:
        facts += _memberships({}, after, starts_workflows=starts_workflows)
    elif found is not after:
        if watched and (changes := _changes(found, after, watched)):
            facts.append(
                Fact(
                    kind="contact_updated", contact=after, changes=changes, starts_workflows=starts_workflows
                )
            )
        if found.subscribed is not after.subscribed:
            facts.append(
                Fact(
                    kind="contact_resubscribed" if after.subscribed else "contact_unsubscribed", contact=after
                )
            )
        if found.mailing_lists is not after.mailing_lists:
            facts += _memberships(found.mailing_lists, after, starts_workflows=starts_workflows)
    return facts


def deletion_of(contact: ContactRow) -> list[Fact]:
    """What has happened when the contact was deleted: nothing, where nobody was told that it had come."""
    return [] if contact.is_unconfirmed else [Fact(kind="contact_deleted", contact=contact)]


def row_of(
    fact: Fact,
    kept_out: Mapping[str, Hindrance],
    *,
    webhooks: bool,
    declared: Collection[str],
    now: datetime,
) -> FactRow | None:
    """The fact as it is stored; None for one that nobody can ask for.

    `kept_out` tells which workflows did not take the contact in, and why. With `webhooks` the team has
    endpoints, which are told who it is about, and of a new contact all there is: its properties are those
    that are `declared`.
    """
    if fact.kind == "event_received":
        return None  # the event is a row of its own
    if not (webhooks or kept_out or fact.changes or fact.kind in CONSENT):
        return None
    detail: dict[str, Any] = {}
    if fact.list_id:
        detail["listId"] = fact.list_id
    if fact.changes:
        detail["changes"] = fact.changes
    if kept_out:
        detail["keptOut"] = kept_out
    if webhooks:
        contact = fact.contact
        detail["identity"] = {"id": contact.id, "email": contact.email, "userId": contact.user_id}
        if fact.kind == "contact_added":
            detail["contact"] = flat(contact, declared)
    return FactRow(
        id=new_id(now),
        team_id=fact.contact.team_id,
        kind=fact.kind,
        contact_id=fact.contact.id,
        email_id=fact.email_id,
        detail=detail,
    )


def _changes(before: ContactRow, after: ContactRow, watched: Collection[str]) -> dict[str, Change]:
    pairs = {key: (_value(before, key), _value(after, key)) for key in watched}
    return {key: Change(was=was, is_=new) for key, (was, new) in pairs.items() if was != new}


def _value(contact: ContactRow, key: str) -> Value | None:
    attribute = ATTRIBUTES.get(key)
    return getattr(contact, attribute) if attribute else contact.properties.get(key)


def _memberships(before: Mapping[str, str], after: ContactRow, *, starts_workflows: bool) -> list[Fact]:
    """The lists that the contact has joined and left."""
    facts: list[Fact] = []
    for list_id, membership in sorted(after.mailing_lists.items()):
        was, is_now = before.get(list_id) == "subscribed", membership == "subscribed"
        if was is not is_now:
            facts.append(
                Fact(
                    kind="list_joined" if is_now else "list_left",
                    contact=after,
                    list_id=list_id,
                    starts_workflows=starts_workflows,
                )
            )
    return facts
