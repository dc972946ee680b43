"""`loopwright suppressions`, on a real database."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

import pytest
from typer.testing import CliRunner, Result

from loopwright.cli.program import program
from loopwright.server.clock import SystemClock
from loopwright.server.store.database import Pool
from loopwright.server.store.teams import TeamRow
from loopwright.server.suppression_lift import lift_wrong
from loopwright.server.suppression_review import FORGOTTEN
from loopwright.server.workflow.graph import ContactPropertyTrigger, ExitAction
from loopwright.wire.workflow_nodes import Comparison, ContactPropertyQuery
from support import factories
from support.dashboard_rows import Rows
from support.workflows import add_workflow

Run = Callable[..., Awaitable[Result]]
REFUSED = "the recipient was refused: "
GONE = f"{REFUSED}550 5.1.1 <x@elsewhere.org>: User unknown"
RELAY = f"{REFUSED}554 5.7.1 client host rejected"
UNCLEAR = f"{REFUSED}550 5.0.0 sorry"


@pytest.fixture
def run(database_url: str) -> Run:
    """Runs `loopwright suppressions review`, and answers with what it said."""

    async def run(*words: str, answer: str | None = None, code: int = 0) -> Result:
        runner = CliRunner(env={"LOOPWRIGHT_DATABASE_URL": database_url})
        result = await asyncio.to_thread(
            runner.invoke, program, ["suppressions", "review", *words], input=answer
        )
        assert result.exit_code == code, result.output
        return result

    return run


class Bounces:
    """Addresses that bounced, as a release that knew less wrote it down."""

    def __init__(self, pool: Pool, team: TeamRow) -> None:
        self.pool = pool
        self.team = team
        self.rows = Rows(pool, team.id)

    async def add(
        self, email: str, reason: str, *, kind: str = "marketing", opt_in: str | None = None
    ) -> None:
        """A contact whose email was refused with that reason: unsubscribed, and suppressed."""
        contact = await self.rows.contact(email, subscribed=False, opt_in_status=opt_in)
        contact_id = contact if kind == "marketing" else None
        await self.rows.email("Hi", email, contact_id, kind=kind, status="failed", reason=reason)
        await self.suppress(email)

    async def suppress(self, email: str, reason: str = "hard_bounce") -> None:
        await factories.suppress(self.pool, self.team.id, email, reason=reason)

    async def suppressed(self) -> set[str]:
        rows = await self.pool.fetch("SELECT email FROM suppression WHERE team_id = $1", self.team.id)
        return {row["email"].partition("@")[0] for row in rows}

    async def subscribed(self) -> set[str]:
        rows = await self.pool.fetch("SELECT email FROM contact WHERE subscribed")
        return {row["email"].partition("@")[0] for row in rows}


@pytest.fixture
async def bounces(pool: Pool, team: TeamRow) -> Bounces:
    bounces = Bounces(pool, team)
    await bounces.add("relay@elsewhere.org", RELAY)
    await bounces.add("login@elsewhere.org", RELAY, kind="transactional")
    await bounces.add("declined@elsewhere.org", RELAY, opt_in="rejected")
    await bounces.add("gone@elsewhere.org", GONE)
    await bounces.add("unclear@elsewhere.org", UNCLEAR)
    await bounces.suppress("forgotten@elsewhere.org")
    await bounces.suppress("spam@elsewhere.org", "complaint")
    return bounces


ALL = {"relay", "login", "declined", "gone", "unclear", "forgotten", "spam"}
KEPT = {"gone", "unclear", "forgotten", "spam"}


async def test_what_was_wrong_is_lifted_once_confirmed(run: Run, bounces: Bounces) -> None:
    """Those who got marketing before are subscribed again; no removal is counted; the rest stays."""
    shown = await run(answer="n\n", code=1)
    assert "relay@elsewhere.org" in shown.stdout
    assert "unclear@elsewhere.org" in shown.stdout
    assert "gone@elsewhere.org" not in shown.stdout
    assert "Rightly suppressed: 1 of 6" in shown.stdout
    await run(code=1)  # nobody answers
    assert (await bounces.suppressed(), await bounces.subscribed()) == (ALL, set())
    done = await run(answer="y\n")
    assert "Lifted: 3. Contacts subscribed again: 1." in done.stdout
    assert (await bounces.suppressed(), await bounces.subscribed()) == (KEPT, {"relay"})
    assert await bounces.pool.fetchval("SELECT count(*) FROM suppression_removal") == 0


async def test_lifting_is_told(run: Run, bounces: Bounces) -> None:
    """A contact that is subscribed again has a fact of it, and a workflow that waits for that takes it in."""
    pool, team = bounces.pool, bounces.team
    back = ContactPropertyQuery(
        key="subscribed", is_=Comparison(operator="true"), was=Comparison(operator="any")
    )
    trigger = ContactPropertyTrigger(next_node_ids=("exit",), contact_property_query=back)
    workflow = await add_workflow(pool, team.id, {"root": trigger, "exit": ExitAction()}, status="Sending")
    await run("--yes")
    contact_id = await pool.fetchval("SELECT id FROM contact WHERE email = 'relay@elsewhere.org'")
    told = await pool.fetch("SELECT contact_id, kind FROM fact ORDER BY id")
    assert [tuple(row) for row in told] == [
        (contact_id, "contact_updated"),
        (contact_id, "contact_resubscribed"),
    ]
    runs = await pool.fetch("SELECT workflow_id, contact_id FROM run")
    assert [tuple(row) for row in runs] == [(workflow.id, contact_id)]


async def test_who_has_left_since_then_stays_away(run: Run, bounces: Bounces) -> None:
    """The address is lifted; but a contact that came back and left is not subscribed again."""
    contact_id = await bounces.pool.fetchval("SELECT id FROM contact WHERE email = 'relay@elsewhere.org'")
    await factories.add_fact(
        bounces.pool,
        bounces.team.id,
        "contact_unsubscribed",
        contact_id=contact_id,
        now=datetime.now(UTC),
    )
    assert "Lifted: 3. Contacts subscribed again: 0." in (await run("--yes")).stdout
    assert (await bounces.suppressed(), await bounces.subscribed()) == (KEPT, set())


async def test_what_was_refused_since_the_look_stays(bounces: Bounces) -> None:
    """Between look and consent a server may have said that nobody is there."""
    await bounces.rows.email(
        "Code", "login@elsewhere.org", None, kind="transactional", status="failed", reason=GONE
    )
    agreed = {"login@elsewhere.org", "relay@elsewhere.org"}
    lifted = await lift_wrong(bounces.pool, SystemClock(), bounces.team.id, agreed)
    assert [one.email for one in lifted] == ["relay@elsewhere.org"]
    assert await bounces.suppressed() == ALL - {"relay"}


async def test_json(run: Run, bounces: Bounces) -> None:
    """Asks nothing: it ends with 1 while there is something to lift, and lifts with --yes."""
    seen = json.loads((await run("--json", code=1)).stdout)
    assert seen["lifted"] is False
    assert seen["right"] == 1
    assert {one["email"]: one["subscribesAgain"] for one in seen["wrong"]} == {
        "declined@elsewhere.org": False,
        "login@elsewhere.org": False,
        "relay@elsewhere.org": True,
    }
    assert [(one["email"], one["reason"]) for one in seen["uncertain"]] == [
        ("forgotten@elsewhere.org", FORGOTTEN),
        ("unclear@elsewhere.org", UNCLEAR),
    ]
    assert json.loads((await run("--json", "--yes")).stdout)["lifted"] is True
    assert (await bounces.suppressed(), await bounces.subscribed()) == (KEPT, {"relay"})
    after = json.loads((await run("--json")).stdout)
    assert (after["wrong"], after["lifted"]) == ([], False)


async def test_every_reason_counts(run: Run, bounces: Bounces) -> None:
    """An address that another email found wrong stays; a contact's address counts, however it was before."""
    await bounces.rows.email(
        "Code", "Relay@elsewhere.org", None, kind="transactional", status="failed", reason=GONE
    )
    await bounces.pool.execute(
        "UPDATE contact SET email = 'moved@elsewhere.org' WHERE email = 'declined@elsewhere.org'"
    )
    await bounces.suppress("moved@elsewhere.org")
    await bounces.rows.email(  # the message was refused after the dot: nobody was suppressed for that
        "Hi", "forgotten@elsewhere.org", None, status="failed", reason="the message was refused: 554 spam"
    )
    seen = json.loads((await run("--json", code=1)).stdout)
    assert seen["right"] == 2
    assert [one["email"].partition("@")[0] for one in seen["wrong"]] == ["declined", "login", "moved"]


async def test_a_bounce_after_the_dot_has_a_fact(run: Run, bounces: Bounces) -> None:
    """What this release suppresses it finds right."""
    email_id = await bounces.rows.email(
        "Hi", "dot@elsewhere.org", None, status="failed", reason="the message was refused: 550 5.1.1 unknown"
    )
    await factories.add_fact(
        bounces.pool, bounces.team.id, "email_bounced", email_id=email_id, now=datetime.now(UTC)
    )
    await bounces.suppress("dot@elsewhere.org")
    assert json.loads((await run("--json", code=1)).stdout)["right"] == 2


async def test_nothing_to_do(run: Run, team: TeamRow) -> None:
    """Ends with 0."""
    assert "Rightly suppressed: 0 of 0" in (await run()).stdout
