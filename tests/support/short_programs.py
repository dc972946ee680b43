"""Short programs that use the fast transport and end, each in its way, while all processors are busy.

    python tests/support/short_programs.py --runs 500 python3.11 python3.12 ...

runs each of `PROGRAMS` that often with each interpreter, which needs the packages of `loopwright[fast]`, and
says how many did not end as they should: with their own exit code, and without a word of an interpreter or a
thread that was ended at the wrong moment.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))

from support.faulty import FaultyServer

SOURCE = Path(__file__).parents[2] / "src"

START = """
import asyncio, atexit, os, signal, sys, tempfile, threading, time
from loopwright import AsyncLoops, Loops, Outbox

signal.signal(signal.SIGINT, signal.default_int_handler)  # a job in the background is made deaf to it

def client():
    return AsyncLoops(transport="pyreqwest")

async def send(loops, events):
    await asyncio.gather(*(loops.events.send("e", user_id=str(n)) for n in range(events)))
"""

PROGRAMS = {
    "closes its client": """
        async def main():
            async with client() as loops:
                await send(loops, 20)
        asyncio.run(main())
    """,
    "closes nothing": """
        async def main():
            await send(client(), 20)
        asyncio.run(main())
    """,
    "sends one event": """
        async def main():
            await client().events.send("e", user_id="u")
        asyncio.run(main())
    """,
    "has a client for all its event loops": """
        loops = client()
        for _ in range(3):
            asyncio.run(send(loops, 3))
    """,
    "raises": """
        async def main():
            await send(client(), 3)
            raise ValueError("the program's own")
        try:
            asyncio.run(main())
        except ValueError:
            sys.exit(7)
    """,
    "exits in a task": """
        async def leave(loops):
            await send(loops, 3)
            sys.exit(7)
        async def main():
            loops = client()
            await asyncio.gather(send(loops, 20), leave(loops))
        asyncio.run(main())
    """,
    "is interrupted": """
        async def main():
            asyncio.get_running_loop().call_later(0.02, os.kill, os.getpid(), signal.SIGINT)
            loops = client()
            while True:
                await send(loops, 5)
        try:
            asyncio.run(main())
        except KeyboardInterrupt:
            sys.exit(7)
    """,
    "leaves tasks to be cancelled": """
        async def main():
            loops = client()
            tasks = [asyncio.create_task(send(loops, 1)) for _ in range(20)]
            await tasks[0]
        asyncio.run(main())
    """,
    "leaves an event loop with requests": """
        async def main():
            loops = client()
            tasks = [asyncio.create_task(send(loops, 1)) for _ in range(20)]
            await tasks[0]
            return tasks
        loop = asyncio.new_event_loop()
        tasks = loop.run_until_complete(main())
    """,
    "has an event loop in a daemon thread": """
        async def main():
            loops = client()
            while True:
                await send(loops, 3)
        threading.Thread(target=asyncio.run, args=[main()], daemon=True).start()
        time.sleep(0.05)
    """,
    "sends once more at exit": """
        loops = client()
        atexit.register(lambda: asyncio.run(send(loops, 3)))
        asyncio.run(send(loops, 3))
    """,
    "is sync and closes": """
        with Loops(transport="pyreqwest") as loops:
            for n in range(5):
                loops.events.send("e", user_id=str(n))
    """,
    "is sync and closes nothing": """
        Loops(transport="pyreqwest").events.send("e", user_id="u")
    """,
    "is sync in daemon threads": """
        loops = Loops(transport="pyreqwest")
        def work():
            while True:
                loops.events.send("e", user_id="u")
        for _ in range(4):
            threading.Thread(target=work, daemon=True).start()
        time.sleep(0.05)
    """,
    "leaves events in an outbox": """
        folder = tempfile.TemporaryDirectory()
        outbox = Outbox(folder.name + "/events.db", loops=Loops(transport="pyreqwest"), drain=0.02)
        for n in range(20):
            outbox.send("e", user_id=str(n))
    """,
}
CODES = {"raises": 7, "exits in a task": 7, "is interrupted": 7}

COMPLAINTS = ("Fatal Python error", "panicked at", "FATAL:")


def end_badly(interpreter: str, name: str, server: FaultyServer) -> str | None:
    """Run a program once; what was wrong with its end, or `None`."""
    done = subprocess.run(
        [interpreter, "-c", START + textwrap.dedent(PROGRAMS[name])],
        env={
            **os.environ, "LOOPS_API_KEY": "key", "LOOPS_BASE_URL": server.url, "PYTHONPATH": str(SOURCE),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )  # fmt: skip
    if done.returncode == CODES.get(name, 0) and not any(word in done.stderr for word in COMPLAINTS):
        return None
    return f"exit code {done.returncode}: {done.stderr.strip()[-300:]}"


@contextmanager
def busy_processors() -> Iterator[None]:
    """Something to do for each of them."""
    count = os.cpu_count() or 1
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for burner in burners:
            burner.kill()
            burner.wait()


def run_all(interpreter: str, names: list[str], runs: int) -> dict[str, list[str]]:
    """Run each program `runs` times, two at a time. By its name, what was wrong."""
    with FaultyServer() as server, busy_processors(), ThreadPoolExecutor(2) as threads:
        jobs = {
            name: [threads.submit(end_badly, interpreter, name, server) for _ in range(runs)]
            for name in names
        }
        return {name: [bad for job in jobs[name] if (bad := job.result())] for name in names}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--runs", type=int, default=500)
    parser.add_argument("interpreters", nargs="*", default=[sys.executable])
    given = parser.parse_args()
    bad = 0
    for interpreter in given.interpreters:
        for name in PROGRAMS:
            complaints = run_all(interpreter, [name], given.runs)[name]
            bad += len(complaints)
            print(f"{interpreter}: a program that {name}: {len(complaints)} of {given.runs} bad", flush=True)
            for complaint in sorted(set(complaints))[:3]:
                print("   ", complaint)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
