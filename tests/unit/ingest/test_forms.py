"""Forms, double opt-in and blocklists in the fold: no database, no clock."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from msgspec.structs import replace

from loopwright.server.ingest.blocklist import is_blocked, read_pattern
from loopwright.server.ingest.command import (
    AnswerOptIn,
    Command,
    ContactInput,
    CreateContact,
    DeleteContact,
    Identity,
    OptIn,
    SubmitForm,
    UpdateContact,
)
from loopwright.server.ingest.fold import fold
from loopwright.server.ingest.state import Folded, Loaded
from loopwright.server.refusal import Refusal
from loopwright.server.store.contacts import ContactRow, Membership
from loopwright.wire.contacts import ContactSaved

NOW = datetime(2026, 5, 17, 10, 30, tzinfo=UTC)
ADA = Identity("ada@example.org", None)
OPT_IN = OptIn(
    transactional_id="ct",
    message_id="cm",
    revision_id="cr",
    public_url="https://mail.example.org",
    secret=b"s",
)


def form(lists: Sequence[str] = (), *, opt_in: OptIn | None = OPT_IN) -> SubmitForm:
    said = ContactInput(lists=dict.fromkeys(lists, True))
    return SubmitForm(team_id="t", identity=ADA, input=said, opt_in=opt_in)


def folded(commands: Sequence[Command], contacts: Sequence[ContactRow] = ()) -> Folded:
    return fold(Loaded(contacts=contacts, lists={"t": {"l1", "l2"}}), commands, now=NOW)


def only(result: Folded) -> ContactRow:
    (contact,) = (*result.inserted, *result.updated)
    return contact


def test_a_form_without_double_opt_in_adds_a_contact() -> None:
    """Subscribed, on its lists, and added for workflows."""
    result = folded([form(["l1"], opt_in=None)])
    contact = only(result)
    assert (contact.source, contact.subscribed, contact.opt_in_status) == ("Form", True, None)
    assert contact.mailing_lists == {"l1": "subscribed"}
    assert [one.kind for one in result.facts] == ["contact_added", "list_joined"]
    assert result.emails == []


def test_a_pending_contact_has_happened_to_nobody() -> None:
    """One email asks; no workflow starts, and its lists wait."""
    result = folded([form(["l1"])])
    contact = only(result)
    assert (contact.opt_in_status, contact.mailing_lists) == ("pending", {"l1": "pending"})
    assert result.facts == []
    (email,) = result.emails
    link = email.data_variables["optInUrl"]
    assert str(link).startswith(f"https://mail.example.org/opt-in/t.{contact.id}.")
    assert (email.kind, email.to_email) == ("transactional", "ada@example.org")
    assert (email.message_id, email.revision_id) == ("cm", "cr")


def asked_by(result: Folded) -> dict[str, dict[str, datetime]]:
    """What the database knows afterwards of who was asked."""
    return {"t": {email.cause: NOW for email in result.emails}}


def test_an_address_is_asked_once_in_a_batch() -> None:
    """And each time its lists are remembered."""
    result = folded([form(), form(["l2"])])
    assert len(result.emails) == 1
    assert only(result).mailing_lists == {"l2": "pending"}


@pytest.mark.parametrize(
    ("days", "again"),
    [
        pytest.param(0, 0, id="at once"),
        pytest.param(1, 0, id="the next day"),
        pytest.param(29.99, 0, id="just before 30 days"),
        pytest.param(30, 1, id="after 30 days"),
        pytest.param(100, 1, id="much later"),
    ],
)
@pytest.mark.parametrize("start", range(0, 40, 7))
def test_an_address_is_asked_once_in_thirty_days(start: int, days: float, again: int) -> None:
    """Wherever in the calendar they begin."""
    first = NOW + timedelta(days=start)
    asked = fold(Loaded(), [form()], now=first)
    loaded = Loaded(contacts=asked.inserted, asked={"t": {asked.emails[0].cause: first}})
    assert len(fold(loaded, [form()], now=first + timedelta(days=days)).emails) == again


def test_deleting_a_contact_does_not_have_it_asked_again() -> None:
    """The address is what must not be bothered; the cause does not give it away."""
    asked = folded([form()])
    loaded = Loaded(contacts=asked.inserted, asked=asked_by(asked))
    again = fold(loaded, [DeleteContact(team_id="t", identity=ADA), form()], now=NOW)
    assert again.emails == []
    assert only(again).opt_in_status == "pending"
    assert "ada" not in asked.emails[0].cause


def test_a_refusal_is_for_good() -> None:
    """No form asks again, however much later; the answer to the form is that of any other."""
    pending = only(folded([form()]))
    rejected = only(folded([AnswerOptIn(team_id="t", contact_id=pending.id, accepted=False)], [pending]))
    later = fold(Loaded(contacts=[rejected]), [form()], now=NOW + timedelta(days=400))
    assert later.emails == []
    assert later.updated == []
    assert later.outcomes == [ContactSaved(success=True, id=pending.id)]


def test_confirming_brings_everything_that_waited() -> None:
    """Lists, subscription and workflows, once."""
    pending = only(folded([form(["l1"])]))
    yes = AnswerOptIn(team_id="t", contact_id=pending.id, accepted=True)
    result = folded([yes, yes], [pending])
    contact = only(result)
    assert (contact.opt_in_status, contact.subscribed) == ("accepted", True)
    assert contact.mailing_lists == {"l1": "subscribed"}
    assert [one.kind for one in result.facts] == ["contact_added", "list_joined"]


def test_declining_and_thinking_again() -> None:
    """Rejected and unsubscribed; the same link still confirms."""
    pending = only(folded([form(["l1"])]))
    no = AnswerOptIn(team_id="t", contact_id=pending.id, accepted=False)
    rejected = only(folded([no], [pending]))
    assert (rejected.opt_in_status, rejected.subscribed) == ("rejected", False)
    assert rejected.mailing_lists == {"l1": "pending"}
    yes = AnswerOptIn(team_id="t", contact_id=pending.id, accepted=True)
    assert only(folded([yes], [rejected])).subscribed is True


def test_an_answer_for_another_teams_contact() -> None:
    """Nobody of that id is there."""
    pending = only(folded([form()]))
    result = folded([AnswerOptIn(team_id="other", contact_id=pending.id, accepted=True)], [pending])
    assert isinstance(result.outcomes[0], Refusal)


def test_an_opt_out_stays_one() -> None:
    """Anybody can fill a form in, so it brings nobody back to a list they left in person."""
    known = only(folded([CreateContact(team_id="t", identity=ADA)]))
    left = folded([form(["l1"], opt_in=None)], [_with(known, {"l1": "opted_out"})])
    assert left.updated == []


def _with(contact: ContactRow, lists: dict[str, Membership]) -> ContactRow:
    return replace(contact, mailing_lists=lists)


@pytest.mark.parametrize(
    ("email", "blocked"),
    [
        pytest.param("a@corp.test", True, id="a domain"),
        pytest.param("a@sub.corp.test", False, id="not its subdomains"),
        pytest.param("a@mit.edu", True, id="an ending"),
        pytest.param("a@edu", False, id="not the ending alone"),
        pytest.param("eve@example.org", True, id="one address"),
        pytest.param("reve@example.org", False, id="not a longer one"),
        pytest.param("a@corpxtest", False, id="a dot is a dot"),
    ],
)
def test_patterns(email: str, blocked: bool) -> None:
    """`*` stands for anything, the rest for itself."""
    patterns = [read_pattern(text) for text in (" *@Corp.test", "*@*.edu", "Eve@example.org ")]
    assert is_blocked(email, patterns) is blocked


@pytest.mark.parametrize("text", ["", "corp.test", "*", "a b@c.test", "@corp.test"])
def test_what_is_no_pattern(text: str) -> None:
    """The refusal shows the forms there are."""
    with pytest.raises(ValueError, match="write"):
        read_pattern(text)


@pytest.mark.parametrize(
    "command",
    [
        pytest.param(CreateContact(team_id="t", identity=ADA), id="created"),
        pytest.param(UpdateContact(team_id="t", identity=ADA), id="updated"),
        pytest.param(form(), id="by a form"),
    ],
)
def test_a_blocked_address_comes_in_by_no_way(command: Command) -> None:
    """Also when the contact that had it was deleted just before."""
    known = only(folded([CreateContact(team_id="t", identity=ADA)]))
    loaded = Loaded(contacts=[known], blocklists={"t": ["*@example.org"]})
    result = fold(loaded, [DeleteContact(team_id="t", identity=ADA), command], now=NOW)
    assert isinstance(result.outcomes[1], Refusal)
    assert (result.inserted, len(result.deleted)) == ([], 1)
