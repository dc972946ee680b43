"""How rows become contacts: in lines to a server that knows the rules of an import, else by calls.

The rules are those of the dashboard's import, which no call of the API has: a user id finds the contact, then
the address; rows change no address, and bring their own source.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import TypeAlias

from msgspec import UNSET, Struct
from msgspec.structs import replace

from loopwright import AsyncLoops
from loopwright.cli.importing.contact_rows import RowContact, contact_of
from loopwright.cli.importing.files import Fields
from loopwright.cli.importing.plan import Plan
from loopwright.cli.importing.run import Sender, Verdict, verdict_on
from loopwright.client.answer import one
from loopwright.client.body import check_own_arguments, some_identifier
from loopwright.client.bulk import AT_ONCE, IMPORT_CONTACT, LINES
from loopwright.client.call import Call
from loopwright.client.calls.contacts import OWN_ARGUMENTS
from loopwright.client.many import AsyncOutcomes, Many
from loopwright.errors import ConflictError, LoopsError
from loopwright.wire.contacts import IMPORT_SOURCE, WORKFLOWS_HEADER, ContactSaved
from loopwright.wire.operations import CREATE_CONTACT
from loopwright.wire.values import Value

CREATE = replace(CREATE_CONTACT, repeat="always")
"""A row whose contact turns out to be there is an update, so an import may create again what it may have
created.
"""

ContactSender: TypeAlias = Sender[RowContact]


class _Rows(Struct, frozen=True, kw_only=True):
    loops: AsyncLoops
    plan: Plan
    lists: tuple[str, ...]
    rows: int
    at_once: int

    def read(self, fields: Fields) -> RowContact:
        return contact_of(fields, self.plan, self.lists)

    def names(self, item: RowContact) -> Collection[str]:
        return [name for name in (item.user_id, item.email and item.email.lower()) if name]


class ContactLines(_Rows, frozen=True, kw_only=True):
    """The server applies the rules."""

    async def send(self, items: Sequence[tuple[int, RowContact]]) -> Sequence[Verdict]:
        many = Many("contacts import", IMPORT_CONTACT, _line, {})
        outcomes = AsyncOutcomes(self.loops, many, [item for _, item in items], 1, None)
        return [verdict_on(outcome.error) async for outcome in outcomes]


class ContactCalls(_Rows, frozen=True, kw_only=True):
    """Which rule applies depends on who is there: creating tells it as well as looking does, and spares a
    request where most are new.
    """

    async def send(self, items: Sequence[tuple[int, RowContact]]) -> Sequence[Verdict]:
        try:
            return [await self._apply(item) for _, item in items]
        except (LoopsError, ValueError, TypeError) as error:
            return [verdict_on(error)]

    async def _apply(self, item: RowContact) -> str | None:
        """Apply one row; repeating it changes nothing. Text says why not."""
        email = item.email
        known = await self.loops.contacts.find(user_id=item.user_id) if item.user_id else None
        if known is not None:
            if email and known.email.lower() != email.lower():
                return "the contact with this user id has another email address; rows cannot change it"
            email = None
        elif email is None:
            return "no contact has this user id, and without an email none can be created"
        elif await self._create(item, email):
            return None
        await self.loops.contacts.update(
            email=email,
            user_id=item.user_id,
            subscribed=False if item.leaves else UNSET,
            properties=item.properties,
            mailing_lists=item.mailing_lists or None,
        )
        return None

    async def _create(self, item: RowContact, email: str) -> bool:
        """Create the row's contact; false when somebody has its address. A new one has nothing to clear."""
        given = {key: value for key, value in item.properties.items() if value is not None}
        body = _body(item, {"source": IMPORT_SOURCE, **given})
        try:
            await self.loops.send(Call(CREATE, CREATE.path, one(ContactSaved), {}, body))
        except ConflictError:
            return False
        return True


async def contact_sender(
    loops: AsyncLoops, plan: Plan, lists: tuple[str, ...], *, trigger_workflows: bool, parallel: int
) -> ContactSender:
    """By what the server offers. `parallel` counts requests; `loops` carries the wish about workflows."""
    if await _takes_lines(loops, "on" if trigger_workflows else "off"):
        return ContactLines(loops=loops, plan=plan, lists=lists, rows=LINES, at_once=min(parallel, AT_ONCE))
    return ContactCalls(loops=loops, plan=plan, lists=lists, rows=1, at_once=parallel)


async def _takes_lines(loops: AsyncLoops, workflows: str) -> bool:
    """Whether the server has an import for lines, and has heard there whether workflows start."""
    bulk = await loops.find_bulk(IMPORT_CONTACT, {})
    if bulk is None:
        return False
    answer = await loops.send(bulk.call(b"", {}))
    return answer.raw.headers.get(WORKFLOWS_HEADER.lower()) == workflows


def _line(item: RowContact) -> Call[ContactSaved]:
    return Call(IMPORT_CONTACT, IMPORT_CONTACT.path, one(ContactSaved), {}, _body(item, item.properties))


def _body(item: RowContact, properties: Mapping[str, Value | None]) -> dict[str, object]:
    """The flat object, of values as they were read. Raises `ArgumentError` for a key that is said twice."""
    check_own_arguments("the row", properties, OWN_ARGUMENTS)
    body: dict[str, object] = {**properties, **some_identifier(item.email, item.user_id)}
    if item.leaves:
        body["subscribed"] = False
    if item.mailing_lists:
        body["mailingLists"] = item.mailing_lists
    return body
