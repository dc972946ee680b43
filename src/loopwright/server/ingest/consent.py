"""What contacts say of themselves: forms, double opt-in and preferences. Pure."""

from msgspec.structs import replace

from loopwright.server.mail.links import opt_in_url
from loopwright.server.store.contacts import ContactRow, Membership
from loopwright.server.store.emails import NewEmail
from loopwright.server.store.facts import Fact, PreferenceFact
from loopwright.wire.contacts import ContactSaved

from .asking import is_asked, question
from .command import AnswerOptIn, ContactInput, OptIn, SetPreferences, SubmitForm
from .contact import changed, joined, new_contact, unknown_contact
from .state import BatchState

FORM_SOURCE = "Form"
OPT_IN_VARIABLE = "optInUrl"


def submit_form(state: BatchState, command: SubmitForm) -> ContactSaved:
    """A new contact, or a little of one that is there; with double opt-in it is asked first."""
    before = state.find_by_email(command.team_id, command.identity.email)
    if before is not None:
        return _submit_again(state, before, command)
    contact = new_contact(state, command.team_id, command.identity)
    status = "pending" if command.opt_in else None
    contact = replace(contact, source=FORM_SOURCE, opt_in_status=status)
    contact = changed(state, contact, command.input)
    state.put(contact)
    if command.opt_in:
        _ask_to_confirm(state, contact, command.opt_in)
    return ContactSaved(success=True, id=contact.id)


def answer_opt_in(state: BatchState, command: AnswerOptIn) -> None:
    """Whoever was asked says yes or no. Raises `NotFound`."""
    contact = _by_link(state, command)
    if not contact.is_unconfirmed:
        return  # whoever confirmed before leaves by the link in any email
    if not command.accepted:
        state.put(replace(contact, opt_in_status="rejected", subscribed=False))
        return
    lists: dict[str, Membership] = {
        list_id: "subscribed" if membership == "pending" else membership
        for list_id, membership in contact.mailing_lists.items()
    }
    state.put(replace(contact, opt_in_status="accepted", subscribed=True, mailing_lists=lists))


def set_preferences(state: BatchState, command: SetPreferences) -> None:
    """What a contact wants of the lists and of us, by the link in an email. Raises `NotFound`."""
    contact = _by_link(state, command)
    known = state.lists.get(command.team_id, ())
    wanted: dict[str, Membership] = {
        list_id: joined(contact) if member else "opted_out"
        for list_id, member in command.lists.items()
        if list_id in known  # a list may be gone since the page was opened
    }
    subscribed = contact.subscribed if command.subscribed is None else command.subscribed
    if subscribed and contact.is_unconfirmed:
        subscribed = contact.subscribed  # only the link of double opt-in confirms
    after = replace(contact, subscribed=subscribed, mailing_lists={**contact.mailing_lists, **wanted})
    state.put(after)
    if command.email_id and (kind := _decision(contact, after)):
        state.folded.facts.append(Fact(kind=kind, contact=after, email_id=command.email_id))


def _decision(before: ContactRow, after: ContactRow) -> PreferenceFact | None:
    """What an email has made its contact decide: to leave the audience or a list, or to come back."""
    left = [
        list_id
        for list_id, membership in before.mailing_lists.items()
        if membership == "subscribed" and after.mailing_lists[list_id] != "subscribed"
    ]
    if left or (before.subscribed and not after.subscribed):
        return "email_unsubscribed"
    return "email_resubscribed" if after.subscribed and not before.subscribed else None


def _submit_again(state: BatchState, before: ContactRow, command: SubmitForm) -> ContactSaved:
    """A form changes little of a contact that is there: anybody can fill it in with the address."""
    fields = {name: value for name, value in command.input.fields.items() if name == "user_group"}
    contact = changed(state, before, ContactInput(fields=fields, lists=command.input.lists))
    # Whoever said no is left alone: whether to think again is up to them and the link they have.
    if command.opt_in and before.opt_in_status == "pending":
        _ask_to_confirm(state, contact, command.opt_in)
    state.put(contact)
    return ContactSaved(success=True, id=contact.id)


def _ask_to_confirm(state: BatchState, contact: ContactRow, opt_in: OptIn) -> None:
    asked = state.asked.setdefault(contact.team_id, {})
    if is_asked(asked, contact.email, opt_in.secret, state.now):
        return
    cause = question(contact.email, opt_in.secret, state.now)
    asked[cause] = state.now
    link = opt_in_url(opt_in.public_url, opt_in.secret, team_id=contact.team_id, contact_id=contact.id)
    state.folded.emails.append(
        NewEmail(
            team_id=contact.team_id,
            cause=cause,
            kind="transactional",
            message_id=opt_in.message_id,
            revision_id=opt_in.revision_id,
            contact_id=contact.id,
            to_email=contact.email,
            transactional_id=opt_in.transactional_id,
            data_variables={OPT_IN_VARIABLE: link},
        )
    )


def _by_link(state: BatchState, command: AnswerOptIn | SetPreferences) -> ContactRow:
    """The contact whose link was followed."""
    contact = state.find(command.team_id, command.contact_id)
    if contact is None:
        raise unknown_contact()
    return contact
