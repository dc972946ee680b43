"""Any list of commands, in any batching, comes to the same as one at a time."""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import chain, repeat

from hypothesis import example, given, settings
from hypothesis import strategies as st

from loopwright.server.ingest.command import (
    AnswerOptIn,
    Command,
    ContactInput,
    DeleteContact,
    Identity,
    SubmitForm,
    UpdateContact,
)
from loopwright.server.ingest.fold import fold
from loopwright.server.ingest.state import Loaded
from loopwright.server.store.contacts import ContactRow
from loopwright.server.store.emails import NewEmail
from loopwright.server.store.events import EventRow, PatternRow, UsedKey
from loopwright.server.store.facts import Fact
from loopwright.server.store.transactional import TransactionalRow
from support.commands import batches, follow
from support.sequential import (
    CONFIRM,
    DRAFT,
    LISTS,
    MESSAGE,
    PROPERTIES,
    PUBLISHED,
    REVISION,
    TEAM,
    WATCHED,
    Sequential,
    State,
    grouped,
    plain,
)

NOW = datetime(2026, 5, 17, 10, 30, tzinfo=UTC)


def transactional(id: str, published: str | None) -> TransactionalRow:  # noqa: A002
    return TransactionalRow(
        id=id, team_id=TEAM, name=id, draft_message_id=None, published_message_id=published,
        published_revision_id=published and REVISION,
        data_variables=["total"], group_id=None,
        required_variables=["total"], published_at=None,
        created_at=NOW, updated_at=NOW,
    )  # fmt: skip


class Stored:
    """What the database would hold: the fold's changes, saved in the order that `batch` saves them."""

    def __init__(self) -> None:
        self.contacts: dict[str, ContactRow] = {}
        self.links: dict[str, str] = {}
        self.events: list[EventRow] = []
        self.patterns: dict[str, PatternRow] = {}
        self.keys: list[UsedKey] = []
        self.emails: dict[str, NewEmail] = {}
        self.asked: dict[str, datetime] = {}
        self.facts: list[Fact] = []

    def commit(self, batch: Sequence[Command], now: datetime) -> list[str]:
        """Fold one batch and save it."""
        self.links |= {contact.email: contact.id for contact in self.contacts.values()}
        loaded = Loaded(
            contacts=list(self.contacts.values()),
            properties={TEAM: PROPERTIES},
            lists={TEAM: frozenset(LISTS)},
            watched={TEAM: WATCHED},
            patterns=list(self.patterns.values()),
            transactionals=[transactional(PUBLISHED, MESSAGE), transactional(DRAFT, None)],
            keys=self.keys,
            asked={TEAM: self.asked},
        )
        folded = fold(loaded, [follow(command, self.links) for command in batch], now=now)
        for contact in folded.deleted:
            del self.contacts[contact.id]
        for contact in folded.updated:
            assert contact.id in self.contacts
            self.contacts[contact.id] = contact
        for contact in folded.inserted:
            assert contact.id not in self.contacts
            self.contacts[contact.id] = contact
        assert len({one.email for one in self.contacts.values()}) == len(self.contacts)
        self.patterns |= {pattern.name: pattern for pattern in folded.patterns}
        self.events += folded.events
        self.keys += folded.keys
        self.facts += folded.facts
        for email in folded.emails:
            self.emails.setdefault(email.cause, email)
            self.asked.setdefault(email.cause, now)
        return [
            type(outcome).__name__ if isinstance(outcome, Exception) else "ok" for outcome in folded.outcomes
        ]

    def state(self) -> State:
        """As the model tells its own."""
        return State(
            contacts={contact.email: plain(contact) for contact in self.contacts.values()},
            events=grouped((one.name, (self.address(one.contact_id), one.properties)) for one in self.events),
            patterns={name: dict(pattern.properties) for name, pattern in self.patterns.items()},
            emails=Counter(
                (one.to_email, self.address(one.contact_id), one.transactional_id)
                for one in self.emails.values()
            ),
            keys={(key.endpoint, key.key) for key in self.keys},
        )

    def address(self, contact_id: str | None) -> str | None:
        """The address that the contact has now; None when it is gone."""
        contact = self.contacts.get(contact_id or "")
        return contact.email if contact else None


ADA = Identity("a@example.com", None)
ASK = SubmitForm(team_id=TEAM, identity=ADA, input=ContactInput(lists={"list1": True}), opt_in=CONFIRM)
ALMOST = 30 * 24 * 60 - 20  # minutes
YES = AnswerOptIn(team_id=TEAM, contact_id="a@example.com", accepted=True)
NO = AnswerOptIn(team_id=TEAM, contact_id="a@example.com", accepted=False)


@settings(max_examples=300, deadline=None)
@given(work=batches(), pauses=st.lists(st.sampled_from([0, 20, ALMOST, ALMOST + 20])))
@example(
    work=[
        [
            UpdateContact(team_id=TEAM, identity=Identity("a@example.com", "u1")),
            UpdateContact(team_id=TEAM, identity=Identity("b@example.com", "u1")),
            UpdateContact(team_id=TEAM, identity=Identity("a@example.com", "u2")),
            DeleteContact(team_id=TEAM, identity=Identity(None, "u1")),
        ]
    ],
    pauses=[],
)
@example(work=[[ASK], [ASK, NO], [ASK, YES, ASK]], pauses=[0, ALMOST, 40])
@example(work=[[ASK], [ASK], [ASK], [ASK]], pauses=[0, ALMOST, 30, ALMOST])
@example(work=[[ASK], [DeleteContact(team_id=TEAM, identity=ADA), YES, ASK], [YES]], pauses=[])
def test_batching_changes_nothing(work: list[list[Command]], pauses: list[int]) -> None:
    """The same answers, state and facts, whatever the minutes between batches."""
    model, stored, now = Sequential(NOW), Stored(), NOW
    for batch, minutes in zip(work, chain(pauses, repeat(0)), strict=False):
        now += timedelta(minutes=minutes)
        model.begin(now)
        expected = [model.take(command) for command in batch]
        assert stored.commit(batch, now) == expected
    assert stored.state() == model.state()
    assert [told(one, stored.address(one.contact.id)) for one in stored.facts] == [
        (kind, model.address(contact), about, lists, starts)
        for kind, contact, about, lists, starts in model.facts
    ]


def told(fact: Fact, address: str | None) -> tuple[object, ...]:
    """What the model tells of a fact."""
    about = (
        fact.event.name
        if fact.event
        else fact.list_id or {key: (change.was, change.is_) for key, change in fact.changes.items()}
    )
    return fact.kind, address, about, fact.contact.mailing_lists, fact.starts_workflows
