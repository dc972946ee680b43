"""One client in many places: threads, event loops, forked processes, gevent."""

import asyncio
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from loopwright import AsyncLoops, Loops
from loopwright.client.sync_async import TransportName
from support.faulty import FaultyServer, Handle, Reply
from support.short_programs import PROGRAMS, run_all

pytestmark = pytest.mark.slow

Serve = Callable[..., FaultyServer]


def run_program(program: str, server: FaultyServer, *arguments: str) -> str:
    """Run a program of its own and return what it printed; it must end well, and within 20 s."""
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", textwrap.dedent(program), *arguments],
        env={**os.environ, "LOOPS_API_KEY": "key", "LOOPS_BASE_URL": server.url},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "panicked" not in done.stderr
    return done.stdout.strip()


def run_logged(
    program: str, server: FaultyServer, *arguments: str, level: str | None
) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "LOOPS_API_KEY": "very-secret", "LOOPS_BASE_URL": server.url}
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program), *arguments],
        env=environment if level is None else {**environment, "LOOPS_LOG": level},
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )


@pytest.mark.parametrize("transport", ["httpx2", "pyreqwest"])
def test_many_threads_share_a_client(serve: Serve, transport: TransportName) -> None:
    """400 calls from 20 threads: each arrives once."""
    server = serve()
    with Loops("key", base_url=server.url, transport=transport) as loops, ThreadPoolExecutor(20) as threads:
        sent = list(threads.map(lambda n: loops.events.send("e", user_id=f"u{n}"), range(400)))
    assert all(accepted.success for accepted in sent)
    assert {request.json["userId"] for request in server.effects} == {f"u{n}" for n in range(400)}
    assert len(server.requests) == 400


@pytest.mark.parametrize("transport", ["httpx2", "pyreqwest"])
def test_one_event_loop_after_another(serve: Serve, transport: TransportName) -> None:
    """A client outlives the loop it was first used in."""
    server = serve()
    loops = AsyncLoops("key", base_url=server.url, transport=transport)

    async def use(last: bool) -> None:
        await asyncio.gather(*(loops.events.send("e", user_id="u") for _ in range(5)))
        if last:
            await loops.close()
        elif transport == "httpx2":
            await loops._connection.transport.close()  # type: ignore[attr-defined]

    for last in (False, False, True):
        asyncio.run(use(last))
    assert len(server.effects) == 15


@pytest.mark.parametrize("transport", ["httpx2", "pyreqwest"])
def test_several_event_loops_at_once(serve: Serve, transport: TransportName) -> None:
    """Loops in threads of their own share a client."""
    server = serve()
    loops = AsyncLoops("key", base_url=server.url, transport=transport)

    async def use() -> None:
        await asyncio.gather(*(loops.events.send("e", user_id="u") for _ in range(20)))
        if transport == "httpx2":
            await loops._connection.transport.close()  # type: ignore[attr-defined]

    def run(work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        asyncio.run(work())

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(run, [use] * 4))
    assert len(server.effects) == 80


def test_a_loop_that_ended_without_closing_does_no_harm(serve: Serve) -> None:
    """The usual program: a global client, `asyncio.run` again and again, and nobody closes anything."""
    server = serve()
    program = """
        import asyncio, warnings
        from loopwright import AsyncLoops
        warnings.simplefilter("ignore", ResourceWarning)
        loops = AsyncLoops()
        async def main():
            await asyncio.gather(*(loops.events.send("e", user_id="u") for _ in range(3)))
        for _ in range(4):
            asyncio.run(main())
        print("done")
    """
    assert run_program(program, server) == "done"
    assert len(server.effects) == 12


FORKING = """
    import os, sys
    from loopwright import Loops
    loops = Loops()
    if sys.argv[1] == "used":
        loops.events.send("parent", user_id="u")
    children = []
    for number in range(4):
        child = os.fork()
        if child == 0:
            for _ in range(3):
                loops.events.send("child", user_id=f"u{number}")
            os._exit(0)
        children.append(child)
    loops.events.send("parent", user_id="u")
    assert all(os.waitpid(child, 0)[1] == 0 for child in children)
    loops.events.send("parent", user_id="u")
    loops.close()
    print("done")
"""


@pytest.mark.parametrize(("before", "parents"), [("used", 3), ("unused", 2)])
def test_the_default_transport_survives_fork(serve: Serve, before: str, parents: int) -> None:
    """Used before the fork or not: parent and children go on, each over its own connections."""
    server = serve(Handle(delay=0.01))
    assert run_program(FORKING, server, before) == "done"
    assert len(server.effects) == len(server.keys) == 12 + parents
    assert server.connections == 5


def test_a_fork_while_threads_are_sending(serve: Serve) -> None:
    """Locks that other threads hold at that moment do not lock the child out."""
    server = serve()
    program = """
        import os, threading
        from loopwright import Loops
        loops = Loops()
        loops.events
        stop = threading.Event()
        def send():
            while not stop.is_set():
                loops.events.send("thread", user_id="u")
        threads = [threading.Thread(target=send) for _ in range(4)]
        for thread in threads: thread.start()
        for _ in range(10):
            child = os.fork()
            if child == 0:
                loops.events.send("child", user_id="u")
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
        stop.set()
        for thread in threads: thread.join()
        loops.close()
        print("done")
    """
    assert run_program(program, server) == "done"
    assert sum(request.json["eventName"] == "child" for request in server.effects) == 10


def test_a_celery_like_pool(serve: Serve) -> None:
    """multiprocessing's fork start method with a client made at import."""
    server = serve()
    program = """
        import multiprocessing
        from loopwright import Loops
        loops = Loops()
        loops.events.send("parent", user_id="u")
        def work(number):
            return loops.events.send("child", user_id=str(number)).success
        with multiprocessing.get_context("fork").Pool(3) as pool:
            assert all(pool.map(work, range(30)))
            pool.close()
            pool.join()
        loops.close()
        print("done")
    """
    assert run_program(program, server) == "done"
    assert len(server.effects) == 31


def test_the_fast_transport_refuses_a_forked_process(serve: Serve) -> None:
    """It says so at once, for an old client and for a new one, and what to use instead."""
    server = serve()
    program = """
        import os
        from loopwright import Loops, TransportUnavailableError
        loops = Loops(transport="pyreqwest")
        loops.events.send("parent", user_id="u")
        child = os.fork()
        if child == 0:
            refused = 0
            try:
                loops.events.send("child", user_id="u")
            except TransportUnavailableError as error:
                refused += "default transport" in str(error)
            try:
                Loops(transport="pyreqwest").events.send("child", user_id="u")
            except TransportUnavailableError as error:
                refused += "default transport" in str(error)
            Loops().events.send("child", user_id="u")
            os._exit(0 if refused == 2 else 1)
        assert os.waitpid(child, 0)[1] == 0
        loops.close()
        print("done")
    """
    assert run_program(program, server) == "done"
    assert len(server.effects) == 2


ENDING = """
    import asyncio, sys, threading, time, types
    from loopwright import AsyncLoops
    class Slow:
        def __del__(self, sleep=time.sleep):
            sleep(0.4)  # while the interpreter ends, so that answers come at that time
    last = sys.modules["last"] = types.ModuleType("last")
    last.slow = Slow()
    del last
    async def main(loops, done):
        task = asyncio.ensure_future(loops.events.send("e", user_id="u"))
        await asyncio.sleep(0.05)
        done.set()
        return task if sys.argv[1] == "left" else await task
    done = threading.Event()
    work = main(AsyncLoops(transport="pyreqwest"), done)
    loop = asyncio.new_event_loop()
    if sys.argv[1] == "left":
        task = loop.run_until_complete(work)
    else:
        threading.Thread(target=loop.run_until_complete, args=[work], daemon=True).start()
        done.wait()
    print("done", flush=True)
"""


@pytest.mark.parametrize("loop", ["left", "in a daemon thread"])
def test_the_fast_transport_lets_the_interpreter_end(serve: Serve, loop: str) -> None:
    """Its thread does not enter an interpreter that is ending, whatever answers come at that moment."""
    server = serve(Handle(delay=0.2))
    assert run_program(ENDING, server, loop) == "done"


def test_short_programs_end_with_their_own_exit_code() -> None:
    """While all processors are busy. `python tests/support/short_programs.py` runs each 500 times."""
    bad = run_all(sys.executable, list(PROGRAMS), 8)
    assert bad == {name: [] for name in PROGRAMS}


def test_under_gevent(serve: Serve) -> None:
    """Greenlets overlap with the default transport; the fast one refuses."""
    pytest.importorskip("gevent")
    server = serve(Handle(delay=0.2))
    program = """
        import warnings
        warnings.simplefilter("ignore")
        from gevent import monkey; monkey.patch_all()
        import gevent, time
        from loopwright import Loops, TransportUnavailableError
        loops = Loops()
        loops.api_key
        started = time.monotonic()
        jobs = [gevent.spawn(loops.events.send, "e", user_id=str(n)) for n in range(20)]
        gevent.joinall(jobs, raise_error=True)
        assert all(job.value.success for job in jobs)
        assert time.monotonic() - started < 2
        loops.close()
        try:
            Loops(transport="pyreqwest")
        except TransportUnavailableError as error:
            assert "gevent" in str(error)
            print("done")
    """
    assert run_program(program, server) == "done"
    assert len(server.effects) == 20


def test_importing_loads_next_to_nothing() -> None:
    """No server, no HTTP library; those come when a client is made."""
    program = """
        import sys
        import loopwright
        heavy = {"httpx2", "httpcore2", "httpx", "pyreqwest", "requests", "msgspec", "asyncio", "ssl"}
        assert not heavy & set(sys.modules), heavy & set(sys.modules)
        assert not any(name.startswith("loopwright.server") for name in sys.modules)
        from loopwright import Loops
        assert not (heavy - {"msgspec"}) & set(sys.modules), heavy & set(sys.modules)
        Loops("key")
        assert "httpcore2" in sys.modules
        assert not {"httpx2", "pyreqwest"} & set(sys.modules)
        Loops("key").events.send_many([{"name": "e", "user_id": "u"}])
        assert not {"loopwright.client.bulk", "concurrent.futures"} & set(sys.modules)
        assert not any(name.startswith("loopwright.server") for name in sys.modules)
        print("done")
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(program)], capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "done", done.stderr


LOGGING = """
    import logging, sys
    from loopwright import Loops
    if sys.argv[1] == "logs by itself":
        logging.basicConfig(format="mine: %(message)s")
    with Loops() as loops:
        loops.contacts.find(email="ada@example.com")
    with Loops() as loops:
        loops.events.send("signup", email="ada@example.com", user_id="u-77", idempotency_key="idem")
    print("done")
"""


@pytest.mark.parametrize("level", ["info", "debug", "INFO ", "", None])
@pytest.mark.parametrize("program", ["has no logging", "logs by itself"])
def test_a_log_without_code(serve: Serve, level: str | None, program: str) -> None:
    """`LOOPS_LOG` is enough: a line a request on standard error, once, and nothing personal in it."""
    server = serve(Reply(503, headers={"x-request-id": "r-1"}), Handle(body=b"[]"), Handle())
    done = run_logged(LOGGING, server, program, level=level)
    assert (done.returncode, done.stdout) == (0, "done\n"), done.stderr
    lines = [line for line in done.stderr.splitlines() if " ms (attempt " in line]
    assert len(lines) == (3 if level else 0)
    if lines:
        form = r"mine: " if program == "logs by itself" else r"\S+ \S+ INFO loopwright: "
        assert re.fullmatch(
            form + r"GET /v1/contacts/find: 503 in \d+ ms \(attempt 1, request r-1\)", lines[0]
        )
        assert re.fullmatch(form + r"POST /v1/events/send: 200 in \d+ ms \(attempt 1\)", lines[2])
    for secret in ("ada", "u-77", "idem", "very-secret", "signup"):
        assert secret not in done.stderr


@pytest.mark.parametrize("level", ["warning", "1", "debug,info"])
def test_a_level_that_is_none_is_told(serve: Serve, level: str) -> None:
    """One sentence, when the client is made; importing says and loads nothing."""
    program = """
        import sys
        import loopwright
        assert not {"logging", "httpcore2"} & set(sys.modules)
        try:
            loopwright.Loops()
        except loopwright.ConfigurationError as error:
            print(error)
    """
    done = run_logged(program, serve(), level=level)
    assert done.stdout == f"LOOPS_LOG is info or debug, not {level!r}\n", done.stderr
