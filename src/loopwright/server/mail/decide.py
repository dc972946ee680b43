"""Whether an email may go to its contact now: values in, a reason to skip it or to hold it out."""

from functools import lru_cache

from loopwright.server.store.deliveries import Delivery
from loopwright.server.store.emails import Kind
from loopwright.server.store.held import HeldGroup

RESERVED_DOMAINS = ("example.com", "test.com")
# RFC 2606 and RFC 6761: nobody can own them, so email from them is nobody's.
UNOWNED = ("example.com", "example.net", "example.org", "example", "test", "invalid", "localhost")
NO_ADDRESS = (
    "the team has no postal address, which marketing email has to name; set it with: "
    "loopwright team set --address ADDRESS"
)
NO_HTTPS = (
    "unsubscribe links have to begin with https, where readers can reach the server; start servers and "
    "workers with --public-url https://HOST"
)


def reason_to_skip(email: Delivery) -> str | None:
    """Why the email is not sent; `None` when it is.

    Marketing goes to subscribed contacts, and to the members of its mailing list if it has one. Transactional
    email asks for neither. Nothing goes to a suppressed address.
    """
    if email.is_suppressed:
        return "the address is suppressed: it bounced or complained earlier"
    if email.kind == "transactional":
        return None
    if email.is_stopped:
        return (
            "marketing to the address is stopped: it bounced softly five times in a week or more; "
            "let it go on with: loopwright feedback release ADDRESS"
        )
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


def reason_to_hold(email: Delivery | HeldGroup, *, public_url: str) -> str | None:
    """Why the email may not leave the house yet; `None` when it may."""
    missing = lacks(email.kind, email.sending_domain, email.address, public_url=public_url)
    return f"it waits: {'. And '.join(missing)}" if missing else None


def lacks(kind: Kind, sending_domain: str, address: str, *, public_url: str) -> list[str]:
    """What a team lacks to send such email; nothing when it may leave.

    All email comes from a domain that somebody owns. Marketing names a postal address, too, and is left by a
    link that begins with https.
    """
    missing = [] if is_owned(sending_domain) else [no_domain(sending_domain)]
    if kind == "marketing":
        missing += [] if address.strip() else [NO_ADDRESS]
        missing += [] if public_url.startswith("https://") else [NO_HTTPS]
    return missing


def no_domain(domain: str) -> str:
    """What to do about a team's domain that is nobody's."""
    known = f" ({domain} is for examples and tests)" if domain else ""
    return f"the team has no sending domain of its own yet{known}; set one with: loopwright domain add DOMAIN"


@lru_cache(1024)
def is_owned(domain: str) -> bool:
    """Whether a domain can be somebody's: it is set, and none of those for tests and examples."""
    name = domain.lower().removesuffix(".")
    return "." in name and not any(name == one or name.endswith(f".{one}") for one in UNOWNED)


def is_reserved(address: str) -> bool:
    """Whether the address is one for tests and examples, which only ever reaches the inbox."""
    return address.rpartition("@")[2].lower().rstrip(".") in RESERVED_DOMAINS
