"""Whether an email may go to its contact now: values in, a reason to skip it out."""

from loopwright.server.store.deliveries import Delivery

RESERVED_DOMAINS = ("example.com", "test.com")


def reason_to_skip(email: Delivery) -> str | None:
    """Why the email is not sent; `None` when it is.

    Marketing goes to subscribed contacts, and to the members of its mailing list if it has one. Transactional
    email asks for neither. Nothing goes to a suppressed address.
    """
    if email.is_suppressed:
        return "the address is suppressed: it bounced or complained earlier"
    if email.kind == "transactional":
        return None
    contact = email.contact
    if contact is None:
        return "the contact was deleted"
    if not contact.subscribed:
        return "the contact is unsubscribed"
    if contact.opt_in_status in ("pending", "rejected"):
        return f"the contact's opt-in is {contact.opt_in_status}"
    if email.mailing_list_id and contact.mailing_lists.get(email.mailing_list_id) != "subscribed":
        return "the contact is not on the mailing list"
    return None


def is_reserved(address: str) -> bool:
    """Whether the address is one for tests and examples, which only ever reaches the inbox."""
    return address.rpartition("@")[2].lower().rstrip(".") in RESERVED_DOMAINS
