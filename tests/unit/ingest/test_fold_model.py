"""Any list of commands, in any batching, comes to the same as one at a time."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from hypothesis import example, given
from hypothesis import strategies as st

from loopwright.server.ingest.command import Command, DeleteContact, Identity, UpdateContact
from loopwright.server.ingest.fold import Loaded, fold
from loopwright.server.store.contacts import ContactRow
from loopwright.server.store.events import UsedKey
from support.commands import commands
from support.sequential import LISTS, PROPERTIES, Sequential

NOW = datetime(2026, 5, 17, tzinfo=UTC)
TEAM = "t"


class Stored:
    """What the database would hold: the fold's changes, saved in the order that `batch` saves them."""

    def __init__(self) -> None:
        self.contacts: dict[str, ContactRow] = {}
        self.events: list[tuple[object, str]] = []
        self.keys: list[UsedKey] = []

    def commit(self, batch: Sequence[Command]) -> list[str]:
        """Fold one batch and save it."""
        loaded = Loaded(
            contacts=list(self.contacts.values()),
            properties={TEAM: PROPERTIES},
            lists={TEAM: frozenset(LISTS)},
            keys=self.keys,
        )
        folded = fold(loaded, batch, now=NOW)
        for _, contact_id in folded.deleted:
            del self.contacts[contact_id]
        for contact in folded.updated:
            assert contact.id in self.contacts
            self.contacts[contact.id] = contact
        for contact in folded.inserted:
            assert contact.id not in self.contacts
            self.contacts[contact.id] = contact
        assert len({one.email for one in self.contacts.values()}) == len(self.contacts)
        self.events += [(event.contact_id, event.name) for event in folded.events]
        self.keys += folded.keys
        return [
            type(outcome).__name__ if isinstance(outcome, Exception) else "ok" for outcome in folded.outcomes
        ]


def plain(contact: ContactRow) -> dict[str, object]:
    """A contact as the model keeps it."""
    lists = {name: True for name, state in contact.mailing_lists.items() if state == "subscribed"}
    return {
        "email": contact.email, "user_id": contact.user_id, "first_name": contact.first_name,
        "subscribed": contact.subscribed, **contact.properties, **lists,
    }  # fmt: skip


def batches(work: Sequence[Command], cuts: Sequence[int]) -> Iterator[Sequence[Command]]:
    """Cut `work` into batches of the given sizes, then one for the rest."""
    start = 0
    for size in cuts:
        yield work[start : start + size]
        start += size
    yield work[start:]


@given(work=commands(TEAM), cuts=st.lists(st.integers(1, 8), max_size=8))
@example(
    work=[
        UpdateContact(team_id=TEAM, identity=Identity("a@example.com", "u1")),
        UpdateContact(team_id=TEAM, identity=Identity("b@example.com", "u1")),
        UpdateContact(team_id=TEAM, identity=Identity("a@example.com", "u2")),
        DeleteContact(team_id=TEAM, identity=Identity(None, "u1")),
    ],
    cuts=[],
)
def test_batching_changes_nothing(work: list[Command], cuts: list[int]) -> None:
    """The same answers, the same contacts, the same events and keys."""
    model, stored = Sequential(), Stored()
    expected = [model.take(command) for command in work]
    answers = [answer for batch in batches(work, cuts) for answer in stored.commit(batch)]
    assert answers == expected
    by_email = {str(contact["email"]): contact for contact in model.contacts}
    assert {contact.email: plain(contact) for contact in stored.contacts.values()} == by_email
    assert [name for _, name in stored.events] == [name for _, name in model.events]
    assert {key.key for key in stored.keys} == model.keys
