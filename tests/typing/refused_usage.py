"""Mistakes that type checkers must find, one a line that ends in the mark. Nobody runs this."""

from __future__ import annotations

import httpx2

from loopwright import (
    AsyncLoops,
    Attachment,
    AudienceFilter,
    ContactUpdate,
    EventToSend,
    Loops,
    PropertyCondition,
    TimerActionPayload,
)

loops = Loops("key")

loops.events.send(3, email="a@b.c")  # refused
loops.events.send("signup", email=3)  # refused
loops.events.send("signup", emial="a@b.c")  # refused
loops.events.send("signup", email="a@b.c", properties={"tags": ["a"]})  # refused
loops.events.send("signup", email="a@b.c", mailing_lists=["l1"])  # refused
loops.events.send("signup", email="a@b.c", max_retries="many")  # refused
loops.events.send_many({"name": "signup", "email": "a@b.c"})  # refused
loops.events.send_many(["a@b.c"])  # refused
loops.events.send_many([EventToSend(email="a@b.c")])  # refused
loops.events.send_many([EventToSend(name="signup", mail="a@b.c")])  # refused
loops.contacts.update_many([ContactUpdate(email="a@b.c", subscribe=False)])  # refused
misspelled: list[EventToSend] = [{"name": "signup", "mail": "a@b.c"}]  # refused
loops.contacts.create()  # refused
print(loops.contacts.find(email="a@b.c").email)  # refused
loops.contacts.create("a@b.c", subscribed=None)  # refused
loops.contact_properties.create("plan", "text")  # refused
loops.contact_properties.list("mine")  # refused
print(loops.campaigns.get("c1").stauts)  # refused
loops.campaigns.list(per_page="50")  # refused
loops.workflows.update("w1", name="W")  # refused
loops.workflow_nodes.create("w1", "ExitAction", None, expected_revision_id=None)  # refused
loops.workflow_nodes.update("w1", "n1", {"amount": 2}, expected_revision_id=None)  # refused
AudienceFilter(match="some", conditions=[])  # refused
PropertyCondition(key="plan", operator="is", value="pro")  # refused
TimerActionPayload(amount=2, unit="weeks")  # refused
Attachment.from_bytes("a.txt", "text")  # refused
Loops("key", transport="curl")  # refused
Loops("key", transport=httpx2.AsyncClient())  # refused
AsyncLoops("key", transport=httpx2.Client())  # refused


async def forgotten() -> None:
    print((await AsyncLoops("key").api_key.test()).team)  # refused
    print(AsyncLoops("key").api_key.test().team_name)  # refused
