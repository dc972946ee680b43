"""GET and POST /unsubscribe/{token}: the links in marketing email, for people and mail programs (RFC 8058).

They open the preference center: a switch for each list, leaving everything, and coming back. Looking changes
nothing, as mail programs and virus scanners follow links. A POST that is none of the page's own forms is a
mail program's: it leaves what the email is about, its list or else the audience. Whoever holds a genuine
token may do all this; others learn nothing.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from html import escape

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from loopwright.server.ingest.batch import Ingest
from loopwright.server.ingest.command import SetPreferences
from loopwright.server.mail.links import is_genuine, read_token
from loopwright.server.refusal import NotFound
from loopwright.server.store.audience import ListRow, load_lists
from loopwright.server.store.contacts import ContactRow, load_contact
from loopwright.server.store.database import Pool
from loopwright.server.store.emails import SubscriptionRow, load_subscription
from loopwright.server.store.suppressions import is_suppressed

from .page import page, patient, read_form, unknown_link

PATH = "/unsubscribe/{token}"
FORM_BYTES = 100_000  # two ids for each list
LEAVE, SAVE, UNSUBSCRIBE, SUBSCRIBE = "leave", "save", "unsubscribe", "subscribe"
NOTICES = {SAVE: "Saved.", SUBSCRIBE: "You are subscribed again."}


class Opened(Struct, frozen=True, kw_only=True):
    """What a link opens: the email's subscription, and how its contact stands.

    `contact` is None once it was deleted. `lists` are those it may switch, the email's own first.
    """

    subscription: SubscriptionRow
    contact: ContactRow | None
    lists: Sequence[ListRow]
    is_suppressed: bool


def routes(pool: Pool, ingest: Ingest) -> Sequence[BaseRoute]:
    """The preference center and its forms."""

    async def show(request: Request) -> Response:
        opened = await _open(pool, request.path_params["token"])
        return _preferences(opened) if opened else unknown_link()

    async def decide(request: Request) -> Response:
        token = request.path_params["token"]
        opened = await _open(pool, token)
        if opened is None:
            return unknown_link()
        form = await read_form(request, FORM_BYTES)
        choice = form.get("choice", [LEAVE])[-1]
        wish = _wish(opened, choice, form)
        if wish:
            with suppress(NotFound):  # a deleted contact gets no marketing either
                await ingest.submit(wish)
        if choice in (LEAVE, UNSUBSCRIBE):
            return _farewell(opened, choice)
        now = await _open(pool, token)
        return _preferences(now, NOTICES.get(choice, "")) if now else unknown_link()

    return [Route(PATH, patient(show), methods=["GET"]), Route(PATH, patient(decide), methods=["POST"])]


async def _open(pool: Pool, token: str) -> Opened | None:
    """What the token opens, once its signature is verified."""
    ticket = read_token(token)
    if ticket is None:
        return None
    async with pool.acquire() as tx:
        found = await load_subscription(tx, ticket.team_id, ticket.email_id)
        if found is None or not is_genuine(ticket, found.secret, mailing_list_id=found.mailing_list_id):
            return None
        contact = await load_contact(tx, found.team_id, found.contact_id) if found.contact_id else None
        if contact is None:
            return Opened(subscription=found, contact=None, lists=(), is_suppressed=False)
        return Opened(
            subscription=found,
            contact=contact,
            lists=_offered(await load_lists(tx, [found.team_id]), contact, found.mailing_list_id),
            is_suppressed=await is_suppressed(tx, found.team_id, contact.email),
        )


def _offered(lists: Sequence[ListRow], contact: ContactRow, first: str | None) -> list[ListRow]:
    """The lists a contact may switch: the public ones, and private ones it is on or has left in person."""
    own = {id_ for id_, state in contact.mailing_lists.items() if state in ("subscribed", "opted_out")}
    offered = [one for one in lists if one.is_public or one.id in own]
    return sorted(offered, key=lambda one: (one.id != first, one.name.casefold(), one.id))


def _wish(opened: Opened, choice: str, form: Mapping[str, Sequence[str]]) -> SetPreferences | None:
    """What a form asks for; None when it asks for nothing."""
    if opened.contact is None:
        return None
    subscribed, lists = None, dict[str, bool]()
    if choice == LEAVE and opened.subscription.mailing_list_id:
        lists = {opened.subscription.mailing_list_id: False}
    elif choice in (LEAVE, UNSUBSCRIBE):
        subscribed = False
    elif choice == SUBSCRIBE:
        subscribed = True
    elif choice == SAVE:
        # Only what was switched: a page that was left open must not undo what happened since.
        on = set(form.get("on", ()))
        switched = on ^ set(form.get("was", ()))
        lists = {one.id: one.id in on for one in opened.lists if one.id in switched}
    else:
        return None
    return SetPreferences(
        team_id=opened.contact.team_id,
        contact_id=opened.contact.id,
        email_id=opened.subscription.email_id,
        subscribed=subscribed,
        lists=lists,
    )


def _preferences(opened: Opened, notice: str = "") -> Response:
    """The page as things stand; `notice` says what was just done."""
    sender, who = escape(opened.subscription.sender), _who(opened)
    contact = opened.contact
    if contact is None:
        return _silence(opened, f"{who} is no longer in the audience of {sender}.")
    if contact.opt_in_status in ("pending", "rejected"):
        return _silence(
            opened, f"{who} was not confirmed. The link in the email that asked for it still works."
        )
    if opened.is_suppressed:
        reason = f"An email to {who} came back or was reported as unwanted, so nothing is sent there."
        return _silence(opened, reason)
    said = f'<p class="notice" role="status">{notice}</p>' if notice else ""
    everything = _button(UNSUBSCRIBE, "Unsubscribe from everything", "quiet" if opened.lists else "")
    if not contact.subscribed:
        title = "You are unsubscribed"
        text = f"{who} gets no newsletters and other marketing email from {sender}."
        forms = _button(SUBSCRIBE, "Subscribe again")
    elif _is_on(contact, opened.subscription.mailing_list_id) and not notice:
        title = f"Leave “{_list(opened)}”?"
        text = f"{who} will no longer get emails that {sender} sends to this list."
        switches = _switches(opened, contact, "Or choose what you get", "second")
        forms = f"{_button(LEAVE, 'Leave this list')}<hr>{switches}{everything}"
    elif opened.lists:
        title = f"Email from {sender}"
        text = f"Choose what {who} gets."
        forms = _switches(opened, contact, "Mailing lists", "") + everything
    else:
        title = f"Unsubscribe from {sender}?"
        text = f"{who} will no longer get newsletters and other marketing email."
        forms = everything
    note = "<small>Emails about your account, such as receipts, still reach you.</small>"
    return page(title, f"{said}<h1>{title}</h1><p>{text}</p>{forms}{note}")


def _switches(opened: Opened, contact: ContactRow, legend: str, look: str) -> str:
    switches = "".join(_switch(one, is_on=_is_on(contact, one.id)) for one in opened.lists)
    save = f'<button name="choice" value="{SAVE}" class="{look}">Save</button>'
    return f'<form method="post"><fieldset><legend>{legend}</legend>{switches}</fieldset>{save}</form>'


def _switch(one: ListRow, *, is_on: bool) -> str:
    about = f"<small>{escape(one.description)}</small>" if one.description else ""
    was = f'<input type="hidden" name="was" value="{one.id}">' if is_on else ""
    box = f'<input type="checkbox" name="on" value="{one.id}"{" checked" if is_on else ""}>'
    return f"{was}<label><span>{escape(one.name)}{about}</span>{box}</label>"


def _farewell(opened: Opened, choice: str) -> Response:
    from_list = choice == LEAVE and opened.subscription.mailing_list_id
    left = f"“{_list(opened)}”" if from_list else escape(opened.subscription.sender)
    title = "You are unsubscribed"
    text = f"{_who(opened)} will no longer get marketing email from {left}. You can close this page."
    back = '<p><a href="">Choose what you get</a></p>' if opened.contact else ""
    return page(title, f"<h1>{title}</h1><p>{text}</p>{back}")


def _silence(opened: Opened, reason: str) -> Response:
    """The page of a contact that no switch brings email to; it can still say no for good."""
    title = f"You get no newsletters from {escape(opened.subscription.sender)}"
    leave = ""
    if opened.contact and opened.contact.subscribed:
        leave = _button(UNSUBSCRIBE, "Unsubscribe from everything")
    return page(title, f"<h1>{title}</h1><p>{reason}</p>{leave}")


def _button(choice: str, text: str, look: str = "") -> str:
    return f'<form method="post"><button name="choice" value="{choice}" class="{look}">{text}</button></form>'


def _is_on(contact: ContactRow, list_id: str | None) -> bool:
    return list_id is not None and contact.mailing_lists.get(list_id) == "subscribed"


def _who(opened: Opened) -> str:
    # A deleted contact's address is forgotten.
    return f"<strong>{escape(opened.subscription.to_email or 'This address')}</strong>"


def _list(opened: Opened) -> str:
    return escape(opened.subscription.list_name or "this mailing list")
