"""The end of a program that awaits pyreqwest.

Its runtime is a thread that lives as long as the process, and that enters the interpreter to wake asyncio's
tasks. An interpreter that ends meanwhile ends this thread in the midst of Rust code, and that aborts the
process. So before that nothing is to be awaited any more, and the thread is to have left the interpreter.
Threads that wait for a sync request wait outside of the interpreter, and its end leaves them alone.

Imports pyreqwest only at the end, so that it is ready before a daemon thread begins to.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Coroutine
from contextlib import suppress
from importlib import import_module
from threading import Lock
from time import monotonic, sleep
from typing import Any, TypeVar

from loopwright.errors import TransportUnavailableError
from loopwright.forks import in_every_child

Result = TypeVar("Result")

FAST = "loopwright.client.fast"

PATIENCE_SECONDS = 5.0
"""How long to try to break off what an event loop in another thread has in hand."""


class Awaited:
    """What this process awaits of pyreqwest."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._process = 0
        self._coroutines: set[Coroutine[Any, Any, Any]] = set()
        self._over = False

    def begin(self) -> None:
        """This process, and no child of it, has a runtime to wait for. Raises `TransportUnavailableError`."""
        with self._lock:
            self._check()
            self._process = os.getpid()

    async def result(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Await what pyreqwest has made. Raises `TransportUnavailableError` when the program is ending."""
        with self._lock:
            try:
                self._check()
            except TransportUnavailableError:
                coroutine.close()
                raise
            self._coroutines.add(coroutine)
        try:
            return await coroutine
        finally:
            self._coroutines.discard(coroutine)

    def start_in_child(self) -> None:
        """A lock that another thread held at the moment of a fork would stay locked in the child."""
        self._lock = Lock()

    def end(self) -> None:
        """Begin nothing any more, drop what is under way, and wait until the runtime has noticed."""
        with self._lock:
            self._over = True
        if FAST in sys.modules:
            import_module(FAST)  # a thread may be about it, and that is Rust code too
        if self._process != os.getpid():
            return
        until = monotonic() + PATIENCE_SECONDS
        while not all(_dropped(one) for one in self._coroutines.copy()) and monotonic() < until:
            sleep(0.001)
        _wait_for_runtime()

    def _check(self) -> None:
        if self._over:
            raise TransportUnavailableError(
                'transport="pyreqwest" has ended with the program; a function for atexit may use it when '
                "registered after the client was made, else the default transport"
            )


def _dropped(coroutine: Coroutine[Any, Any, Any]) -> bool:
    """Break a request off. False: an event loop has it in hand at this moment, in another thread."""
    try:
        coroutine.close()
    except RuntimeError:
        return False
    return True


def _wait_for_runtime() -> None:
    """Return when the runtime's thread, which does one thing after another, has done what came before.

    What it is asked to do is a request that it refuses itself, so that nothing is sent.
    """
    from pyreqwest.client import SyncClientBuilder
    from pyreqwest.exceptions import BuilderError

    builder = SyncClientBuilder().runtime_multithreaded(False).no_proxy().https_only(True)
    client = builder.danger_accept_invalid_certs(True).build()  # trusting nobody takes longer
    with suppress(BuilderError):
        client.get("http://127.0.0.1/").build().send()


awaited = Awaited()
atexit.register(awaited.end)
in_every_child(awaited.start_in_child)
