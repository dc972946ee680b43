"""Python's own settings in a process that lives for long."""

import gc
import sys

NEW_OBJECTS = 50_000
"""So many more objects are there before they are looked through, in place of 700.

A request's objects are gone when it is answered; looking through those under way finds nothing.
"""
SWITCH_SECONDS = 0.0005
"""How long a thread that computes keeps the event loop waiting, in place of 5 ms.

An event's way takes several turns of the loop, each of which waits once while a thread renders emails anew.
"""


def tune_interpreter() -> None:
    """Look for garbage less often, never among what is there now, and let the event loop run beside threads.

    Called once, when the process is ready: what it has made until then stays as long as it does.
    """
    gc.freeze()
    gc.set_threshold(NEW_OBJECTS, *gc.get_threshold()[1:])
    sys.setswitchinterval(SWITCH_SECONDS)
