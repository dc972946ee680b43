"""The contacts, and one contact with all that is known of it and all that happened to it."""

from collections.abc import Sequence

from starlette.responses import Response

from loopwright.server.dashboard import answers, timeline
from loopwright.server.dashboard.lists import answer_list, list_fields
from loopwright.server.dashboard.pages.contacts import (
    ContactPage,
    ContactPart,
    ContactsPage,
    ContactsPart,
    Property,
)
from loopwright.server.dashboard.requests import LINES, NothingHere, Visit, cut
from loopwright.server.store.pages.contacts import (
    ContactDetail,
    ContactLine,
    list_contacts,
    list_timeline,
    load_contact_detail,
    load_memberships,
)
from loopwright.server.store.pages.events import load_emails, load_events, load_runs


async def show_contacts(visit: Visit) -> Response:
    """GET /contacts."""
    found = await list_contacts(
        visit.tx, visit.team_id, search=visit.search, before=visit.before, limit=LINES + 1
    )
    lines, older = cut(found, lambda line: line.id)
    part = ContactsPart(
        lines=lines,
        **list_fields(visit, found, older),
    )
    return answer_list(visit, visit.frame("Contacts", "contacts"), ContactsPage, part)


async def show_contact(visit: Visit) -> Response:
    """GET /contacts/{contact_id}."""
    contact = await load_contact_detail(visit.tx, visit.team_id, visit.path_id("contact_id"))
    if contact is None:
        raise NothingHere
    memberships = await load_memberships(visit.tx, visit.team_id, contact.id)
    entries, older = await _timeline(visit, contact.id)
    part = ContactPart(
        live=None
        if visit.cursor
        else answers.live(visit.here(), (contact, memberships, entries), seconds=visit.pace),
        contact=contact,
        properties=properties_of(contact),
        memberships=memberships,
        entries=entries,
        turn=visit.turn(older),
        fresh=visit.fresh,
    )
    if visit.wants_part:
        return answers.part(part, visit.request)
    return answers.page(
        ContactPage(
            frame=visit.frame(contact.email, "contacts"),
            email=contact.email,
            name=name_of(contact),
            since=contact.created_at,
            part=part,
        )
    )


def name_of(contact: ContactLine) -> str:
    """First and last name, as far as they are known."""
    return " ".join(filter(None, (contact.first_name, contact.last_name)))


def properties_of(contact: ContactDetail) -> Sequence[Property]:
    """All properties: the API's own first, then the team's by key. Those without a value have `None`."""
    own = {
        "email": contact.email,
        "firstName": contact.first_name,
        "lastName": contact.last_name,
        "userId": contact.user_id,
        "userGroup": contact.user_group or None,
        "source": contact.source,
        "notes": contact.notes,
    }
    custom = sorted(contact.property_types.keys() | contact.properties.keys())
    return [
        *(Property(name=name, value=value, type="string") for name, value in own.items()),
        *(
            Property(name=key, value=contact.properties.get(key), type=contact.property_types.get(key, ""))
            for key in custom
        ),
    ]


async def _timeline(visit: Visit, contact_id: str) -> tuple[Sequence[timeline.Entry], str | None]:
    found = await list_timeline(visit.tx, visit.team_id, contact_id, before=visit.before, limit=LINES + 1)
    beginnings, older = cut(found, lambda beginning: beginning[0])
    ids = {kind: [entry for entry, its in beginnings if its == kind] for kind in ("event", "run", "email")}
    events = await load_events(visit.tx, visit.team_id, ids["event"])
    runs = await load_runs(visit.tx, visit.team_id, events=ids["event"], runs=ids["run"])
    emails = await load_emails(visit.tx, visit.team_id, runs=[run.id for run in runs], emails=ids["email"])
    return timeline.tell([entry for entry, _ in beginnings], events, runs, emails), older
