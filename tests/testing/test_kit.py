"""The kit as a test suite has it: its own fixtures, on its own server."""

from pathlib import Path

from loopwright import Loops
from loopwright.testing import Inbox

WELCOME = Path(__file__).parents[2] / "src/loopwright/examples/welcome"


def test_two_lines(loops: Loops, inbox: Inbox, loops_definitions) -> None:
    """As in the README."""
    loops_definitions(WELCOME)
    loops.events.send("signup", email="ada@example.com")
    email = inbox.wait_for(to="ada@example.com")
    print(email.subject, email.why, email.links)
