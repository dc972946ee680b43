"""Sending campaigns over HTTP, below our own prefix."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from support.audience import declare
from support.contract import misread
from support.factories import add_contact, first_team, insert
from support.live import LiveServer

SOUND = {
    "subject": "News", "fromName": "Acme", "fromEmail": "hello",
    "lmx": "<Paragraph>Hello {contact.firstName}, you have {contact.plan}.</Paragraph>",
    "contactPropertiesFallbacks": {"firstName": "you"},
}  # fmt: skip


class Desk:
    """A campaign and what is asked of it."""

    def __init__(self, http: httpx2.AsyncClient, root: str) -> None:
        self.http = http
        self.root = root
        self.id = ""

    async def draft(self, **content: Any) -> None:
        made = (await self.http.post("/campaigns", json={"name": "News"})).json()
        self.id = made["id"]
        written = await self.http.post(f"/email-messages/{made['emailMessageId']}", json={**SOUND, **content})
        assert written.status_code == 200, written.text

    async def ask(self, what: str, status: int = 200, text: str = "", **body: Any) -> dict[str, Any]:
        """The answer to one of the actions; a refusal has the plain form."""
        path = f"{self.root}/loopwright/v1/campaigns/{self.id}/{what}"
        answer = await self.http.post(path, json=body)
        found: dict[str, Any] = answer.json()
        assert answer.status_code == status, found
        if status >= 400:
            assert misread(None, status, found) == []
            assert text in found["message"]
        return found

    async def state(self, **headers: str) -> dict[str, Any]:
        path = f"{self.root}/loopwright/v1/campaigns/{self.id}"
        found: dict[str, Any] = (await self.http.get(path, headers=headers)).json()
        return found

    async def status(self) -> str:
        """The API's own."""
        return str((await self.http.get(f"/campaigns/{self.id}")).json()["status"])


@pytest.fixture
async def desk(http: httpx2.AsyncClient, live_server: LiveServer) -> Desk:
    team_id = await first_team(live_server.pool)
    await declare(live_server.pool, team_id, plan="string")
    for name in ("ada", "bob"):
        await add_contact(
            live_server.pool, team_id, f"c{name}", email=f"{name}@example.com", first_name=name.capitalize(),
            properties={"plan": "pro"},
        )  # fmt: skip
    return Desk(http, live_server.base_url)


async def inbox(desk: Desk) -> list[tuple[str, str, str]]:
    found = (await desk.http.get(f"{desk.root}/loopwright/v1/inbox")).json()
    return [(one["toEmail"], one["subject"], one["text"].splitlines()[0]) for one in found]


async def test_tested_and_sent(desk: Desk, stranger: dict[str, str]) -> None:
    """A test as one's own contact has it, then one to everybody; a worker of the server does the rest."""
    await desk.draft()
    await desk.ask("test", 400, "email is missing")
    await desk.ask("test", email="ada@example.com")
    begun = await desk.ask("send")
    assert (begun["status"], begun["state"], begun["recipients"]) == ("Sending", "sending", 0)
    async with asyncio.timeout(20):
        while await desk.status() != "Sent":
            await asyncio.sleep(0.05)
    over = await desk.state()
    assert (over["state"], over["recipients"], over["isNoted"]) == ("sent", 2, True)
    assert {name: count for name, count in over["emails"].items() if count} == {"sent": 2}
    assert sorted(await inbox(desk)) == [
        ("ada@example.com", "News", "Hello Ada, you have pro."),
        ("ada@example.com", "[Test] News", "Hello Ada, you have pro."),
        ("bob@example.com", "News", "Hello Bob, you have pro."),
    ]
    assert (await desk.http.get(f"/campaigns/{desk.id}/metrics")).json()["sends"] == 2
    await desk.ask("send", 409, "not in draft")
    await desk.ask("send-to-joined", 422, "nobody whom marketing email reaches has joined")
    await desk.ask("retry", 400, "only", only="sent")
    assert (await desk.ask("retry"))["state"] == "sending"
    assert (await desk.state(**stranger))["message"] == "Campaign not found."


async def test_scheduled_and_cancelled(desk: Desk) -> None:
    """At a time that is given, or planned; what is open to it is told by its state."""
    await desk.draft()
    await desk.ask("schedule", 400, "no time is planned")
    await desk.ask("schedule", 400, "timestamp has passed", timestamp="2020-01-01T08:00:00Z")
    found = await desk.ask("schedule", timestamp="2999-01-01T10:00:00+02:00")
    assert (found["status"], found["startsAt"]) == ("Scheduled", "2999-01-01T08:00:00.000Z")
    shown = (await desk.http.get(f"/campaigns/{desk.id}")).json()
    assert shown["scheduling"] == {"method": "schedule", "timestamp": "2999-01-01T08:00:00.000Z"}
    await desk.ask("pause", 409, "It is scheduled: only one that is being sent can be paused")
    await desk.ask("resume", 409, "nothing to resume")
    assert (await desk.ask("cancel"))["status"] == "Draft"
    assert (await desk.ask("schedule"))["status"] == "Scheduled"


@pytest.mark.parametrize(
    "path",
    [
        *(f"campaigns/{{}}/{act}" for act in ("send", "pause", "resume", "cancel", "send-to-joined")),
        *(f"workflows/{{}}/{act}" for act in ("start", "pause", "resume", "stop")),
        *(f"webhooks/{{}}/{act}" for act in ("rotate", "test")),
    ],
)
async def test_who_says_more_than_the_path_is_told(desk: Desk, path: str) -> None:
    """A time that is given to `send` is not passed over: the campaign would begin at once."""
    await desk.draft()
    said = {"timestamp": "2999-01-01T08:00:00Z"}
    answer = await desk.http.post(f"{desk.root}/loopwright/v1/{path.format(desk.id)}", json=said)
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"].startswith("timestamp is not a key of this request")
    assert (await desk.http.get(f"/campaigns/{desk.id}")).json()["status"] == "Draft"


async def test_times_without_an_offset(desk: Desk, live_server: LiveServer) -> None:
    """They are those of clocks in the team's time zone, for both ways to say when."""
    await live_server.pool.execute("UPDATE team SET time_zone = 'Europe/Berlin'")
    await desk.draft()
    await desk.ask(
        "schedule", 400, "clocks in Europe/Berlin are put forward", timestamp="2040-03-25T02:30:00"
    )
    found = await desk.ask("schedule", timestamp="2040-07-01T10:00:00")
    assert found["startsAt"] == "2040-07-01T08:00:00.000Z"
    assert (found["startsAtLocal"], found["timeZone"]) == ("2040-07-01T10:00:00+02:00", "Europe/Berlin")
    await desk.ask("cancel")
    plan = {"scheduling": {"method": "schedule", "timestamp": "2040-01-01T10:00:00"}}
    planned = (await desk.http.post(f"/campaigns/{desk.id}", json=plan)).json()
    assert planned["scheduling"]["timestamp"] == "2040-01-01T09:00:00.000Z"


async def test_what_stands_in_its_way(desk: Desk) -> None:
    """All of it at once, and it stays a draft."""
    await desk.draft(subject="", lmx="<Paragraph>{contact.paln}</Paragraph>")
    found = await desk.ask("send", 422, "subject is empty")
    assert "paln (unsupportedContactProperties)" in found["message"]
    assert await desk.status() == "Draft"
    desk.id = "cnone"
    for action in ("send", "pause", "resume", "cancel", "send-to-joined", "retry"):
        await desk.ask(action, 404, "Campaign not found.")


async def test_where_a_warm_up_plan_stands(
    desk: Desk, live_server: LiveServer, stranger: dict[str, str]
) -> None:
    """Beside a campaign that is being sent, and for itself; nothing where there is no plan."""
    pool, team_id = live_server.pool, await first_team(live_server.pool)
    own = f"{desk.root}/loopwright/v1/warm-up"
    assert (await desk.http.get(own)).json() == {"warmUp": None}
    today = datetime.now(UTC).date()
    await insert(
        pool, "warm_up", team_id=team_id, per_day=8, per_hour=1, growth=50, until=100, cap=8, day=today
    )
    await desk.draft()
    assert (await desk.state())["warmUp"] is None
    await desk.ask("send")
    async with asyncio.timeout(20):
        while (shown := await desk.state())["emails"]["sent"] < 1:
            await asyncio.sleep(0.05)
    assert shown["state"] == "sending"
    plan = (await desk.http.get(own)).json()["warmUp"]
    assert (plan["perHour"], plan["perDay"], plan["sentInHour"], plan["sentInDay"]) == (1, 8, 1, 1)
    assert (plan["toCome"], plan["heldBack"]) == (1, "")
    assert plan["nextAt"] == plan["throughAt"] == shown["warmUp"]["throughAt"]
    assert (await desk.http.get(own, headers=stranger)).json() == {"warmUp": None}
    async with asyncio.timeout(20):
        while "loopwright_warm_up_waiting 1.0" not in (await desk.http.get(f"{desk.root}/metrics")).text:
            await asyncio.sleep(0.2)
    assert len(await inbox(desk)) == 1
