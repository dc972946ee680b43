"""The fold: what a batch of commands comes to."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Literal, TypeVar

import pytest
from msgspec.structs import replace

from loopwright.server.ingest.command import (
    NOTHING,
    Command,
    ContactInput,
    CreateContact,
    DeleteContact,
    Identity,
    ImportContact,
    SendEvent,
    SendTransactional,
    SetPreferences,
    UpdateContact,
)
from loopwright.server.ingest.fold import fold
from loopwright.server.ingest.state import Folded, Loaded
from loopwright.server.refusal import BadRequest, Conflict, NotFound, Refusal
from loopwright.server.store.contacts import ContactRow
from loopwright.server.store.events import UsedKey
from loopwright.server.store.transactional import TransactionalRow
from loopwright.server.workflow.entry import triggers
from loopwright.wire import failures
from loopwright.wire.contacts import ContactSaved
from loopwright.wire.events import EventAccepted

NOW = datetime(2026, 5, 17, 12, tzinfo=UTC)
ADA = Identity("ada@example.com", None)
Row = TypeVar("Row")


def contact(id: str, email: str, user_id: str | None = None) -> ContactRow:  # noqa: A002
    return ContactRow(
        id=id, team_id="t", email=email, user_id=user_id, first_name=None, last_name=None, source="API",
        subscribed=True, user_group="", opt_in_status=None, notes=None, properties={}, mailing_lists={},
        created_at=NOW,
    )  # fmt: skip


def update(email: str | None = None, user_id: str | None = None, /, **said: object) -> UpdateContact:
    return UpdateContact(team_id="t", identity=Identity(email, user_id), input=ContactInput(custom=said))


def event(email: str | None = None, user_id: str | None = None, **properties: object) -> SendEvent:
    return SendEvent(team_id="t", identity=Identity(email, user_id), name="signup", properties=properties)


def folded(*commands: Command, **loaded: object) -> Folded:
    return fold(Loaded(**loaded), commands, now=NOW)  # type: ignore[arg-type]


def only(rows: list[Row]) -> Row:
    assert len(rows) == 1
    return rows[0]


A, B = contact("ca", "a@example.com"), contact("cb", "b@example.com", "b")
BOTH = contact("cc", "c@example.com", "c")


@pytest.mark.parametrize(
    ("email", "user_id", "expected"),
    [
        pytest.param("a@example.com", None, "ca", id="known address"),
        pytest.param("new@example.com", None, "new", id="new address"),
        pytest.param(None, "b", "cb", id="known user id"),
        pytest.param(None, "new", BadRequest, id="unknown user id has no address to create with"),
        pytest.param("a@example.com", "new", "ca", id="a known address gets the new user id"),
        pytest.param("new@example.com", "b", "cb", id="a known user id gets the new address"),
        pytest.param("c@example.com", "c", "cc", id="both name the same"),
        pytest.param("new@example.com", "new", "new", id="both are new"),
        pytest.param("a@example.com", "b", BadRequest, id="they name different contacts"),
    ],
)
@pytest.mark.parametrize("make", [update, event])
def test_whom_an_update_or_event_means(
    make: Callable[[str | None, str | None], Command],
    email: str | None,
    user_id: str | None,
    expected: object,
) -> None:
    """The identity table, row by row."""
    result = folded(make(email, user_id), contacts=[A, B, BOTH])
    outcome = only(result.outcomes)
    if expected is BadRequest:
        assert isinstance(outcome, BadRequest)
        assert (result.inserted, result.updated, result.events) == ([], [], [])
        return
    assert not isinstance(outcome, Exception)
    touched = {row.id: row for row in [*result.updated, *result.inserted, A, B, BOTH][::-1]}
    row = only(result.inserted) if expected == "new" else touched[str(expected)]
    assert row.email == (email or row.email)
    assert row.user_id == (user_id or row.user_id)


def test_a_second_identifier_moves_nobody_elses() -> None:
    """When the identifiers name two contacts, neither changes and nothing is recorded."""
    outcome = only(folded(event("a@example.com", "b"), contacts=[A, B]).outcomes)
    assert isinstance(outcome, BadRequest)
    assert outcome.message == failures.CONTACTS_DIFFER


@pytest.mark.parametrize(
    "identity",
    [
        pytest.param(Identity("b@example.com", None), id="known address"),
        pytest.param(Identity("new@example.com", "b"), id="known user id"),
    ],
)
def test_creating_what_is_there(identity: Identity) -> None:
    """A contact is created once; the text is the one programs compare with."""
    outcome = only(folded(CreateContact(team_id="t", identity=identity), contacts=[B]).outcomes)
    assert isinstance(outcome, Conflict)
    assert outcome.message == "Email or userId is already on list."


def test_commands_of_one_batch_see_each_other() -> None:
    """Two events for one new contact are one contact, two events, and one arrival."""
    result = folded(event("ada@example.com"), event("ada@example.com"))
    created = only(result.inserted)
    assert [row.contact_id for row in result.events] == [created.id, created.id]
    assert [one.kind for one in result.facts] == ["contact_added", "event_received", "event_received"]


@pytest.mark.parametrize("kind", [CreateContact, UpdateContact, ImportContact])
def test_a_contact_that_comes_in_quietly(kind: type[CreateContact | UpdateContact | ImportContact]) -> None:
    """It is there like any other, and what is told of it starts no workflow."""
    loud = folded(kind(team_id="t", identity=ADA))
    assert [triggers(one) for one in loud.facts] == [[("t", "SignupTrigger", None)]]
    quiet = folded(kind(team_id="t", identity=ADA, starts_workflows=False))
    assert only(quiet.inserted).email == "ada@example.com"
    assert [triggers(one) for one in quiet.facts] == [[]]


@pytest.mark.parametrize(
    ("identity", "becomes"),
    [
        pytest.param(Identity("new@example.com", "n"), ("new@example.com", "n", "CSV Upload"), id="new"),
        pytest.param(Identity(None, "b"), ("b@example.com", "b", "API"), id="by user id"),
        pytest.param(Identity("b@example.com", "b"), ("b@example.com", "b", "API"), id="by both"),
        pytest.param(Identity("a@example.com", "n"), ("a@example.com", "n", "API"), id="by address"),
        pytest.param(Identity("other@example.com", "b"), "another email address", id="another address"),
        pytest.param(Identity("a@example.com", "b"), "another email address", id="somebody else's"),
        pytest.param(Identity(None, "n"), "without an email none can be created", id="nobody"),
    ],
)
def test_whom_a_row_of_an_import_means(identity: Identity, becomes: tuple[str, str, str] | str) -> None:
    """A user id first, then an address; a row moves nobody to another address."""
    said = ContactInput(fields={"first_name": "X"})
    result = folded(ImportContact(team_id="t", identity=identity, input=said), contacts=[A, B])
    if isinstance(becomes, str):
        assert isinstance(result.outcomes[0], BadRequest)
        assert becomes in result.outcomes[0].message
        assert [*result.inserted, *result.updated] == []
        return
    row = only([*result.inserted, *result.updated])
    assert (row.email, row.user_id, row.source) == becomes
    assert row.first_name == "X"


def test_a_row_of_an_import_subscribes_nobody_again() -> None:
    """It may only say that somebody leaves, and its own source counts where it has one."""
    left = replace(A, subscribed=False)
    again = ImportContact(
        team_id="t",
        identity=Identity(A.email, None),
        input=ContactInput(fields={"subscribed": True, "source": "Shop"}),
    )
    assert only(folded(again, contacts=[left]).updated) == replace(left, source="Shop")
    leaves = replace(again, input=ContactInput(fields={"subscribed": False}))
    assert only(folded(leaves, contacts=[A]).updated) == left


def test_a_contact_made_and_removed_in_one_batch_was_never_there() -> None:
    """Nothing is left to save of it, and its address is free again."""
    create = CreateContact(team_id="t", identity=ADA)
    result = folded(create, DeleteContact(team_id="t", identity=ADA), create)
    saved = [outcome for outcome in result.outcomes if isinstance(outcome, ContactSaved)]
    assert len(saved) == 2
    assert only(result.inserted).id == saved[1].id
    assert result.deleted == []


def test_whoever_is_deleted_is_to_be_forgotten() -> None:
    """Also who was made in the same batch: there may be events of it."""
    known = folded(DeleteContact(team_id="t", identity=Identity("a@example.com", None)), contacts=[A])
    assert [contact.id for contact in known.forgotten] == [contact.id for contact in known.deleted] == [A.id]
    result = folded(
        SendEvent(team_id="t", identity=ADA, name="e", properties={}, input=NOTHING),
        DeleteContact(team_id="t", identity=ADA),
    )
    assert only(result.forgotten).id == only(result.events).contact_id


def test_an_address_passes_from_one_contact_to_another() -> None:
    """In one batch, B gives up its address and A's next holder takes it."""
    result = folded(update("z@example.com", "b"), update("b@example.com", "new"), contacts=[B])
    assert only(result.updated).email == "z@example.com"
    assert only(result.inserted).email == "b@example.com"


def test_what_changes_nothing_is_not_written() -> None:
    """An update that says what is known already leaves the row alone."""
    known = replace(A, properties={"plan": "pro"})
    result = folded(
        update("a@example.com", plan="pro"), contacts=[known], properties={"t": {"plan": "string"}}
    )
    assert (result.updated, result.inserted) == ([], [])


def test_custom_properties_take_their_declared_type() -> None:
    """Harmless differences are mended, dates become UTC, unknown keys are ignored, null clears."""
    known = replace(A, properties={"old": "x"})
    said = {
        "seats": "42",
        "code": 7,
        "active": "true",
        "since": "2024-01-17 10:21",
        "unknown": [],
        "old": None,
    }
    declared = {"seats": "number", "code": "string", "active": "boolean", "since": "date", "old": "string"}
    result = folded(update("a@example.com", **said), contacts=[known], properties={"t": declared})
    assert only(result.updated).properties == {
        "seats": 42, "code": "7", "active": True, "since": "2024-01-17T10:21:00.000Z",
    }  # fmt: skip


def test_a_value_of_the_wrong_type_changes_nothing() -> None:
    """One bad property refuses the whole command, by name."""
    result = folded(
        update("a@example.com", good="x", seats="many"),
        contacts=[A],
        properties={"t": {"good": "string", "seats": "number"}},
    )
    assert isinstance(only(result.outcomes), BadRequest)
    assert str(result.outcomes[0]).startswith("seats is not a number")
    assert result.updated == []


def test_lists_join_leave_and_stay_left() -> None:
    """A list that somebody left in person is not for the team to put them back on."""
    known = replace(A, mailing_lists={"left": "opted_out", "on": "subscribed", "other": "subscribed"})
    said = ContactInput(lists={"left": True, "on": False, "new": True, "never": False})
    result = folded(
        UpdateContact(team_id="t", identity=Identity("a@example.com", None), input=said),
        contacts=[known],
        lists={"t": frozenset({"left", "on", "new", "never", "other"})},
    )
    assert only(result.updated).mailing_lists == {
        "left": "opted_out", "on": "unsubscribed", "other": "subscribed", "new": "subscribed",
    }  # fmt: skip


def test_an_unknown_list_is_named() -> None:
    """Nothing is stored when a list does not exist."""
    said = ContactInput(lists={"nowhere": True})
    result = folded(UpdateContact(team_id="t", identity=ADA, input=said))
    assert isinstance(only(result.outcomes), BadRequest)
    assert "nowhere" in str(result.outcomes[0])
    assert result.inserted == []


def test_a_pattern_learns_and_forgives() -> None:
    """New properties join the pattern; a value that does not fit the guess turns the property into text."""
    result = folded(event("a@example.com", seats=3, on="2024-01-17"), event("a@example.com", on="soon"))
    assert result.events[0].properties == {"seats": 3, "on": "2024-01-17T00:00:00.000Z"}
    assert result.events[1].properties == {"on": "soon"}
    assert only(result.patterns).properties == {"seats": "number", "on": "string"}


def test_a_full_pattern_learns_no_more() -> None:
    """An event that would teach it one property too many is refused, whole; those it knows still come."""

    def numbered(first: int, end: int) -> dict[str, object]:
        return {f"p{n}": n for n in range(first, end)}

    result = folded(
        event("a@example.com", None, **numbered(0, 200)),
        event("a@example.com", None, **numbered(200, 400)),
        event("new@example.com", None, **numbered(390, 501)),
        event("a@example.com", None, **numbered(400, 500)),
        event("a@example.com", p1="a text from now on", items=[{"lists": "teach nothing"}]),
        event("a@example.com", one_more=1),
    )
    refused = [str(outcome) for outcome in result.outcomes if isinstance(outcome, Refusal)]
    assert [isinstance(outcome, Refusal) for outcome in result.outcomes] == [
        False, False, True, False, False, True,
    ]  # fmt: skip
    assert "have 400 properties by now, and at most 500 altogether; leave out p400, p401, p402" in refused[0]
    assert "leave out one_more" in refused[1]
    assert [one.email for one in result.inserted] == ["a@example.com"]
    assert len(only(result.patterns).properties) == 500


def test_a_key_works_once_in_a_batch_and_is_kept_by_a_refusal() -> None:
    """The second use is a conflict; a refused command leaves its key unused."""
    key = UsedKey("t", "events/send", "k")
    refused = replace(event(None, "unknown"), key=key)
    first = replace(event("a@example.com"), key=key)
    result = folded(refused, first, first)
    assert isinstance(result.outcomes[0], BadRequest)
    assert not isinstance(result.outcomes[1], Exception)
    assert isinstance(result.outcomes[2], Conflict)
    assert result.keys == [key]
    assert len(result.events) == 1


def test_a_key_used_before_is_a_conflict() -> None:
    """Whatever the body is."""
    key = UsedKey("t", "events/send", "k")
    result = folded(replace(event("a@example.com"), key=key), keys=[key])
    assert isinstance(only(result.outcomes), Conflict)
    assert (result.events, result.inserted) == ([], [])


def transactional(**changes: object) -> TransactionalRow:
    row = TransactionalRow(
        id="x", team_id="t", name="Receipt", draft_message_id=None, published_message_id="m",
        published_revision_id="r",
        data_variables=["total", "note"], group_id=None,
        required_variables=["total"], published_at=None,
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip
    return replace(row, **changes)


def send(**said: object) -> SendTransactional:
    command = SendTransactional(
        team_id="t", email="ada@example.com", transactional_id="x", data_variables={"total": 9}
    )
    return replace(command, **said)


def test_a_transactional_email_needs_no_contact() -> None:
    """A stranger gets it, and does not become a contact unless asked for."""
    result = folded(send(), send(add_to_audience=True), transactionals=[transactional()])
    assert [email.contact_id for email in result.emails] == [None, only(result.inserted).id]
    assert len({email.cause for email in result.emails}) == 2


@pytest.mark.parametrize(
    ("rows", "command", "refusal", "text"),
    [
        pytest.param([], send(), NotFound, failures.TRANSACTIONAL_NOT_FOUND, id="unknown"),
        pytest.param(
            [transactional(published_message_id=None)], send(), BadRequest, "not published", id="draft only"
        ),
        pytest.param(
            [transactional()],
            send(data_variables={"note": "x"}),
            BadRequest,
            "Missing required data variable(s): total",
            id="variable missing",
        ),
    ],
)
def test_a_transactional_email_that_cannot_be(
    rows: list[TransactionalRow], command: SendTransactional, refusal: type[Exception], text: str
) -> None:
    """The caller hears at once what the email would lack."""
    result = folded(command, transactionals=rows)
    assert isinstance(only(result.outcomes), refusal)
    assert text in str(result.outcomes[0])
    assert result.emails == []


def preferences(contact_id: str, subscribed: bool | None = None, /, **lists: bool) -> SetPreferences:
    return SetPreferences(team_id="t", contact_id=contact_id, subscribed=subscribed, lists=lists)


def test_unsubscribing_in_person() -> None:
    """From everything, or from a list; the other stays as it is."""
    result = folded(preferences("ca", False), preferences("cb", l=False), contacts=[A, B], lists={"t": {"l"}})
    after = {row.id: (row.subscribed, row.mailing_lists) for row in result.updated}
    assert after == {"ca": (False, {}), "cb": (True, {"l": "opted_out"})}
    stranger = folded(replace(preferences("ca", False), team_id="other"), contacts=[A])
    assert isinstance(only(stranger.outcomes), NotFound)


def test_coming_back_in_person() -> None:
    """Who has left comes back by their own wish; a list of nobody or of another team is ignored."""
    left = replace(A, subscribed=False, mailing_lists={"l": "opted_out", "other": "opted_out"})
    wish = preferences("ca", True, l=True, foreign=True)
    row = only(folded(wish, contacts=[left], lists={"t": {"l", "other"}, "u": {"foreign"}}).updated)
    assert (row.subscribed, row.mailing_lists) == (True, {"l": "subscribed", "other": "opted_out"})


@pytest.mark.parametrize("status", ["pending", "rejected"])
def test_an_unconfirmed_contact_confirms_by_its_own_link_only(status: Literal["pending", "rejected"]) -> None:
    """Neither preferences nor the API get round double opt-in: lists wait, and leaving works."""
    unconfirmed = replace(A, subscribed=False, opt_in_status=status)
    lists = {"t": {"l", "m", "n"}}
    row = only(folded(preferences("ca", True, l=True), contacts=[unconfirmed], lists=lists).updated)
    assert (row.subscribed, row.opt_in_status, row.mailing_lists) == (False, status, {"l": "pending"})
    joins = UpdateContact(
        team_id="t", identity=Identity(A.email, None), input=ContactInput(lists={"m": True})
    )
    assert only(folded(joins, contacts=[row], lists=lists).updated).mailing_lists["m"] == "pending"
    waiting = replace(unconfirmed, subscribed=True)
    assert only(folded(preferences("ca", False), contacts=[waiting]).updated).subscribed is False


@pytest.mark.parametrize(
    ("status", "changed"),
    [
        pytest.param(None, ["contact_updated"], id="not asked"),
        pytest.param("accepted", ["contact_updated"], id="confirmed"),
        pytest.param("pending", [], id="pending"),
        pytest.param("rejected", [], id="rejected"),
    ],
)
def test_of_unconfirmed_contacts_events_alone_are_told(
    status: Literal["accepted", "pending", "rejected"] | None, changed: list[str]
) -> None:
    """They are recorded and answered like any other; what keeps the contact out of workflows is told, too."""
    said = replace(event(A.email, plan="pro"), input=ContactInput(custom={"plan": "pro"}))
    result = folded(
        said,
        contacts=[replace(A, opt_in_status=status)],
        properties={"t": {"plan": "string"}},
        watched={"t": ["plan"]},
    )
    assert result.outcomes == [EventAccepted(success=True)]
    assert only(result.events).properties == {"plan": "pro"}
    assert [one.kind for one in result.facts] == ["event_received", *changed]
