"""Django's own runner; the task is run at once."""

from django.test import SimpleTestCase

from loopwright.testing import Server


class SignupTest(SimpleTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = cls.enterClassContext(Server())

    def setUp(self):
        self.team = self.enterContext(self.server.team())
        self.enterContext(self.team.environment())

    def test_signup(self):
        assert self.client.get("/signup?email=ada@example.com").status_code == 200
        with self.team.client() as loops:
            assert loops.contacts.find(email="ada@example.com") is not None

    def test_an_outage(self):
        self.team.faults.on("POST /v1/events/send", reset=True)
        assert self.client.get("/signup?email=ada@example.com").status_code == 200
