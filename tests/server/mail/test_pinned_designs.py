"""Drafts, publishing, changes of theme and component in any order: an email is of when it was accepted."""

import random
from collections.abc import AsyncIterator
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from loopwright.server.content import publishing
from loopwright.server.content.designs import change_component, change_theme
from loopwright.server.content.save import write_content
from loopwright.server.ingest.batch import Ingest
from loopwright.server.ingest.command import SendTransactional
from support.content import PLAIN
from support.factories import add_component, add_theme
from support.mail_office import Office
from support.smtp_peer import Peer
from support.stored_emails import EmailRow

BODY = '<Style themeId="ctheme"/><Component componentId="cnote"/><Paragraph>{}</Paragraph>'


class Moment(NamedTuple):
    """What an email that is accepted now says: the published text, the component's, the theme's colour."""

    text: str
    note: str
    colour: str


class Studio:
    """A transactional email with a theme and a component, changed as the API changes them, and its model."""

    def __init__(self, office: Office, ingest: Ingest) -> None:
        self._office = office
        self._ingest = ingest
        self._draft = "text 0"
        self._transactional_id = ""
        self.now = Moment("", "note 0", "#aa0000")
        self.waiting: list[tuple[EmailRow, Moment]] = []

    async def open(self) -> None:
        pool, team_id = self._office.pool, self._office.team.id
        await add_theme(pool, team_id, "ctheme", name="Sea", styles={"textBaseColor": self.now.colour})
        await add_component(
            pool, team_id, "cnote", name="Note", lmx=f"<Paragraph>{self.now.note}</Paragraph>"
        )
        async with pool.acquire() as tx, tx.transaction():
            now = self._office.clock.now()
            self._transactional_id, _ = await publishing.create(tx, team_id, "Receipt", None, now=now)
        await self.edit(0)
        await self.publish()

    async def edit(self, turn: int) -> None:
        """Write a draft, which nobody gets."""
        self._draft = f"text {turn}"
        content = replace(PLAIN, lmx=BODY.format(self._draft))
        async with self._office.pool.acquire() as tx, tx.transaction():
            now, team_id = self._office.clock.now(), self._office.team.id
            draft = await publishing.ensure_draft(tx, team_id, self._transactional_id, now=now)
            await write_content(tx, team_id, draft.message_id, content, now=now)

    async def publish(self) -> None:
        async with self._office.pool.acquire() as tx, tx.transaction():
            now, team_id = self._office.clock.now(), self._office.team.id
            await publishing.ensure_draft(tx, team_id, self._transactional_id, now=now)
            await publishing.publish(tx, team_id, self._transactional_id, has_relay=False, now=now)
        self.now = self.now._replace(text=self._draft)

    async def paint(self, turn: int) -> None:
        """Change the theme."""
        colour = f"#aa00{turn:02x}"
        async with self._office.pool.acquire() as tx, tx.transaction():
            now, team_id = self._office.clock.now(), self._office.team.id
            await change_theme(tx, team_id, "ctheme", None, {"textBaseColor": colour}, now=now)
        self.now = self.now._replace(colour=colour)

    async def reword(self, turn: int) -> None:
        """Change the component."""
        note = f"note {turn}"
        async with self._office.pool.acquire() as tx, tx.transaction():
            now, team_id = self._office.clock.now(), self._office.team.id
            await change_component(tx, team_id, "cnote", None, f"<Paragraph>{note}</Paragraph>", now=now)
        self.now = self.now._replace(note=note)

    async def send(self) -> None:
        await self._ingest.submit(
            SendTransactional(
                team_id=self._office.team.id,
                email="grace@elsewhere.org",
                transactional_id=self._transactional_id,
                data_variables={},
            )
        )
        newest = await self._office.pool.fetchval("SELECT max(id) FROM email")
        self.waiting.append((await self._office.reload(newest), self.now))

    async def deliver(self, peer: Peer) -> None:
        """Let all that was accepted leave, and look at what its readers see."""
        await self._office.deliver(peer.url)
        places = {peer.message(number)["Message-ID"]: number for number in range(len(peer.received))}
        for email, moment in self.waiting:
            number = places[f"<{email.mime_id}>"]
            assert peer.text(number).split() == f"{moment.note} {moment.text}".split()
            html = peer.text(number, kind="html")
            assert {f"#aa00{turn:02x}" for turn in range(100) if f"#aa00{turn:02x}" in html} == {
                moment.colour
            }
        self.waiting.clear()


@pytest.fixture
async def studio(office: Office) -> AsyncIterator[Studio]:
    ingest = Ingest(office.pool, office.clock)
    ingest.start()
    made = Studio(office, ingest)
    await made.open()
    yield made
    await ingest.close()


@pytest.mark.parametrize("seed", range(2))
async def test_designs_change_later_emails_only(studio: Studio, peer: Peer, seed: int) -> None:
    """What is accepted stays as it is, whoever changes whatever before it leaves; drafts reach nobody."""
    dice = random.Random(seed)
    for turn in range(1, 30):
        match dice.choice(["edit", "publish", "paint", "reword", "send", "send", "send", "deliver"]):
            case "edit":
                await studio.edit(turn)
            case "publish":
                await studio.publish()
            case "paint":
                await studio.paint(turn)
            case "reword":
                await studio.reword(turn)
            case "send":
                await studio.send()
            case _:
                await studio.deliver(peer)
    await studio.deliver(peer)
