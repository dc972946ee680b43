"""`loopwright apply`: files become rows, all or nothing, and the second time nothing."""

import asyncio
import json
import os
import re
import shutil
import sys
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from asyncpg import CheckViolationError
from msgspec.structs import replace
from typer.testing import CliRunner, Result

from loopwright.cli.program import program
from loopwright.server.clock import SystemClock
from loopwright.server.content.save import write_content
from loopwright.server.definitions.apply import apply_definitions
from loopwright.server.definitions.folder import read_folder
from loopwright.server.definitions.model import Definitions
from loopwright.server.definitions.parse import parse
from loopwright.server.store import runs, workflows
from loopwright.server.store.audience import insert_property
from loopwright.server.store.database import Pool
from loopwright.server.store.events import EventRow
from loopwright.server.store.facts import Fact
from loopwright.server.store.jobs import RunStep
from loopwright.server.store.messages import load_current_revision
from loopwright.server.store.teams import TeamRow, insert_team
from loopwright.server.team_settings import SettingChanges, change_team
from loopwright.server.workflow import control
from loopwright.server.workflow.entry import by_trigger, entries
from loopwright.server.workflow.graph import Graph, TimerAction, decode_nodes, problems
from loopwright.server.workflow.runner import Runner
from support.clock import HandClock
from support.examples import WELCOME
from support.workflows import add_contact, run_step, until, utc_now, working

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs" / "workflows.md"
KINDS = ("mailing_list", "transactional_email", "workflow", "email_message")

Apply = Callable[..., Awaitable[Result]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the example, to be edited."""
    return Path(shutil.copytree(WELCOME, tmp_path / "welcome"))


@pytest.fixture
def apply(folder: Path, database_url: str) -> Apply:
    """Run the command on the folder and the test's database."""

    async def run(*options: str) -> Result:
        arguments = ["apply", str(folder), "--database-url", database_url, *options]
        # The command has an event loop of its own, as it has in a terminal.
        return await asyncio.to_thread(CliRunner().invoke, program, arguments)

    return run


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


async def everything(pool: Pool) -> dict[str, list[tuple[object, ...]]]:
    """All rows that definitions can make."""
    return {
        kind: [tuple(row) for row in await pool.fetch(f"SELECT * FROM {kind} ORDER BY id")] for kind in KINDS
    }


async def test_the_example_becomes_rows(apply: Apply, pool: Pool, team: TeamRow) -> None:
    """Everything is created for the only team, and the workflow sends at once."""
    result = await apply()
    assert result.exit_code == 0, result.output
    assert "created    workflow welcome" in result.output
    assert result.output.endswith("Applied: 3 created, 0 changed, 0 unchanged.\n")
    workflow = await pool.fetchrow("SELECT * FROM workflow")
    assert workflow is not None
    assert (workflow["team_id"], workflow["slug"], workflow["status"]) == (team.id, "welcome", "Sending")
    assert (workflow["trigger_type"], workflow["trigger_event"]) == ("EventTrigger", "signup")
    assert problems(Graph(workflow["root_node_id"], decode_nodes(workflow["nodes"]))) == []
    receipt = await pool.fetchrow("""
        SELECT data_variables, required_variables, message.subject, message.data_fallbacks
          FROM transactional_email JOIN email_message AS message ON message.id = published_message_id
    """)
    assert receipt is not None
    assert receipt["data_variables"] == ["amount", "note", "number", "plan"]
    assert receipt["required_variables"] == ["amount", "number", "plan"]
    assert json.loads(receipt["data_fallbacks"]) == {"note": "Thank you for your order."}
    news = await pool.fetchrow("SELECT slug, name, is_public FROM mailing_list")
    assert news is not None
    assert tuple(news) == ("product-news", "Product news", True)


async def test_the_second_time_changes_nothing(apply: Apply, pool: Pool, team: TeamRow) -> None:
    """Not even a timestamp or a revision."""
    await apply()
    before = await everything(pool)
    result = await apply()
    assert result.exit_code == 0
    assert result.output.endswith("Nothing to change.\n")
    assert await everything(pool) == before


async def test_only_what_differs_changes(apply: Apply, folder: Path, pool: Pool, team: TeamRow) -> None:
    """Ids stay, the rest follows the files."""
    await apply()
    before = await everything(pool)
    edit(folder / "workflows" / "first-tip.lmx", "Hello again", "Good morning")
    result = await apply()
    assert "changed    workflow welcome" in result.output
    assert result.output.endswith("Applied: 0 created, 1 changed, 2 unchanged.\n")
    after = await everything(pool)
    assert [row[0] for row in after["email_message"]] == [row[0] for row in before["email_message"]]
    assert len(set(after["email_message"]) - set(before["email_message"])) == 1
    assert after["workflow"] == before["workflow"]

    edit(folder / "lists.toml", "public = true", "public = false")
    edit(folder / "transactional" / "receipt.toml", 'note = "Thank you for your order."', "")
    result = await apply()
    assert "changed    mailing list product-news" in result.output
    assert "changed    transactional email receipt" in result.output
    assert await pool.fetchval("SELECT is_public FROM mailing_list") is False
    assert "note" in await pool.fetchval("SELECT required_variables FROM transactional_email")
    assert (await apply()).output.endswith("Nothing to change.\n")


async def test_dry_run_shows_the_same_and_changes_nothing(
    apply: Apply, folder: Path, pool: Pool, team: TeamRow
) -> None:
    """Before the first apply and before a change."""
    result = await apply("--dry-run")
    assert result.exit_code == 0, result.output
    assert result.output.endswith("Dry run, nothing was changed: 3 created, 0 changed, 0 unchanged.\n")
    assert await everything(pool) == {kind: [] for kind in KINDS}
    await apply()
    before = await everything(pool)
    edit(folder / "workflows" / "welcome.toml", '"1d"', '"2d"')
    shown = json.loads((await apply("--dry-run", "--json")).output)
    assert shown["dryRun"] is True
    assert {change["slug"]: change["action"] for change in shown["changes"]} == {
        "product-news": "unchanged",
        "receipt": "unchanged",
        "welcome": "changed",
    }
    assert await everything(pool) == before
    made = json.loads((await apply("--json")).output)
    assert made["changes"] == shown["changes"]


async def test_a_dry_run_on_a_new_data_folder_leaves_no_trace(folder: Path, tmp_path: Path) -> None:
    """Nothing is started, nothing is made."""
    data = tmp_path / "data"
    arguments = ["apply", str(folder), "--dry-run", "--data-dir", str(data)]
    result = await asyncio.to_thread(
        CliRunner(env={"LOOPWRIGHT_DATABASE_URL": ""}).invoke, program, arguments
    )
    assert result.exit_code == 0, result.output
    assert "3 created" in result.output
    assert not data.exists()


async def test_mistakes_change_nothing(apply: Apply, folder: Path, pool: Pool, team: TeamRow) -> None:
    """Every mistake is told with its place, and sound files wait for the others."""
    edit(folder / "lists.toml", "public", "publik")
    edit(folder / "workflows" / "welcome.toml", '"1d"', '"soon"')
    result = await apply()
    assert result.exit_code == 1
    assert "lists.toml:6: unknown key publik; did you mean public?" in result.output
    assert "workflows/welcome.toml:16: a timer is a number" in result.output
    assert result.output.endswith("Nothing was changed: 2 mistakes.\n")
    assert await everything(pool) == {kind: [] for kind in KINDS}
    in_json = await apply("--json")
    assert in_json.exit_code == 1
    assert [mistake["line"] for mistake in json.loads(in_json.output)["mistakes"]] == [6, 16]


async def test_contact_properties_must_exist(apply: Apply, folder: Path, pool: Pool, team: TeamRow) -> None:
    """A property nobody created is a mistake; once it is there, it is none."""
    edit(folder / "workflows" / "first-tip.lmx", "Most people", "{contact.company}: most people")
    result = await apply()
    assert result.exit_code == 1
    assert "workflows/first-tip.lmx:3: the team has no contact property company" in result.output
    assert await everything(pool) == {kind: [] for kind in KINDS}
    async with pool.acquire() as tx:
        await insert_property(tx, team.id, "company", "string", now=utc_now())
    assert (await apply()).exit_code == 0


async def change_elsewhere(pool: Pool, team: TeamRow, message_id: str, **given: str) -> str:
    """Write other content, as the API does; answers its revision."""
    async with pool.acquire() as tx, tx.transaction():
        current = await load_current_revision(tx, team.id, message_id)
        assert current is not None
        content = replace(current.content, **given)
        return (await write_content(tx, team.id, message_id, content, now=utc_now())).id


async def test_changes_from_elsewhere_are_not_lost(
    apply: Apply, folder: Path, pool: Pool, team: TeamRow
) -> None:
    """They are drift: both revisions are named and nothing changes, until it is to be overwritten."""
    await apply()
    message_id = await pool.fetchval("SELECT published_message_id FROM transactional_email")
    wrote = await pool.fetchval("SELECT content_revision_id FROM email_message WHERE id = $1", message_id)
    other = await change_elsewhere(pool, team, message_id, subject="From elsewhere")
    before = await everything(pool)
    edit(folder / "workflows" / "first-tip.lmx", "Hello again", "Good morning")
    for options in ((), ("--dry-run",)):
        result = await apply(*options)
        assert result.exit_code == 1
        assert "transactional/receipt.toml:1: this email was changed elsewhere" in result.output
        assert other in result.output
        assert wrote in result.output
        assert await everything(pool) == before
    result = await apply("--overwrite")
    assert result.output.endswith("Applied: 0 created, 2 changed, 1 unchanged.\n"), result.output
    assert "From elsewhere" not in str((await everything(pool))["email_message"])
    assert (await apply()).output.endswith("Nothing to change.\n")


async def test_the_same_change_in_the_files_is_no_drift(
    apply: Apply, folder: Path, pool: Pool, team: TeamRow
) -> None:
    """Taken into the files, a change is known to them, and the next edit is theirs."""
    await apply()
    message_id = await pool.fetchval("SELECT published_message_id FROM transactional_email")
    subject = "Your receipt, again"
    await change_elsewhere(pool, team, message_id, subject=subject)
    receipt = folder / "transactional" / "receipt.toml"
    receipt.write_text(re.sub(r'(?m)^subject = ".*"', f'subject = "{subject}"', receipt.read_text()))
    text = receipt.with_suffix(".lmx").read_text()
    assert (await apply()).output.endswith("Nothing to change.\n")
    receipt.with_suffix(".lmx").write_text(text + "<Paragraph>More.</Paragraph>\n")
    assert "changed    transactional email receipt" in (await apply()).output


async def test_what_files_do_not_say_stays(apply: Apply, folder: Path, pool: Pool, team: TeamRow) -> None:
    """CC, BCC, format and language, unless a file names them."""
    await apply()
    message_id = await pool.fetchval("SELECT published_message_id FROM transactional_email")
    given = {"cc_email": "cc@example.com", "bcc_email": "b@example.com", "email_format": "plain"}
    await change_elsewhere(pool, team, message_id, **given, language_code="de")
    body = folder / "transactional" / "receipt.lmx"
    body.write_text(body.read_text() + "<Paragraph>More.</Paragraph>\n")
    assert "changed    transactional email receipt" in (await apply()).output
    row = await pool.fetchrow("SELECT * FROM email_message WHERE id = $1", message_id)
    assert row is not None
    assert "More." in row["lmx"]
    assert {key: row[key] for key in given} == given
    assert row["language_code"] == "de"


async def test_copies_and_the_format(apply: Apply, folder: Path, pool: Pool, team: TeamRow) -> None:
    """Files may name them, copies where the team allows for them, and take them away again."""
    receipt = folder / "transactional" / "receipt.toml"
    plain = receipt.read_text()
    names = 'cc = "books@example.com"\nbcc = "archive@example.com"\nformat = "plain"\n'
    receipt.write_text(names + plain)
    refused = await apply()
    assert refused.exit_code == 1
    assert "transactional/receipt.toml:1: cc and bcc are off for this team" in refused.output
    await pool.execute("UPDATE team SET copies = true")
    assert (await apply()).exit_code == 0
    written = "SELECT cc_email, bcc_email, email_format FROM email_message WHERE cc_email <> ''"
    rows = await pool.fetch(written)
    assert [tuple(row) for row in rows] == [("books@example.com", "archive@example.com", "plain")]
    # One that is there stays, also where nobody may add any.
    await pool.execute("UPDATE team SET copies = false")
    assert (await apply()).output.endswith("Nothing to change.\n")
    receipt.write_text('cc = ""\nbcc = ""\nformat = "styled"\n' + plain)
    assert (await apply()).exit_code == 0
    assert await pool.fetch(written) == []
    receipt.write_text('cc = "nobody"\nformat = "bold"\n' + plain)
    refused = await apply()
    assert "transactional/receipt.toml:1: the CC address" in refused.output
    assert "transactional/receipt.toml:2: format cannot be 'bold'" in refused.output


@pytest.mark.parametrize(
    ("body", "place"),
    [
        pytest.param("Please confirm.", "double-opt-in.toml:1", id="no link"),
        pytest.param("Hello\n{data.name}: {data.optInUrl}", "double-opt-in.lmx:2", id="another variable"),
    ],
)
async def test_the_email_of_double_opt_in_keeps_its_link(
    apply: Apply, folder: Path, pool: Pool, team: TeamRow, body: str, place: str
) -> None:
    """Without it nobody could confirm; while double opt-in is off, it is an email like any other."""
    email = folder / "transactional" / "double-opt-in"
    email.with_suffix(".toml").write_text(
        'name = "Confirm"\nsubject = "Please confirm"\nfrom = "hello"\nbody = "double-opt-in.lmx"\n'
    )
    email.with_suffix(".lmx").write_text('<Button href="{data.optInUrl}">Confirm</Button>')
    assert (await apply()).exit_code == 0
    await settle(pool, team, on=True)
    before = await everything(pool)

    email.with_suffix(".lmx").write_text(f"<Paragraph>{body}</Paragraph>")
    for options in ((), ("--dry-run",)):
        result = await apply(*options)
        assert result.exit_code == 1
        rule = "the email of double opt-in must use {data.optInUrl} and no other variable"
        assert f"transactional/{place}: {rule}" in result.output
        assert await everything(pool) == before

    await settle(pool, team, on=False)
    assert (await apply()).exit_code == 0
    with pytest.raises(ValueError, match="must use"):
        await settle(pool, team, on=True)


async def settle(pool: Pool, team: TeamRow, *, on: bool) -> None:
    """Switch double opt-in."""
    async with pool.acquire() as tx, tx.transaction():
        await change_team(tx, team.id, SettingChanges(double_opt_in=on), now=utc_now())


async def test_a_failure_on_the_way_undoes_all(folder: Path, pool: Pool, team: TeamRow) -> None:
    """What the database refuses at the very end leaves nothing behind."""
    before = await everything(pool)
    await pool.execute("ALTER TABLE workflow ADD CONSTRAINT unwelcome CHECK (slug <> 'welcome')")
    try:
        with pytest.raises(CheckViolationError):
            await apply_folder(pool, team, folder)
    finally:
        await pool.execute("ALTER TABLE workflow DROP CONSTRAINT unwelcome")
    assert await everything(pool) == before


async def apply_folder(pool: Pool, team: TeamRow, folder: Path) -> None:
    async with pool.acquire() as tx, tx.transaction():
        await apply_definitions(tx, team.id, parse(read_folder(folder)), now=utc_now())


async def test_two_at_once_create_one(folder: Path, pool: Pool, team: TeamRow) -> None:
    """Applies of one team follow one another."""
    await asyncio.gather(*(apply_folder(pool, team, folder) for _ in range(4)))
    rows = await everything(pool)
    assert {kind: len(rows[kind]) for kind in KINDS} == {
        "mailing_list": 1,
        "transactional_email": 1,
        "workflow": 1,
        "email_message": 3,
    }


async def test_several_teams_need_a_choice(apply: Apply, pool: Pool, team: TeamRow) -> None:
    """By name or by id, and each team has its own rows under the same slugs."""
    other = TeamRow(
        id="cother", name="Other", secret=b"s", sending_domain="o.example", company="", address=""
    )
    async with pool.acquire() as tx:
        await insert_team(tx, other, now=utc_now())
    refused = await apply()
    assert refused.exit_code == 2
    assert "several teams" in refused.output
    assert (await apply("--team", "Othr")).exit_code == 2
    assert (await apply("--team", "Other")).exit_code == 0
    assert {row[1] for row in (await everything(pool))["workflow"]} == {"cother"}
    assert (await apply("--team", team.id)).exit_code == 0
    for kind, rows in (await everything(pool)).items():
        assert sorted({str(row[1]) for row in rows}) == sorted(["cother", team.id]), kind


async def test_the_first_team_is_made(apply: Apply, pool: Pool) -> None:
    """Definitions may come before the server's first start."""
    assert await pool.fetchval("SELECT count(*) FROM team") == 0
    assert (await apply()).exit_code == 0
    assert await pool.fetchval("SELECT count(*) FROM team") == 1


async def test_not_a_folder(database_url: str, tmp_path: Path) -> None:
    """A wrong path is a mistake in the command, exit code 2."""
    arguments = ["apply", str(tmp_path / "nowhere"), "--database-url", database_url]
    result = await asyncio.to_thread(CliRunner().invoke, program, arguments)
    assert result.exit_code == 2


@pytest.mark.parametrize("url", ["postgresql://127.0.0.1:1/nowhere", "no URL", None])
async def test_an_unreachable_database(folder: Path, database_url: str, url: str | None) -> None:
    """Nobody listens, nonsense, no such database: a plain sentence and exit code 2."""
    missing = urlsplit(database_url)._replace(path="/missing").geturl()
    arguments = ["apply", str(folder), "--database-url", url or missing]
    result = await asyncio.to_thread(CliRunner().invoke, program, arguments)
    assert result.exit_code == 2
    assert "cannot be reached" in result.output


async def test_a_data_folder_of_its_own(folder: Path, tmp_path: Path) -> None:
    """The real command starts PostgreSQL when nobody did, and stops it again."""
    data = tmp_path / "data"
    command = [str(Path(sys.executable).with_name("loopwright")), "apply", str(folder)]
    environment = {"PATH": os.environ["PATH"], "LOOPWRIGHT_DATA_DIR": str(data)}
    for ending in ("Applied: 3 created, 0 changed, 0 unchanged.\n", "Nothing to change.\n"):
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE
        )
        out, err = await process.communicate()
        assert process.returncode == 0, err.decode()
        assert out.decode().endswith(ending)
        assert not (data / "postgres" / "postmaster.pid").exists()


async def enter(pool: Pool, team: TeamRow, email: str = "ada@example.com") -> str:
    """A contact signs up; the answer is the run's id."""
    contact = await add_contact(pool, team.id, email)
    event = EventRow(id="e", team_id=team.id, contact_id=contact.id, name="signup", properties={})
    fact = Fact(kind="event_received", contact=contact, event=event)
    now = utc_now()
    async with pool.acquire() as tx, tx.transaction():
        active = await workflows.load_triggered(tx, [team.id])
        started = entries([fact], by_trigger(active), now=now)
        await runs.start_runs(tx, started, now=now)
    return started[0].id if started else ""


async def job_of(pool: Pool, run_id: str) -> RunStep:
    row = await pool.fetchrow("SELECT team_id, id AS run_id, node_id FROM run WHERE id = $1", run_id)
    assert row is not None
    return RunStep(**row)


async def sent(pool: Pool) -> list[str]:
    rows = await pool.fetch("""
        SELECT message.subject
          FROM email JOIN email_message AS message ON message.id = message_id
         ORDER BY email.id
    """)
    return [row["subject"] for row in rows]


FIRST, SECOND = "Welcome aboard, {contact.firstName}", "One tip for day two"


async def test_waiting_contacts_stay_where_they_are(folder: Path, pool: Pool, team: TeamRow) -> None:
    """A step added in front of the one they wait at neither loses them nor greets them twice."""
    await apply_folder(pool, team, folder)
    clock = HandClock()
    runner = Runner(pool, clock)
    run_id = await enter(pool, team)
    await run_step(runner, await job_of(pool, run_id))
    edit(folder / "workflows" / "welcome.toml", "[[steps]]", '[[steps]]\ntimer = "5m"\n\n[[steps]]')
    await apply_folder(pool, team, folder)
    clock.advance(timedelta(days=1))
    await run_step(runner, await job_of(pool, run_id))
    assert await sent(pool) == [FIRST, SECOND]
    assert await pool.fetchval("SELECT status FROM run") == "finished"


async def test_a_shorter_timer_wakes_those_who_waited_long_enough(
    folder: Path, pool: Pool, team: TeamRow
) -> None:
    """The change itself has them decided anew; nobody waits for the old time."""
    await apply_folder(pool, team, folder)
    clock = HandClock(utc_now() - timedelta(hours=2))
    run_id = await enter(pool, team)
    await run_step(Runner(pool, clock), await job_of(pool, run_id))
    edit(folder / "workflows" / "welcome.toml", '"1d"', '"1h"')
    await apply_folder(pool, team, folder)
    async with working(Runner(pool, SystemClock())), asyncio.timeout(10):
        while await sent(pool) != [FIRST, SECOND]:
            await asyncio.sleep(0.02)


async def test_contacts_at_a_removed_step_go_on(folder: Path, pool: Pool, team: TeamRow) -> None:
    """They continue with what comes after it, at once."""
    await apply_folder(pool, team, folder)
    run_id = await enter(pool, team)
    await run_step(Runner(pool, SystemClock()), await job_of(pool, run_id))
    edit(folder / "workflows" / "welcome.toml", '[[steps]]\ntimer = "1d"\n', "")
    async with pool.acquire() as tx, tx.transaction():
        changes = await apply_definitions(tx, team.id, parse(read_folder(folder)), now=utc_now())
    assert [change.detail for change in changes][
        -1
    ] == "contacts who go on after a removed step: 1 at a timer of 1d"
    await run_step(Runner(pool, SystemClock()), await job_of(pool, run_id))
    assert await sent(pool) == [FIRST, SECOND]


async def test_pause_and_resume_by_file(apply: Apply, folder: Path, pool: Pool, team: TeamRow) -> None:
    """Paused: nobody enters, nobody moves. Sending again: those inside go on."""
    await apply()
    run_id = await enter(pool, team)
    edit(folder / "workflows" / "welcome.toml", "name =", 'status = "paused"\nname =')
    await apply()
    runner = Runner(pool, SystemClock())
    await run_step(runner, await job_of(pool, run_id))
    assert await enter(pool, team, "late@example.com") == ""
    assert await sent(pool) == []
    edit(folder / "workflows" / "welcome.toml", '"paused"', '"sending"')
    await apply()
    async with working(runner), asyncio.timeout(10):
        while await sent(pool) != [FIRST]:
            await asyncio.sleep(0.02)


async def test_files_do_not_undo_a_pause(apply: Apply, folder: Path, pool: Pool, team: TeamRow) -> None:
    """What people or programs paused stays so, whatever else the files change, until --resume is given."""

    async def status() -> str:
        return str(await pool.fetchval("SELECT status FROM workflow"))

    await apply()
    await enter(pool, team)
    await Runner(pool, SystemClock()).take_due()
    workflow_id = await pool.fetchval("SELECT id FROM workflow")
    async with pool.acquire() as tx, tx.transaction():
        await control.pause(tx, team.id, workflow_id, now=utc_now())
    stays = "it was paused or stopped elsewhere and stays so; --resume has it send again"
    assert f"unchanged  workflow welcome  {workflow_id}  {stays}\n" in (await apply()).output
    edit(folder / "workflows" / "welcome.toml", '"1d"', '"2d"')
    assert f"{stays}; contacts who wait at a changed step: 1 at before-first-tip\n" in (await apply()).output
    assert await status() == "PausedAndQueueing"
    assert "stays so" not in (await apply("--resume")).output
    assert await status() == "Sending"
    assert (await apply()).output.endswith("Nothing to change.\n")


STEP = '[[steps]]\nemail = {{ subject = "{0}", from = "ada", body = "{0}.lmx" }}\n'
BODY = "<Paragraph>Hello</Paragraph>"
HEAD = 'name = "Flow"\ntrigger = {{ event = "signup" }}\nstatus = "{}"\n'


def flow(status: str, timer: str) -> Definitions:
    """A workflow of two emails with `timer`, a step or nothing, between them."""
    source = HEAD.format(status) + STEP.format("one") + timer + STEP.format("two")
    return parse({"workflows/flow.toml": source, "workflows/one.lmx": BODY, "workflows/two.lmx": BODY})


async def test_runs_survive_changes_while_they_are_under_way(pool: Pool, team: TeamRow) -> None:
    """Stopped, resumed, given and robbed of a timer under two workers: all arrive, with each email once."""
    turns = 16
    timers = ['[[steps]]\ntimer = "0.002m"\n', "", '[[steps]]\nid = "other"\ntimer = "0.001m"\n']

    async def change(turn: int, status: str) -> None:
        async with pool.acquire() as tx, tx.transaction():
            await apply_definitions(tx, team.id, flow(status, timers[turn % 3]), now=utc_now())

    async def all_finished() -> bool:
        return {row["status"] for row in await pool.fetch("SELECT status FROM run")} == {"finished"}

    await change(0, "sending")
    async with working(Runner(pool, SystemClock())), working(Runner(pool, SystemClock())):
        for turn in range(turns):
            for i in range(4):
                await enter(pool, team, f"{turn}-{i}@example.com")
            await change(turn, "paused")
            await change(turn + 1, "sending")
        await until(all_finished, within=30)
    rows = await pool.fetch("SELECT run_id, count(*) AS emails FROM email GROUP BY run_id")
    assert [row["emails"] for row in rows] == [2] * (turns * 4)


async def test_a_timer_written_as_a_whole_number_stays_unchanged(
    apply: Apply, folder: Path, pool: Pool, team: TeamRow
) -> None:
    """However the number is written, the stored one compares equal."""
    edit(folder / "workflows" / "welcome.toml", '"1d"', '{ amount = 1, unit = "d" }')
    await apply()
    assert (await apply()).output.endswith("Nothing to change.\n")
    nodes = decode_nodes(await pool.fetchval("SELECT nodes FROM workflow"))
    assert [node.wait for node in nodes.values() if isinstance(node, TimerAction)] == [timedelta(days=1)]


def documented_files() -> dict[str, str]:
    """The files that the documentation shows, by name."""
    return dict(re.findall(r"<!-- file: (\S+) -->\n```\w+\n(.*?)```", DOCS.read_text(), re.DOTALL))


async def test_the_documented_files_work(apply: Apply, folder: Path, pool: Pool, team: TeamRow) -> None:
    """What the documentation shows can be applied as it stands."""
    write_documented(folder)
    result = await apply()
    assert result.exit_code == 0, result.output
    assert result.output.endswith("Applied: 5 created, 0 changed, 0 unchanged.\n")


async def test_the_documented_mistakes_read_so(apply: Apply, folder: Path, pool: Pool, team: TeamRow) -> None:
    """The output shown is the command's own."""
    write_documented(folder)
    edit(folder / "lists.toml", "public", "publik")
    edit(folder / "workflows" / "welcome.lmx", "<Strong>{event.planName}</Strong>", "<Strnog>x</Strnog>")
    edit(folder / "workflows" / "welcome.toml", '"1d"', '"soon"')
    shown = re.search(r"<!-- mistakes -->\n```console\n\$[^\n]*\n(.*?)```", DOCS.read_text(), re.DOTALL)
    assert shown is not None
    assert (await apply()).output == shown[1]


def write_documented(folder: Path) -> None:
    shutil.rmtree(folder)
    for name, text in documented_files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def test_every_option_is_documented() -> None:
    """The table of options is complete."""
    shown = CliRunner(env={"COLUMNS": "200", "NO_COLOR": "1"}).invoke(program, ["apply", "--help"]).output
    options = set(re.findall(r"--[a-z][a-z-]+", shown)) - {"--help"}
    assert options
    assert options <= set(re.findall(r"--[a-z][a-z-]+", DOCS.read_text()))


async def test_images_are_where_readers_reach_the_server(apply: Apply, folder: Path, pool: Pool) -> None:
    """Whoever does not say where that is, is told where they would be looked for."""
    (folder / "images").mkdir()
    (folder / "images" / "logo.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    told = await apply("--dry-run")
    assert "images/logo.png:1: warning: readers would get it from http://127.0.0.1:5667" in told.stderr
    done = await apply("--public-url", "https://mail.acme.example")
    assert done.exit_code == 0, done.output
    assert "created    image images/logo.png  https://mail.acme.example/images/" in done.stdout
    assert "warning" not in done.stderr
    stored = await pool.fetchval("SELECT data FROM image")
    assert stored == b"\x89PNG\r\n\x1a\n"
