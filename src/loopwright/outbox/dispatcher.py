"""The dispatcher: threads that take events from the spool and send them, several contacts at a time.

Each thread claims one contact's oldest event, sends it through the SDK's client (which paces and retries),
settles it, and claims again. Threads come as long as there is more to take than threads to take it, and leave
when there is nothing; one stays, looking once in a while for what other processes left behind. They are
daemon threads: an unfinished request never keeps a program from ending, because the event is still in the
file.
"""

from __future__ import annotations

import logging
import os
import random
import socket
import sqlite3
import time
from itertools import count
from threading import Condition, Thread
from typing import TYPE_CHECKING
from uuid import uuid4

from loopwright.client.waits import seconds_to_wait
from loopwright.errors import ArgumentError, LoopsError, RecipientNotAllowedError, StatusError
from loopwright.outbox.reasons import UNAUTHORIZED, outage, told
from loopwright.outbox.records import Delivery
from loopwright.outbox.schedule import HOPELESS, PATIENCE, Verdict, classify, delay_after, pause_after
from loopwright.outbox.spool import Spool

if TYPE_CHECKING:
    from loopwright.client._sync.events import Events

LEASE_SECONDS = 60.0
"""Longer than an attempt takes; one that takes longer still is sent twice at most, and accepted once."""

FORK_SECONDS = 5.0
"""How long a fork waits for requests under way. A child of a moment in which a thread holds a lock of the
interpreter's, as while importing, would find it held for ever.
"""

POLL_SECONDS = 1.0
"""How often an idle dispatcher looks for events that other processes left behind."""

log = logging.getLogger("loopwright.outbox")


class Dispatcher:
    """Delivers what is in `spool` through `events`, at most `parallel` contacts at a time."""

    def __init__(self, spool: Spool, events: Events, *, parallel: int) -> None:
        self._spool = spool
        self._events = events
        self._parallel = parallel
        self._leases = count()
        self._name = ""
        self.after_fork_in_child()

    def after_fork_in_child(self) -> None:
        """Start with nothing: threads do not cross a fork, and their locks must not."""
        _living.discard(self._name)
        self._name = uuid4().hex[:12]
        _living.add(self._name)
        self._change = Condition()
        self._threads = 0
        self._idle = 0
        self._under_way = 0
        self._failed_rounds = 0
        self._round_began = 0.0
        self._paused_until = 0.0
        self._outage = ""  # as it was last told
        self._adopted_at = 0.0
        self._stopping = False
        self._forking = False

    def before_fork(self) -> None:
        """Take nothing new, and let what is under way end."""
        with self._change:
            self._forking = True
            self._change.wait_for(lambda: self._under_way == 0, FORK_SECONDS)

    def after_fork_in_parent(self) -> None:
        """Go on."""
        with self._change:
            self._forking = False
            self._change.notify_all()

    # From the outside ---------------------------------------------------------------------------------------

    def wake(self) -> None:
        """There is something to deliver."""
        with self._change:
            if self._threads == 0:
                self._adopt()
            if self._idle:
                if time.time() >= self._paused_until:  # else whoever is idle looks by itself when it is over
                    self._change.notify_all()
            else:
                self._start_thread()

    def drain(self, until: float) -> bool:
        """Wait for what can be delivered before `until` (Unix seconds); tell whether nothing is left."""
        with self._change:
            while (now := time.time()) < until and self._worth_waiting(until):
                self._change.wait(min(until - now, 0.1))
        return self._spool.next_ready() is None

    def stop(self) -> None:
        """Let the threads leave after the event each has under way. Does not wait for them."""
        with self._change:
            self._stopping = True
            self._change.notify_all()

    def _worth_waiting(self, until: float) -> bool:
        if self._threads == 0 or self._failed_rounds >= HOPELESS:
            return False
        if self._under_way:
            return True
        ready = self._spool.next_ready()
        if ready is None:
            return False
        # Whoever else has a lane in hand gives it back long before the lease runs out.
        return max(ready, self._paused_until) < until or self._spool.is_held()

    # The threads --------------------------------------------------------------------------------------------

    def _start_thread(self) -> None:
        """Add a thread; call with `_change` held."""
        if self._threads >= self._parallel or self._stopping:
            return
        try:
            Thread(target=self._work, name="loopwright-outbox", daemon=True).start()
        except RuntimeError:  # the interpreter is ending: those that run must do
            return
        self._threads += 1

    def _work(self) -> None:
        while True:
            try:
                delivery = self._take()
                if delivery is not None:
                    self._deliver(delivery)
                elif not self._rest():
                    return
            except sqlite3.Error:
                log.exception("the outbox file %s cannot be used at the moment", self._spool.path)
                with self._change:
                    self._change.wait(POLL_SECONDS)

    def _take(self) -> Delivery | None:
        with self._change:
            self._change.wait_for(lambda: not self._forking)
            now = time.time()
            if self._stopping or now < self._paused_until:
                return None
            self._under_way += 1
        delivery = None
        try:
            delivery = self._spool.claim(lease=self._new_lease(), until=now + LEASE_SECONDS, now=now)
        finally:
            with self._change:
                if delivery is None:
                    self._under_way -= 1
                    self._change.notify_all()
                elif delivery.more and not self._idle:
                    self._start_thread()
        return delivery

    def _deliver(self, delivery: Delivery) -> None:
        began = time.time()
        try:
            verdict, status, reason = self._attempt(delivery)
            self._settle(delivery, verdict, status, reason)
            self._notice(verdict, status, reason, began)
        finally:
            with self._change:
                self._under_way -= 1
                self._change.notify_all()

    def _attempt(self, delivery: Delivery) -> tuple[Verdict, int | None, str]:
        """Send once, as the client understands once; say what it means, the status and the reason."""
        event = delivery.event
        try:
            self._events.send(
                event.name,
                email=event.email,
                user_id=event.user_id,
                properties=event.properties,
                contact=event.contact,
                mailing_lists=event.mailing_lists,
                idempotency_key=delivery.key,
            )
        except StatusError as error:
            return classify(error.status), error.status, error.message
        except (ArgumentError, RecipientNotAllowedError) as error:
            return Verdict.REFUSED, None, str(error)
        except LoopsError as error:
            return classify(None), None, str(error)
        except (TypeError, ValueError) as error:
            return Verdict.REFUSED, None, str(error)
        except Exception as error:  # a fault of a transport or of ours: the event must outlive it
            log.exception("event %d could not be sent", delivery.id)
            return Verdict.AGAIN, None, repr(error)
        return Verdict.DELIVERED, None, ""

    def _settle(self, delivery: Delivery, verdict: Verdict, status: int | None, reason: str) -> None:
        now = time.time()
        match verdict:
            case Verdict.DELIVERED:
                self._spool.delivered(delivery, now=now)
            case Verdict.REFUSED:
                self._spool.refused(delivery, status=status, reason=reason, now=now)
                log.error(
                    "event %d was refused and is now a dead letter: %s", delivery.id, told(status, reason)
                )
            case Verdict.AGAIN:
                delay = delay_after(delivery.attempts + 1, chance=random.random())  # noqa: S311 - no secret
                self._spool.failed(delivery, ready_at=now + seconds_to_wait(delay.total_seconds()))
                log.info(
                    "event %d was not accepted and is tried again: %s", delivery.id, told(status, reason)
                )

    def _notice(self, verdict: Verdict, status: int | None, reason: str, began: float) -> None:
        """Pause when nothing gets through any more, go on as soon as something does."""
        with self._change:
            if verdict is not Verdict.AGAIN:
                self._failed_rounds = 0
                self._paused_until = 0.0
                self._outage = ""
            elif began >= self._round_began:
                now = time.time()
                self._failed_rounds += 1
                self._round_began = now
                pause = pause_after(self._failed_rounds).total_seconds()
                self._paused_until = now + seconds_to_wait(pause)
                what = outage(status)
                if what != self._outage and (status == UNAUTHORIZED or self._failed_rounds >= PATIENCE):
                    self._outage = what
                    log.warning("%s: %s; events wait in %s", what, told(status, reason), self._spool.path)

    def _rest(self) -> bool:
        """Wait for something to do. False: somebody else is waiting already, or all are leaving; leave."""
        ready = self._spool.next_ready()
        with self._change:
            if self._idle or self._stopping:
                self._threads -= 1
                self._change.notify_all()
                return False
            self._idle += 1
            due = max(ready or 0.0, self._paused_until) - time.time()
            self._change.wait(min(POLL_SECONDS, max(due, 0.01)) if ready is not None else POLL_SECONDS)
            self._idle -= 1
        self._adopt()
        return True

    # Leases -------------------------------------------------------------------------------------------------

    def _new_lease(self) -> str:
        return f"{socket.gethostname()}:{os.getpid()}:{self._name}:{next(self._leases)}"

    def _adopt(self) -> None:
        """Free what dispatchers of this machine held that are no more; once in a while is often enough."""
        now = time.time()
        if now >= self._adopted_at + POLL_SECONDS:
            self._adopted_at = now
            self._spool.release(_orphaned, now=now)


_living: set[str] = set()
"""The dispatchers of this process. A lease may name the process and none of them: one that is gone may have
had the same id, as the first process of a restarted container does.
"""


def _orphaned(lease: str) -> bool:
    host, process, dispatcher, _ = lease.rsplit(":", 3)
    if host != socket.gethostname():
        return False
    if int(process) == os.getpid():
        return dispatcher not in _living
    return not _lives(int(process))


def _lives(process: int) -> bool:
    """Whether a process of this machine exists. Where one cannot ask, leases run out by themselves."""
    if os.name != "posix":
        return True
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
