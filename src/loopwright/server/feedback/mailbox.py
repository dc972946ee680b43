"""Mailboxes that are read by IMAP over TLS: for whoever's mail comes back to one.

    select ──▶ messages after the last place, some at a time ──▶ Intake (committed) ──▶ marked ──▶ place noted

What took effect is deleted; what was not understood is flagged and stays, and so does everything else.
Whoever dies in between reads some once more, and nothing is told twice.
"""

import asyncio
import logging
import re
import ssl
from collections.abc import Callable, Mapping, Sequence
from imaplib import IMAP4
from typing import Any, TypeVar

from imapclient import IMAPClient, SocketTimeout  # pyright: ignore[reportMissingTypeStubs]

from loopwright.server.clock import Clock
from loopwright.server.refusal import Unavailable
from loopwright.server.sealing import CannotUnseal, SealingKey
from loopwright.server.store.database import AWAY, Pool
from loopwright.server.store.feedback_doors import (
    DoorRow,
    leave_mailbox,
    load_mailboxes,
    note_good,
    note_problem,
    set_place,
    take_mailbox,
)
from loopwright.server.webhook.addresses import AddressRefused, Resolver, Unresolved

from .doors import Given, open_given
from .intake import Intake
from .message import READ_BYTES, read_message

LOOK_SECONDS = 60.0
AT_ONCE = 20
"""Messages that are fetched together, half a megabyte of each at most."""
MOST = 1_000
"""Messages of one look; the next one goes on."""

_BYTES = re.compile(r"b(['\"])(.*)\1", re.DOTALL)
_BODY = f"BODY.PEEK[]<0.{READ_BYTES}>"
T = TypeVar("T")
_log = logging.getLogger("loopwright.feedback")


class MailboxTrouble(Exception):
    """The mailbox cannot be read; the text is the server's, or the network's."""


_TROUBLE = (MailboxTrouble, AddressRefused, Unresolved, CannotUnseal)


class Mailboxes:
    """Reads the mailboxes of all teams; any number of processes share them."""

    def __init__(
        self,
        pool: Pool,
        intake: Intake,
        clock: Clock,
        sealing: SealingKey | None,
        resolver: Resolver,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self._pool = pool
        self._intake = intake
        self._clock = clock
        self._sealing = sealing
        self._resolver = resolver
        self._tls = tls

    async def look(self) -> None:
        """Read what is new in each. One that cannot be read keeps no other from it."""
        async with self._pool.acquire() as tx:
            doors = await load_mailboxes(tx)
        for door in doors:
            async with self._pool.acquire() as tx:
                if not await take_mailbox(tx, door):
                    continue
            try:
                await self._read(door)
                await self._leave(door)
            except Unavailable:
                _log.info("mailbox %s is read later: the server is busy", door.id)
            except _TROUBLE as problem:
                await self._note(door, str(problem) or type(problem).__name__)
                await self._leave(door)
            except AWAY:
                raise
            except Exception as problem:  # whatever it is, others' mailboxes are read
                _log.exception("mailbox %s could not be read", door.id)
                await self._note(door, f"{type(problem).__name__}; the server's log says more")
                await self._leave(door)

    async def _leave(self, door: DoorRow) -> None:
        async with self._pool.acquire() as tx:
            await leave_mailbox(tx, door)

    async def _read(self, door: DoorRow) -> None:
        if self._sealing is None:
            raise CannotUnseal("the server has no sealing key, so it does not know the mailbox's password")
        given = open_given(self._sealing, door)
        [address, *_] = await self._resolver.addresses(given.host, given.port)
        context = _named(given.host, self._tls or ssl.create_default_context())
        client = await _ask(_open, address, given, context)
        try:
            validity = await _ask(_select, client, given.folder)
            place = door.place if validity == door.place_of else 0
            for _ in range(MOST // AT_ONCE):
                place, count = await self._read_some(client, door, validity, place)
                if count < AT_ONCE:
                    break
        finally:
            await _ask(_close, client)
        async with self._pool.acquire() as tx:
            await note_good(tx, door, now=self._clock.now())

    async def _read_some(self, client: Any, door: DoorRow, validity: int, place: int) -> tuple[int, int]:
        """Take the next messages; returns how far that is, and how many there were."""
        messages = await _ask(_fetch, client, place)
        done: list[int] = []
        unknown: list[int] = []
        for number, raw in messages.items():
            reading = await asyncio.to_thread(read_message, raw)
            taken = await self._intake.take(
                reading, door="imap", team_id=door.team_id, raw=raw, any_team=False
            )
            if taken.unknown:
                unknown.append(number)
            elif taken.told or taken.known:
                done.append(number)
        if messages:
            await _ask(_mark, client, done, unknown)
            place = max(messages)
            async with self._pool.acquire() as tx:
                await set_place(tx, door, validity=validity, place=place)
        return place, len(messages)

    async def _note(self, door: DoorRow, problem: str) -> None:
        """Tell people, once for each trouble."""
        problem = problem[:500].replace("\x00", "")
        if problem != door.last_problem:
            _log.warning("mailbox %s cannot be read: %s", door.id, problem)
        async with self._pool.acquire() as tx:
            await note_problem(tx, door, problem)


async def _ask(do: Callable[..., T], *arguments: object) -> T:
    """Have a thread ask the server. Raises `MailboxTrouble`."""
    try:
        return await asyncio.to_thread(do, *arguments)
    except (IMAP4.error, OSError) as problem:
        # What a server says reaches here as bytes, or as text that spells them.
        said = problem.args[0] if problem.args else ""
        text = said.decode(errors="replace") if isinstance(said, bytes) else str(problem)
        raise MailboxTrouble(_BYTES.sub(r"\2", text) or type(problem).__name__) from None


def _named(host: str, base: ssl.SSLContext) -> ssl.SSLContext:
    """TLS that verifies the host's own name on a connection to one of its addresses."""

    class Named(ssl.SSLContext):
        def wrap_socket(self, *arguments: Any, **named: Any) -> ssl.SSLSocket:
            return base.wrap_socket(*arguments, **{**named, "server_hostname": host})

    return Named(ssl.PROTOCOL_TLS_CLIENT)


def _open(address: str, given: Given, context: ssl.SSLContext) -> Any:
    """Sign in. Raises `IMAP4.error`, `OSError`."""
    timeout: Any = SocketTimeout(connect=10, read=30)
    client: Any = IMAPClient(address, given.port, ssl_context=context, timeout=timeout)
    try:
        _sign_in(client, given)
    except BaseException:
        _close(client)
        raise
    return client


def _sign_in(client: Any, given: Given) -> None:
    """By PLAIN where the server knows it, which takes names and passwords in any characters."""
    if client.has_capability("AUTH=PLAIN"):
        said = f"\0{given.username}\0{given.password}".encode()

        def answer(_: bytes) -> bytes:
            return said

        client.sasl_login("PLAIN", answer)
    elif (given.username + given.password).isascii():
        username = given.username.replace("\\", "\\\\").replace('"', '\\"')
        client.login(f'"{username}"', given.password)  # imaplib quotes the password alone
    else:
        raise MailboxTrouble("the server takes a user and password of ASCII alone: it offers no AUTH=PLAIN")


def _select(client: Any, folder: str) -> int:
    """Open the folder; numbers of its messages mean the same for as long as this number does."""
    chosen: Mapping[bytes, Any] = client.select_folder(folder)
    return int(chosen.get(b"UIDVALIDITY", 0))


def _fetch(client: Any, place: int) -> dict[int, bytes]:
    """The next messages after `place`, in their order, without marking them as read."""
    # Where there is none, the range names the last message.
    numbers = sorted(one for one in client.search(f"UID {place + 1}:*") if one > place)[:AT_ONCE]
    if not numbers:
        return {}
    found: Mapping[int, Mapping[bytes, bytes]] = client.fetch(numbers, [_BODY])
    return {number: found[number].get(b"BODY[]<0>") or b"" for number in numbers if number in found}


def _mark(client: Any, done: Sequence[int], unknown: Sequence[int]) -> None:
    """Delete what is done with, and nothing else; flag what people are to look at."""
    if unknown:
        client.add_flags(unknown, [b"\\Flagged"])
    if done:
        client.delete_messages(done)
        if client.has_capability("UIDPLUS"):  # without it, others' deleted messages would go as well
            client.expunge(done)


def _close(client: Any) -> None:
    """Sign out, as well as that can be done."""
    client.__exit__(None, None, None)
