"""A program that sends through an outbox and then ends in the way its first argument says.

    python outbox_program.py HOW FILE FIRST COUNT DRAIN

`exit` falls off its end, `wait` says "kept" and waits to be killed or told to end, `fork` sends from ten
children, `open` sends nothing. Events are `tick` with the property `n` from FIRST on, five contacts in ten
events.
"""

from __future__ import annotations

import os
import sys
import time

from loopwright import Loops
from loopwright.outbox import Outbox

CONTACTS_SHARE = 2


def send(outbox: Outbox, numbers: range) -> None:
    for n in numbers:
        outbox.send("tick", email=f"c{n // CONTACTS_SHARE}@example.com", properties={"n": n})


def send_from_children(outbox: Outbox, numbers: range) -> None:
    """Ten children, each of which ends as a program does; the parent sends the first event before they
    exist.
    """
    send(outbox, numbers[:1])
    share = len(numbers) // 10
    children = []
    for child in range(10):
        pid = os.fork()
        if pid == 0:
            send(outbox, numbers[max(1, child * share) : (child + 1) * share])
            sys.exit()
        children.append(pid)
    for pid in children:
        _, status = os.waitpid(pid, 0)
        if status:
            sys.exit(f"child {pid} ended with {status}")


def main(how: str, path: str, first: int, count: int, drain: float) -> None:
    # Many at a time and no retries in the client: a slow or absent server then takes less of the tests' time.
    outbox = Outbox(path, loops=Loops(api_key="k", max_retries=0), drain=drain, parallel=64)
    numbers = range(first, first + count)
    match how:
        case "fork":
            send_from_children(outbox, numbers)
        case "exit":
            send(outbox, numbers)
        case "wait":
            send(outbox, numbers)
            print("kept", flush=True)
            while True:
                # A signal that comes just before a longer wait would be seen only after it.
                time.sleep(0.05)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5]))
