"""Who caused what: events with their runs, runs with their emails. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from loopwright.server.store.pages.events import EmailLine, EventLine, RunLine


@dataclass(frozen=True)
class RunStory:
    """A run and the emails it sent or meant to send, oldest first."""

    kind: ClassVar[str] = "run"
    run: RunLine
    emails: Sequence[EmailLine]


@dataclass(frozen=True)
class EventStory:
    """An event and the runs it started, oldest first."""

    kind: ClassVar[str] = "event"
    event: EventLine
    runs: Sequence[RunStory]


@dataclass(frozen=True)
class EmailStory:
    """An email that no run sent."""

    kind: ClassVar[str] = "email"
    email: EmailLine


Entry = EventStory | RunStory | EmailStory


def tell_events(
    events: Iterable[EventLine], runs: Iterable[RunLine], emails: Iterable[EmailLine]
) -> list[EventStory]:
    """Put runs below their events and emails below their runs; events keep their order."""
    told = _by_event(tell_runs(runs, emails))
    return [EventStory(event, told[event.id]) for event in events]


def tell_runs(runs: Iterable[RunLine], emails: Iterable[EmailLine]) -> list[RunStory]:
    """Put emails below their runs; runs keep their order."""
    sent: defaultdict[str | None, list[EmailLine]] = defaultdict(list)
    for email in emails:
        sent[email.run_id].append(email)
    return [RunStory(run, sent[run.id]) for run in runs]


def tell(
    ids: Sequence[str], events: Iterable[EventLine], runs: Iterable[RunLine], emails: Sequence[EmailLine]
) -> list[Entry]:
    """Tell what began with `ids`, in their order, each with what followed from it."""
    entries: dict[str, Entry] = {email.id: EmailStory(email) for email in emails if email.run_id is None}
    stories = tell_runs(runs, emails)
    entries |= {story.run.id: story for story in stories if story.run.event_id is None}
    below = _by_event(stories)
    entries |= {event.id: EventStory(event, below[event.id]) for event in events}
    return [entries[entry_id] for entry_id in ids if entry_id in entries]


def _by_event(stories: Iterable[RunStory]) -> Mapping[str | None, list[RunStory]]:
    started: defaultdict[str | None, list[RunStory]] = defaultdict(list)
    for story in stories:
        started[story.run.event_id].append(story)
    return started
