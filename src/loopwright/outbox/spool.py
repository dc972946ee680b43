"""The file: SQL and nothing else.

An event waits in `event`. Its contact has a row in `lane`, and whoever delivers an event holds that row until
the event is settled; so one event of a contact is under way at a time, the oldest first, whichever process
sends it. `ready_at` says from when the lane may be taken: now for new events, later after a failure, the end
of the lease while somebody holds it. A holder that dies leaves a lease that runs out. A holder that is merely
slow may lose its lane too; then two send the same event with the same idempotency key, and the API takes one
of them.

SQLite connections must not cross a `fork`: `before_fork` closes them, and both sides open their own when
needed.
"""

import os
import sqlite3
from collections.abc import Callable, Generator, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from errno import EISDIR
from hashlib import sha256
from pathlib import Path
from stat import S_ISREG
from threading import RLock

import msgspec

from loopwright.client.encoding import encode
from loopwright.errors import ArgumentValueError, LoopsError
from loopwright.outbox.records import EVENTS, DeadLetter, Delivery, Kept, Status

SCHEMA = """
CREATE TABLE IF NOT EXISTS event (
    id        INTEGER PRIMARY KEY AUTOINCREMENT, -- the order of sending
    key       TEXT NOT NULL,                     -- idempotency key
    lane      TEXT NOT NULL,                     -- whose event it is
    body      BLOB NOT NULL,                     -- the arguments, as JSON
    queued_at REAL NOT NULL,                     -- Unix seconds, as all times here
    attempts  INTEGER NOT NULL                   -- failed ones
);
CREATE INDEX IF NOT EXISTS event_lane ON event (lane, id);
CREATE TABLE IF NOT EXISTS lane (
    name     TEXT PRIMARY KEY,
    ready_at REAL NOT NULL,
    holder   TEXT                                -- host:process:dispatcher:number of the lease
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS lane_ready ON lane (ready_at);
CREATE TABLE IF NOT EXISTS given_key (           -- keys that the program gave, for as long as they matter
    key      TEXT PRIMARY KEY,
    digest   BLOB NOT NULL,                      -- of the event's arguments
    given_at REAL NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS dead_letter (
    id         INTEGER PRIMARY KEY,              -- what it was in event
    key        TEXT NOT NULL,
    lane       TEXT NOT NULL,
    body       BLOB NOT NULL,
    queued_at  REAL NOT NULL,
    refused_at REAL NOT NULL,
    status     INTEGER,                          -- of the answer; null when the client itself refused
    reason     TEXT NOT NULL
);
"""

OUR_TABLES = {"event", "lane", "dead_letter"}

REMEMBERED_SECONDS = 24 * 60 * 60.0
"""How long the API remembers an idempotency key, and so do we."""

BUSY_SECONDS = 30.0
"""How long to wait for another process's transaction; theirs are as short as ours."""


COMPANIONS = ("-wal", "-shm", "-journal")


class OutboxFileError(LoopsError, sqlite3.OperationalError):
    """The outbox's file cannot be used: the disk is full, the folder may not be written, or it is damaged."""


@contextmanager
def telling_of(path: Path) -> Generator[None]:
    """Let what SQLite refuses name the file. Raises `OutboxFileError`."""
    try:
        yield
    except sqlite3.Error as error:
        raise OutboxFileError(
            f"the outbox file {path} cannot be used: {error}; make room for it or give another path"
        ) from error


class Spool:
    """The file and this process's connections to it. Any thread may call; one at a time gets through.

    `guard` is entered around everything that holds the file, so that a signal can be kept waiting meanwhile.
    """

    def __init__(self, path: Path, *, guard: Callable[[], AbstractContextManager[None]]) -> None:
        self.path = path
        self._guard = guard
        self._lock = RLock()
        self._durable: sqlite3.Connection | None = None
        self._relaxed: sqlite3.Connection | None = None
        with self._guard(), self._lock:
            self._durable = self._connect("FULL")

    # One call, one transaction ------------------------------------------------------------------------------

    def add(self, kept: Sequence[Kept], *, now: float) -> None:
        """Keep all of them, or none; they are on disk when this returns.

        One whose given key is known is kept already; when it had other arguments, raises `ArgumentError`.
        """
        with self._writing() as tx:
            for one in kept:
                if one.given and not self._is_new(tx, one, now=now):
                    continue
                body = encode(one.event)
                self._append(tx, key=one.key, lane=one.event.lane, body=body, now=now, ready_at=now)

    def claim(self, *, lease: str, until: float, now: float) -> Delivery | None:
        """Take the lane that has been ready for longest and return its oldest event, if any is ready."""
        with self._settling() as tx:
            ready = tx.execute(
                "SELECT name FROM lane WHERE ready_at <= ? ORDER BY ready_at LIMIT 2", (now,)
            ).fetchall()
            if not ready:
                return None
            lane: str = ready[0][0]
            tx.execute("UPDATE lane SET ready_at = ?, holder = ? WHERE name = ?", (until, lease, lane))
            number, key, body, attempts = tx.execute(
                "SELECT id, key, body, attempts FROM event WHERE lane = ? ORDER BY id LIMIT 1", (lane,)
            ).fetchone()
        return Delivery(
            id=number, key=key, lane=lane, event=EVENTS.decode(body), attempts=attempts,
            lease=lease, more=len(ready) > 1,
        )  # fmt: skip

    def delivered(self, delivery: Delivery, *, now: float) -> None:
        """Forget an event that has arrived, and free its lane."""
        with self._settling() as tx:
            tx.execute("DELETE FROM event WHERE id = ?", (delivery.id,))
            self._free(tx, delivery, ready_at=now)

    def refused(self, delivery: Delivery, *, status: int | None, reason: str, now: float) -> None:
        """Put an event aside among the dead letters, and free its lane."""
        with self._settling() as tx:
            tx.execute(
                "INSERT OR IGNORE INTO dead_letter"
                " (id, key, lane, body, queued_at, refused_at, status, reason)"
                " SELECT id, key, lane, body, queued_at, ?, ?, ? FROM event WHERE id = ?",
                (now, status, reason, delivery.id),
            )
            tx.execute("DELETE FROM event WHERE id = ?", (delivery.id,))
            self._free(tx, delivery, ready_at=now)

    def failed(self, delivery: Delivery, *, ready_at: float) -> None:
        """Count a failed attempt; the lane waits until `ready_at`."""
        with self._settling() as tx:
            tx.execute("UPDATE event SET attempts = attempts + 1 WHERE id = ?", (delivery.id,))
            self._free(tx, delivery, ready_at=ready_at)

    def release(self, orphaned: Callable[[str], bool], *, now: float) -> None:
        """Free the lanes whose lease is `orphaned`, without waiting for the lease to run out."""
        with self._settling() as tx:
            holders = [row[0] for row in tx.execute("SELECT holder FROM lane WHERE holder IS NOT NULL")]
            for holder in filter(orphaned, holders):
                tx.execute("UPDATE lane SET ready_at = ?, holder = NULL WHERE holder = ?", (now, holder))

    def next_ready(self) -> float | None:
        """When the next lane may be taken: a time past is now, None is never."""
        with self._reading() as db:
            ready: float | None = db.execute("SELECT min(ready_at) FROM lane").fetchone()[0]
        return ready

    def is_held(self) -> bool:
        """Whether somebody has a lane in hand just now."""
        with self._reading() as db:
            return bool(
                db.execute("SELECT EXISTS (SELECT 1 FROM lane WHERE holder IS NOT NULL)").fetchone()[0]
            )

    def status(self, *, now: float) -> Status:
        """Count what is waiting."""
        with self._reading() as db:
            depth, oldest = db.execute("SELECT count(*), min(queued_at) FROM event").fetchone()
            dead = db.execute("SELECT count(*) FROM dead_letter").fetchone()[0]
        return Status(depth=depth, age=timedelta(seconds=max(0.0, now - (oldest or now))), dead_letters=dead)

    def dead_letters(self) -> list[DeadLetter]:
        """All of them, oldest first."""
        with self._reading() as db:
            rows = db.execute(
                "SELECT id, body, status, reason, queued_at, refused_at FROM dead_letter ORDER BY id"
            ).fetchall()
        return [
            DeadLetter(
                id=number,
                event=EVENTS.decode(body),
                status=status,
                reason=reason,
                queued_at=datetime.fromtimestamp(queued_at, UTC),
                refused_at=datetime.fromtimestamp(refused_at, UTC),
            )
            for number, body, status, reason, queued_at, refused_at in rows
        ]

    def requeue(self, letters: Sequence[int], *, now: float) -> int:
        """Put dead letters back at the end of their lanes, under their keys. Unknown ids are passed over."""
        moved = 0
        with self._writing() as tx:
            for number in letters:
                row = tx.execute(
                    "DELETE FROM dead_letter WHERE id = ? RETURNING key, lane, body", (number,)
                ).fetchone()
                if row is not None:
                    key, lane, body = row
                    self._append(tx, key=key, lane=lane, body=body, now=now, ready_at=now)
                    moved += 1
        return moved

    def discard(self, letters: Sequence[int]) -> int:
        """Delete dead letters for good."""
        with self._writing() as tx:
            return sum(tx.execute("DELETE FROM dead_letter WHERE id = ?", (n,)).rowcount for n in letters)

    @staticmethod
    def _is_new(tx: sqlite3.Connection, kept: Kept, *, now: float) -> bool:
        """Remember a given key, and forget those of which neither we nor the API have any use."""
        digest = sha256(msgspec.json.encode(kept.event, order="sorted")).digest()
        tx.execute(
            "DELETE FROM given_key WHERE given_at < ?"
            " AND NOT EXISTS (SELECT 1 FROM event WHERE event.key = given_key.key)"
            " AND NOT EXISTS (SELECT 1 FROM dead_letter WHERE dead_letter.key = given_key.key)",
            (now - REMEMBERED_SECONDS,),
        )
        row = tx.execute("SELECT digest FROM given_key WHERE key = ?", (kept.key,)).fetchone()
        if row is None:
            tx.execute("INSERT INTO given_key VALUES (?, ?, ?)", (kept.key, digest, now))
        elif row[0] != digest:
            raise ArgumentValueError(
                f"idempotency_key {kept.key!r} was given to another event within 24 hours; "
                "each event needs its own"
            )
        return row is None

    @staticmethod
    def _append(
        tx: sqlite3.Connection, *, key: str, lane: str, body: bytes, now: float, ready_at: float
    ) -> None:
        tx.execute(
            "INSERT INTO event (key, lane, body, queued_at, attempts) VALUES (?, ?, ?, ?, 0)",
            (key, lane, body, now),
        )
        tx.execute("INSERT OR IGNORE INTO lane (name, ready_at) VALUES (?, ?)", (lane, ready_at))

    @staticmethod
    def _free(tx: sqlite3.Connection, delivery: Delivery, *, ready_at: float) -> None:
        """Give the lane back if it is still ours; an empty lane goes."""
        held = (delivery.lane, delivery.lease)
        if tx.execute("SELECT 1 FROM event WHERE lane = ? LIMIT 1", (delivery.lane,)).fetchone():
            tx.execute(
                "UPDATE lane SET ready_at = ?, holder = NULL WHERE name = ? AND holder = ?", (ready_at, *held)
            )
        else:
            tx.execute("DELETE FROM lane WHERE name = ?", (delivery.lane,))

    # Connections --------------------------------------------------------------------------------------------

    @contextmanager
    def _writing(self) -> Generator[sqlite3.Connection]:
        """A transaction that is on disk when it ends: `synchronous = FULL`."""
        with self._guard(), self._lock:
            self._durable = self._durable or self._connect("FULL")
            with _transaction(self._durable):
                yield self._durable

    @contextmanager
    def _settling(self) -> Generator[sqlite3.Connection]:
        """A transaction that a power cut may undo: the event is then sent again, under the key it had."""
        with self._guard(), self._lock, _transaction(self._settler()) as tx:
            yield tx

    @contextmanager
    def _reading(self) -> Generator[sqlite3.Connection]:
        with self._guard(), self._lock:
            yield self._settler()

    def _settler(self) -> sqlite3.Connection:
        self._relaxed = self._relaxed or self._connect("NORMAL")
        return self._relaxed

    def _connect(self, synchronous: str) -> sqlite3.Connection:
        refuse_others(self.path)
        make_private(self.path)
        db = sqlite3.connect(self.path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
        db.execute("PRAGMA journal_mode = WAL")
        db.execute(f"PRAGMA synchronous = {synchronous}")
        db.executescript(f"BEGIN IMMEDIATE; {SCHEMA} COMMIT")
        return db

    def close(self) -> None:
        """Close this process's connections; the next call opens them again."""
        with self._guard(), self._lock:
            for db in (self._durable, self._relaxed):
                if db is not None:
                    db.close()
            self._durable = self._relaxed = None

    def before_fork(self) -> None:
        """Wait for the transaction under way, and close; the lock stays taken until the fork is done."""
        self._lock.acquire()
        self.close()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._lock.release()

    def after_fork_in_child(self) -> None:
        """Start anew: the lock may be held by a thread that does not exist here."""
        self._lock = RLock()


def refuse_others(path: Path) -> None:
    """Raises `ArgumentValueError` for a file that is not ours, such as another program's database."""
    if not path.is_file():
        return
    with closing(sqlite3.connect(path, timeout=BUSY_SECONDS)) as db:
        try:
            tables = {name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        except sqlite3.DatabaseError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_NOTADB:
                raise
            raise ArgumentValueError(f"path {str(path)!r} is a file of another kind, not an outbox") from None
    if tables and not tables >= OUR_TABLES:
        raise ArgumentValueError(
            f"path {str(path)!r} is the database of another program: an outbox needs a file of its own"
        )


def make_private(path: Path) -> None:
    """Make a file, and the folders it lacks, for their owner alone, whatever the umask says.

    SQLite gives the files it puts beside it the same rights. One that is there already loses those of others,
    by its name: to open and close it would drop the locks that SQLite holds in this process.
    """
    if path.is_dir():
        raise IsADirectoryError(EISDIR, "an outbox is a file, and this is a folder", str(path))
    for folder in reversed(path.parents):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600))
    for one in (path, *(path.with_name(path.name + ending) for ending in COMPANIONS)):
        with suppress(FileNotFoundError, PermissionError):  # the second: it is another user's to protect
            mode = one.stat().st_mode
            if S_ISREG(mode) and mode & 0o077:
                one.chmod(0o600)


@contextmanager
def _transaction(db: sqlite3.Connection) -> Generator[sqlite3.Connection]:
    db.execute("BEGIN IMMEDIATE")
    try:
        yield db
    except BaseException:
        db.execute("ROLLBACK")
        raise
    db.execute("COMMIT")
