"""The file: lanes, leases, dead letters. Real SQLite, times handed in."""

import os
import sqlite3
import stat
from contextlib import closing, nullcontext
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest

from loopwright.errors import ArgumentValueError
from loopwright.outbox.records import Delivery, EventArguments, Kept
from loopwright.outbox.spool import REMEMBERED_SECONDS, Spool
from loopwright.wire.values import Value

NOW = 1_772_366_400.0


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return opened(tmp_path)


def opened(folder: Path) -> Spool:
    return Spool(folder / "events.db", guard=nullcontext)


def add(spool: Spool, name: str, *, email: str = "ada@example.com", now: float = NOW) -> None:
    spool.add([kept(name, email=email)], now=now)


def kept(
    name: str,
    *,
    email: str = "ada@example.com",
    key: str | None = None,
    properties: dict[str, Value | None] | None = None,
) -> Kept:
    event = EventArguments(name=name, email=email, properties=properties or {})
    return Kept(event=event, key=key or f"key of {name}", given=key is not None)


def claim(spool: Spool, *, lease: str = "here:1:0", now: float = NOW) -> Delivery:
    delivery = spool.claim(lease=lease, until=now + 60, now=now)
    assert delivery is not None
    return delivery


def test_an_event_keeps_all_its_arguments(spool: Spool) -> None:
    event = EventArguments(
        name="signup",
        email="ada@example.com",
        user_id="u1",
        properties={"plan": "pro", "seats": 3, "trial": False, "gone": None},
        contact={"firstName": "Ada"},
        mailing_lists={"l1": True},
    )
    spool.add([Kept(event=event, key="k", given=False)], now=NOW)
    delivery = claim(spool)
    assert (delivery.event, delivery.key, delivery.attempts) == (event, "k", 0)


def test_one_event_of_a_contact_is_under_way_at_a_time(spool: Spool) -> None:
    add(spool, "first")
    add(spool, "second")
    first = claim(spool)
    assert spool.claim(lease="here:1:1", until=NOW + 60, now=NOW) is None
    spool.delivered(first, now=NOW)
    assert [first.event.name, claim(spool).event.name] == ["first", "second"]


def test_other_contacts_do_not_wait(spool: Spool) -> None:
    add(spool, "first")
    add(spool, "other", email="grace@example.com", now=NOW + 1)
    assert claim(spool, now=NOW + 2).more
    assert claim(spool, now=NOW + 2).event.name == "other"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        pytest.param({"email": "Ada@Example.com "}, {"email": "ada@example.com"}, True, id="one address"),
        pytest.param({"user_id": "u1", "email": "a@x.org"}, {"user_id": "u1"}, True, id="one user id"),
        pytest.param({"user_id": "u1"}, {"user_id": "U1"}, False, id="user ids are taken as they are"),
        pytest.param({"user_id": "a@x.org"}, {"email": "a@x.org"}, False, id="an address as user id"),
    ],
)
def test_a_lane_is_a_contact(one: dict[str, str], other: dict[str, str], same: bool) -> None:
    lanes = [msgspec.convert({"name": "n", **ids}, EventArguments).lane for ids in (one, other)]
    assert (lanes[0] == lanes[1]) is same


def test_a_failed_event_holds_its_lane_back(spool: Spool) -> None:
    """The order of a contact's events matters more than a later one arriving soon."""
    add(spool, "first")
    add(spool, "second")
    spool.failed(claim(spool), ready_at=NOW + 5)
    assert spool.claim(lease="here:1:1", until=NOW + 64, now=NOW + 4) is None
    again = claim(spool, now=NOW + 5)
    assert (again.event.name, again.attempts, again.key) == ("first", 1, "key of first")


def test_a_refused_event_becomes_a_dead_letter_and_lets_the_next_pass(spool: Spool) -> None:
    add(spool, "bad")
    add(spool, "good")
    spool.refused(claim(spool), status=400, reason="Invalid email address.", now=NOW + 1)
    assert claim(spool, now=NOW + 1).event.name == "good"
    (letter,) = spool.dead_letters()
    assert (letter.event.name, letter.status, letter.reason) == ("bad", 400, "Invalid email address.")
    assert letter.refused_at - letter.queued_at == timedelta(seconds=1)


def test_a_dead_letter_comes_back_under_its_key(spool: Spool) -> None:
    add(spool, "bad")
    spool.refused(claim(spool), status=400, reason="", now=NOW)
    (letter,) = spool.dead_letters()
    assert spool.requeue([letter.id, 77], now=NOW) == 1
    assert spool.dead_letters() == []
    assert claim(spool).key == "key of bad"


def test_a_dead_letter_can_be_thrown_away(spool: Spool) -> None:
    add(spool, "bad")
    spool.refused(claim(spool), status=None, reason="", now=NOW)
    assert spool.discard([spool.dead_letters()[0].id, 77]) == 1
    assert spool.status(now=NOW).dead_letters == 0


def test_a_lease_runs_out(spool: Spool) -> None:
    add(spool, "first")
    claim(spool, now=NOW)
    assert spool.claim(lease="there:2:0", until=NOW + 119, now=NOW + 59) is None
    assert claim(spool, lease="there:2:0", now=NOW + 60).event.name == "first"


def test_a_late_holder_cannot_free_what_another_took(spool: Spool) -> None:
    add(spool, "first")
    slow = claim(spool)
    claim(spool, lease="there:2:0", now=NOW + 60)
    spool.failed(slow, ready_at=NOW + 61)
    assert spool.claim(lease="here:1:1", until=NOW + 122, now=NOW + 62) is None


def test_two_deliveries_of_one_event_settle_once(spool: Spool) -> None:
    add(spool, "first")
    slow, quick = claim(spool), claim(spool, lease="there:2:0", now=NOW + 60)
    spool.delivered(quick, now=NOW + 61)
    spool.refused(slow, status=400, reason="", now=NOW + 62)
    assert spool.status(now=NOW + 62).depth == 0
    assert spool.dead_letters() == []
    assert spool.next_ready() is None


def test_leases_of_the_dead_are_freed(spool: Spool) -> None:
    add(spool, "first")
    claim(spool, lease="here:1:0")
    spool.release(lambda lease: lease == "elsewhere:1:0", now=NOW)
    assert spool.claim(lease="here:2:0", until=NOW + 60, now=NOW) is None
    spool.release(lambda lease: lease == "here:1:0", now=NOW)
    assert claim(spool, lease="here:2:0").event.name == "first"


def test_depth_and_age_tell_how_things_stand(spool: Spool) -> None:
    assert spool.status(now=NOW).depth == 0
    add(spool, "first", now=NOW)
    add(spool, "second", now=NOW + 30)
    status = spool.status(now=NOW + 90)
    assert (status.depth, status.age) == (2, timedelta(seconds=90))


def test_only_the_owner_reads_the_file(spool: Spool, tmp_path: Path) -> None:
    """It holds addresses. The companion files take their rights from it."""
    add(spool, "first")
    rights = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert rights.pop("events.db") == 0o600
    assert set(rights.values()) == {0o600}, "events.db-wal and events.db-shm"


def test_an_event_is_on_disk_before_send_returns(spool: Spool, tmp_path: Path) -> None:
    """Write-ahead log, flushed at every commit; the connection that keeps events says so itself."""
    add(spool, "first")
    assert spool._durable is not None
    assert spool._durable.execute("PRAGMA synchronous").fetchone() == (2,)
    assert spool._durable.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    with sqlite3.connect(tmp_path / "events.db") as other:
        assert other.execute("SELECT count(*) FROM event").fetchone() == (1,)
    other.close()


def test_a_given_key_is_one_event(spool: Spool) -> None:
    """Waiting, refused or delivered: the same event under its key is kept once."""
    first = kept("signup", key="k1", properties={"a": 1, "b": 2})
    same = kept("signup", key="k1", properties={"b": 2, "a": 1})
    spool.add([first, same], now=NOW)
    assert spool.status(now=NOW).depth == 1
    spool.refused(claim(spool), status=400, reason="", now=NOW)
    spool.add([same], now=NOW + 2 * REMEMBERED_SECONDS)
    assert spool.status(now=NOW).depth == 0
    spool.requeue([spool.dead_letters()[0].id], now=NOW)
    spool.delivered(claim(spool), now=NOW)
    spool.add([same], now=NOW + REMEMBERED_SECONDS)
    assert spool.status(now=NOW).depth == 0
    spool.add([same], now=NOW + REMEMBERED_SECONDS + 1)
    assert spool.status(now=NOW).depth == 1, "the API has forgotten it too"


def test_a_given_key_is_not_for_two_events(spool: Spool) -> None:
    """Nothing that came with the second is kept."""
    spool.add([kept("signup", key="k1")], now=NOW)
    with pytest.raises(ValueError, match="'k1' was given to another event"):
        spool.add([kept("one"), kept("signup", key="k1", email="grace@example.com")], now=NOW)
    assert spool.status(now=NOW).depth == 1


@pytest.mark.parametrize("umask", [0, 0o022])
def test_files_and_folders_are_their_owners_alone(tmp_path: Path, umask: int) -> None:
    """Whatever the umask, and in a folder that everybody may read."""
    tmp_path.chmod(0o777)
    before = os.umask(umask)
    try:
        spool = Spool(tmp_path / "made" / "too" / "events.db", guard=nullcontext)
        add(spool, "first")
        claim(spool)
        modes = {one.name: stat.S_IMODE(one.stat().st_mode) for one in tmp_path.rglob("*")}
    finally:
        os.umask(before)
    private = dict.fromkeys(("events.db", "events.db-wal", "events.db-shm"), 0o600)
    assert modes == {"made": 0o700, "too": 0o700, **private}


def test_files_that_others_could_read_are_closed_to_them(tmp_path: Path) -> None:
    """A version before this one, or a copy, may have left them so."""
    spool = opened(tmp_path)
    add(spool, "first")
    for one in tmp_path.iterdir():
        one.chmod(0o644)
    other = opened(tmp_path)
    add(other, "second")
    assert {stat.S_IMODE(one.stat().st_mode) for one in tmp_path.iterdir()} == {0o600}
    assert spool.status(now=NOW).depth == 2


def test_a_folder_is_no_outbox(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError, match="an outbox is a file"):
        Spool(tmp_path, guard=nullcontext)
    assert stat.S_IMODE(tmp_path.stat().st_mode) & 0o100, "and keeps its rights"


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    """SQLite would not say which it is."""
    notes = tmp_path / "notes.txt"
    notes.write_text("Nothing of an outbox's. " * 100)
    with pytest.raises(ArgumentValueError, match=r"notes\.txt' is a file of another kind"):
        Spool(notes, guard=nullcontext)


def test_a_database_of_another_program_is_left_as_it_is(tmp_path: Path) -> None:
    """No tables of ours come into it, and nobody loses the right to read it."""
    others = tmp_path / "app.db"
    with closing(sqlite3.connect(others)) as db:
        db.execute("CREATE TABLE event (title TEXT)")
    others.chmod(0o644)
    before = others.read_bytes()
    with pytest.raises(ArgumentValueError, match=r"app\.db' is the database of another program"):
        Spool(others, guard=nullcontext)
    assert stat.S_IMODE(others.stat().st_mode) == 0o644
    assert others.read_bytes() == before
    assert [*tmp_path.iterdir()] == [others]


def test_an_empty_file_becomes_an_outbox(tmp_path: Path) -> None:
    (tmp_path / "events.db").touch()
    add(opened(tmp_path), "first")
    assert opened(tmp_path).status(now=NOW).depth == 1


def test_the_file_is_reopened_after_closing(spool: Spool) -> None:
    add(spool, "first")
    spool.close()
    add(spool, "second")
    assert spool.status(now=NOW).depth == 2


def test_what_one_process_keeps_another_finds(spool: Spool, tmp_path: Path) -> None:
    add(spool, "first")
    assert claim(opened(tmp_path), lease="there:2:0").event.name == "first"
