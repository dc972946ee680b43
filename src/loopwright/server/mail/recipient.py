"""What an email's variables stand for, for the person it goes to."""

from loopwright.server.store.contacts import ContactRow
from loopwright.server.store.deliveries import Delivery

from .links import Tracking
from .template import Values
from .variables import HIDDEN_LINK, ICONS_ROOT, OPEN_PIXEL, UNSUBSCRIBE_LINK


def values_for(
    email: Delivery, *, unsubscribe_link: str, icons_root: str, tracking: Tracking | None
) -> Values:
    """The values of one email: its contact's and its event's, or its data."""
    if email.rendered_as == "transactional":
        return Values(data=email.data_variables, system={ICONS_ROOT.name: icons_root})
    contact = contact_values(email.contact) if email.contact else {}
    system = {UNSUBSCRIBE_LINK.name: unsubscribe_link, ICONS_ROOT.name: icons_root}
    if tracking:
        system[OPEN_PIXEL.name] = tracking.open_pixel
        system[HIDDEN_LINK.name] = tracking.hidden_link
    return Values(
        contact=email.preview.contact if email.preview else contact,
        event=email.event_properties,
        system=system,
        click=tracking.click if tracking else None,
    )


def contact_values(contact: ContactRow) -> dict[str, object]:
    """What the variables of kind `contact` stand for."""
    return {
        **contact.properties,
        "email": contact.email,
        "firstName": contact.first_name,
        "lastName": contact.last_name,
        "notes": contact.notes,
        "source": contact.source,
        "userGroup": contact.user_group,
        "userId": contact.user_id,
        "subscribed": contact.subscribed,
        "createdAt": contact.created_at,
    }
