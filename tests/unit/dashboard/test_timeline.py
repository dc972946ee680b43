"""Everything is told below what caused it, once."""

from datetime import UTC, datetime

from loopwright.server.dashboard.timeline import EmailStory, EventStory, RunStory, tell, tell_events
from loopwright.server.store.pages.events import EmailLine, EventLine, RunLine

NOW = datetime(2026, 11, 23, tzinfo=UTC)


def event(name: str) -> EventLine:
    return EventLine(
        id=name, name="signup", properties={}, received_at=NOW, contact_id="c", contact_email=None
    )


def run(name: str, event_id: str | None = None) -> RunLine:
    return RunLine(
        id=name,
        event_id=event_id,
        workflow_name="Welcome",
        status="active",
        reason="",
        entered_at=NOW,
        created_at=NOW,
    )


def email(name: str, run_id: str | None = None) -> EmailLine:
    return EmailLine(
        id=name,
        run_id=run_id,
        contact_id="c",
        kind="marketing",
        to_email="ada@example.com",
        subject="",
        status="sent",
        reason="",
        attempts=1,
        created_at=NOW,
        sent_at=NOW,
        inbox_id=None,
    )


def test_events_keep_their_order_and_get_what_they_caused() -> None:
    """Two runs of one event, and an email of one of them, stand below that event."""
    runs = [run("r1", "e1"), run("r2", "e1")]
    assert tell_events([event("e2"), event("e1")], runs, [email("m1", "r2")]) == [
        EventStory(event("e2"), []),
        EventStory(event("e1"), [RunStory(runs[0], []), RunStory(runs[1], [email("m1", "r2")])]),
    ]


def test_a_timeline_mixes_beginnings_of_all_kinds() -> None:
    """Runs without an event and emails without a run are beginnings; the rest is below its cause."""
    told = tell(
        ["m2", "e1", "r2"],
        [event("e1")],
        [run("r1", "e1"), run("r2")],
        [email("m1", "r1"), email("m2"), email("m3", "r2")],
    )
    assert told == [
        EmailStory(email("m2")),
        EventStory(event("e1"), [RunStory(run("r1", "e1"), [email("m1", "r1")])]),
        RunStory(run("r2"), [email("m3", "r2")]),
    ]
