"""An email says what its content said when it was accepted, whatever is applied before it is delivered."""

import random
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from loopwright.ids import new_id
from loopwright.server.definitions.apply import apply_definitions
from loopwright.server.definitions.folder import read_folder
from loopwright.server.definitions.parse import parse
from loopwright.server.ingest.batch import Ingest
from loopwright.server.ingest.command import SendTransactional
from loopwright.server.refusal import BadRequest
from loopwright.server.store.jobs import RunStep
from loopwright.server.store.runs import NewRun, start_runs
from loopwright.server.workflow.runner import Runner
from support.mail_office import NOW, Office
from support.smtp_peer import Peer
from support.stored_emails import EmailRow
from support.workflows import run_step


class Desk:
    """Applies definitions of a transactional email and a workflow, and has emails of both accepted."""

    def __init__(self, office: Office, ingest: Ingest, folder: Path) -> None:
        self._office = office
        self._ingest = ingest
        self._folder = folder
        self._runner = Runner(office.pool, office.clock)

    async def apply(self, *, receipt: str | None = None, welcome: str | None = None) -> None:
        """Apply a folder with the texts given, and nothing else."""
        files = {"lists.toml": '[news]\nname = "News"\npublic = true\n'}
        if receipt is not None:
            files["transactional/receipt.lmx"] = f"<Paragraph>{receipt}</Paragraph>"
            files["transactional/receipt.toml"] = (
                'name = "Receipt"\nsubject = "Receipt"\nfrom = "shop"\nbody = "receipt.lmx"\n'
            )
        if welcome is not None:
            files["workflows/welcome.lmx"] = f"<Paragraph>{welcome}</Paragraph>"
            files["workflows/welcome.toml"] = (
                'name = "Welcome"\ntrigger = { event = "signup" }\n[[steps]]\n[steps.email]\n'
                'subject = "Welcome"\nfrom = "hello"\nbody = "welcome.lmx"\n'
            )
        for old in self._folder.glob("*/*"):
            old.unlink()
        for name, text in files.items():
            (self._folder / name).parent.mkdir(exist_ok=True)
            (self._folder / name).write_text(text)
        definitions = parse(read_folder(self._folder))
        async with self._office.pool.acquire() as tx, tx.transaction():
            await apply_definitions(tx, self._office.team.id, definitions, now=self._office.clock.now())

    async def send_receipt(self, **data: str) -> EmailRow:
        """Have the transactional email accepted."""
        transactional_id = await self._office.pool.fetchval("SELECT id FROM transactional_email")
        await self._ingest.submit(
            SendTransactional(
                team_id=self._office.team.id,
                email="grace@elsewhere.org",
                transactional_id=transactional_id,
                data_variables={**data},
            )
        )
        return await self._newest()

    async def welcome(self) -> EmailRow:
        """Have a contact come to the workflow's email."""
        contact = await self._office.contact(f"{new_id(NOW)}@elsewhere.org")
        workflow = await self._office.pool.fetchrow("SELECT id, root_node_id FROM workflow")
        assert workflow is not None
        run = NewRun(
            id=new_id(NOW),
            team_id=self._office.team.id,
            workflow_id=workflow["id"],
            contact_id=contact.id,
            event_id=None,
            event_name=None,
            event_properties={},
            once=False,
            node_id=workflow["root_node_id"],
        )
        async with self._office.pool.acquire() as tx, tx.transaction():
            await start_runs(tx, [run], now=NOW)
        await run_step(self._runner, RunStep(team_id=run.team_id, run_id=run.id, node_id=run.node_id))
        return await self._newest()

    async def _newest(self) -> EmailRow:
        return await self._office.reload(await self._office.pool.fetchval("SELECT max(id) FROM email"))


@pytest.fixture
async def desk(office: Office, tmp_path: Path) -> AsyncIterator[Desk]:
    ingest = Ingest(office.pool, office.clock)
    ingest.start()
    yield Desk(office, ingest, tmp_path)
    await ingest.close()


async def delivered(office: Office, peer: Peer, *emails: EmailRow) -> list[str]:
    """What the readers of the emails see, above the footer."""
    await office.deliver(peer.url)
    places = {peer.message(number)["Message-ID"]: number for number in range(len(peer.received))}
    texts = [peer.text(places[f"<{email.mime_id}>"]) for email in emails]
    return [text.partition("\n\n-- \n")[0].strip() for text in texts]


@pytest.mark.parametrize(
    "later",
    [
        pytest.param("Paid {data.amount}, twice", id="another text"),
        pytest.param("Paid {data.amount} with {data.code}", id="a variable more"),
        pytest.param("Paid", id="a variable less"),
        pytest.param(None, id="gone from the files"),
    ],
)
async def test_a_transactional_email_is_sent_as_accepted(
    office: Office, peer: Peer, desk: Desk, later: str | None
) -> None:
    await desk.apply(receipt="Paid {data.amount}")
    accepted = await desk.send_receipt(amount="9")
    await desk.apply(receipt=later)
    assert await delivered(office, peer, accepted) == ["Paid 9"]


async def test_what_is_required_is_what_the_accepted_content_asks_for(
    office: Office, peer: Peer, desk: Desk
) -> None:
    """From the apply on, and no sooner, a send needs the new variable."""
    await desk.apply(receipt="Paid {data.amount}")
    first = await desk.send_receipt(amount="9")
    await desk.apply(receipt="Paid {data.amount} with {data.code}")
    with pytest.raises(BadRequest, match="code"):
        await desk.send_receipt(amount="9")
    second = await desk.send_receipt(amount="9", code="x")
    assert await delivered(office, peer, first, second) == ["Paid 9", "Paid 9 with x"]


async def test_a_workflow_email_is_sent_as_the_step_met_it(office: Office, peer: Peer, desk: Desk) -> None:
    await desk.apply(welcome="Hello")
    queued = await desk.welcome()
    await desk.apply(welcome="Good evening")
    later = await desk.welcome()
    assert await delivered(office, peer, queued, later) == ["Hello", "Good evening"]


@pytest.mark.parametrize("seed", range(4))
async def test_edits_between_sends_change_later_emails_only(
    office: Office, peer: Peer, desk: Desk, seed: int
) -> None:
    """Edits, sends and deliveries in any order: each email has the text of its own moment."""
    dice = random.Random(seed)
    receipt, welcome = "first {data.a}", "first"
    await desk.apply(receipt=receipt, welcome=welcome)
    waiting: list[tuple[EmailRow, str]] = []
    for turn in range(40):
        match dice.choice(["edit", "edit", "receipt", "welcome", "deliver"]):
            case "edit":
                receipt = f"{turn} {dice.choice(['', '{data.a}', '{data.a} {data.b}', '{data.c}'])}".strip()
                welcome = f"welcome {dice.choice(['', turn])}".strip()
                await desk.apply(receipt=receipt, welcome=welcome)
            case "receipt":
                data = {name: f"{name}{turn}" for name in "abc" if f"data.{name}" in receipt}
                text = receipt
                for name, value in data.items():
                    text = text.replace(f"{{data.{name}}}", value)
                waiting.append((await desk.send_receipt(**data), text))
            case "welcome":
                waiting.append((await desk.welcome(), welcome))
            case _:
                emails = [email for email, _ in waiting]
                assert await delivered(office, peer, *emails) == [text for _, text in waiting]
                waiting.clear()
    emails = [email for email, _ in waiting]
    assert await delivered(office, peer, *emails) == [text for _, text in waiting]
