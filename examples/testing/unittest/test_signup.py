"""The standard library alone."""

import unittest

from loopwright import Loops
from loopwright.testing import Server


def sign_up(email):
    """What a program does; LOOPS_API_KEY and LOOPS_BASE_URL say whose and where."""
    with Loops() as loops:
        loops.events.send("signup", email=email)


class SignupTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = cls.enterClassContext(Server())

    def setUp(self):
        self.team = self.enterContext(self.server.team())
        self.enterContext(self.team.environment())

    def test_nothing_before_the_event(self):
        self.team.clock.advance(days=30)
        self.team.inbox.assert_empty()

    def test_an_event_is_kept(self):
        sign_up("ada@example.com")
        with self.team.client() as loops:
            assert loops.contacts.find(email="ada@example.com") is not None

    def test_an_outage(self):
        fault = self.team.faults.on("POST /v1/events/send", times=2, status=503)
        sign_up("ada@example.com")
        assert fault.met == 2
