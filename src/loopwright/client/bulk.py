"""Many items in one request, where the server takes them so: a line of JSON each, and a line back for each.

A line is decided on as its own call would be, by the same rules and with the same key; only the request is
shared. Pure.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from typing import Generic, TypeVar, cast
from urllib.parse import urlsplit

import msgspec
from msgspec import Struct

from loopwright.client.call import Call, CallOptions
from loopwright.client.config import ClientSettings
from loopwright.client.encoding import encode
from loopwright.client.exchange import Attempts
from loopwright.client.many import REFUSED, Many, Outcome
from loopwright.client.transport import HttpResponse
from loopwright.errors import LoopsConnectionError, LoopsError, NoAnswerError, StatusError
from loopwright.wire.answers import Answer, Raw
from loopwright.wire.operations import SEND_EVENT, UPDATE_CONTACT, Operation

Item = TypeVar("Item")
Result = TypeVar("Result")

LINES = 500
BYTES = 500_000
"""A chunk with so many bytes takes no further line, and a line with more goes by itself. Together that stays
below 1 MB, which many proxies let through at most.
"""

AT_ONCE = 2
"""Chunks under way: while one is stored the next is on its way."""

NDJSON = "application/x-ndjson"
KEY = "idempotencyKey"

IMPORT_CONTACT = Operation("bulkImport", "POST", "/loopwright/v1/bulk/import", "always")
"""A contact by the rules of an import. There is no call of its own for one: only many travel."""

# A chunk's request carries no key: its lines do.
BULK: Mapping[Operation, Operation] = {
    IMPORT_CONTACT: IMPORT_CONTACT,
    SEND_EVENT: Operation("bulkEvents", "POST", "/loopwright/v1/bulk/events", "always"),
    UPDATE_CONTACT: Operation("bulkContacts", "POST", "/loopwright/v1/bulk/contacts", "always"),
}

decode_line = msgspec.json.Decoder(dict[str, object]).decode


class Lines(Answer, frozen=True, kw_only=True):
    """An answer of lines, each to be read by itself: see `raw`."""


class Bulk(Struct, frozen=True):
    """How a server takes many calls in one request. `url` is whole."""

    operation: Operation
    url: str
    settings: ClientSettings

    def call(self, lines: bytes, options: CallOptions) -> Call[Lines]:
        """One request. Sending lines again is decided line by line, so it is made once."""
        once: CallOptions = {**options, "max_retries": 0}
        return Call(self.operation, self.url, _unread, once, lines, content_type=NDJSON)


def bulk_of(operation: Operation, settings: ClientSettings) -> Bulk | None:
    """How many calls of `operation` would travel; `None` for Loops, which is not even to be asked."""
    root = own_root(settings.root)
    if root is None:
        return None
    bulk = BULK[operation]
    return Bulk(bulk, root + bulk.path, settings)


def own_root(root: str) -> str | None:
    """Where a Loopwright server whose API is at `root` has what is not Loops'. `None` for Loops itself."""
    host = (urlsplit(root).hostname or "").rstrip(".")
    if f".{host}".endswith(".loops.so"):
        return None
    return root.removesuffix("/api")


def offers_bulk(answer: Lines) -> bool:
    """Whether a success is that of a bulk endpoint; some servers answer everything with 200."""
    kind = answer.raw.headers.get("content-type") or ""
    return answer.raw.status == 200 and kind.partition(";")[0].strip().lower() == NDJSON


class Line(Attempts[Result], Generic[Item, Result]):
    """An item in a chunk. Raises `ArgumentError` for one that cannot be written."""

    __slots__ = ("index", "item", "text")

    def __init__(self, index: int, item: Item, call: Call[Result], settings: ClientSettings) -> None:
        super().__init__(call, settings)
        self.index = index
        self.item = item
        body = cast("dict[str, object]", call.body)
        self.text = encode(body if self._key is None else {**body, KEY: self._key})

    def can_share(self) -> bool:
        """Whether it may travel with others: it is not too long, and nothing else goes by the key's name."""
        body = cast("dict[str, object]", self._call.body)
        return len(self.text) <= BYTES and (self._key is None or KEY not in body)

    def outcome(self, came: HttpResponse | NoAnswerError) -> Outcome[Item, Result] | None:
        """What became of the item, or `None` when it is to be sent again."""
        try:
            if isinstance(came, NoAnswerError):
                self.failed(copy(came))  # each item's error tells its own key
            elif self.answered(came):
                return Outcome(index=self.index, item=self.item, result=self.result)
        except LoopsError as error:
            return Outcome(index=self.index, item=self.item, error=error)
        return None


class Chunk(Generic[Item, Result]):
    """Items that travel together, again and again, until there is an outcome for each.

    `pause` is how many seconds to wait before those in `open` are sent again. `alone` is the index of an item
    that cannot share a request, and the item; it is the chunk's last.
    """

    def __init__(self, many: Many[Item, Result], bulk: Bulk) -> None:
        self._many = many
        self._bulk = bulk
        self._size = 0
        self._outcomes: list[Outcome[Item, Result]] = []
        self.open: list[Line[Item, Result]] = []
        self.alone: tuple[int, Item] | None = None
        self.pause = 0.0

    def add(self, index: int, item: Item) -> None:
        """Take an item along. One that cannot be written has its outcome at once."""
        try:
            line = Line(index, item, self._many.call(item), self._bulk.settings)
        except REFUSED as error:
            self._outcomes.append(Outcome(index=index, item=item, error=error))
            return
        if line.can_share():
            self.open.append(line)
            self._size += len(line.text)
        else:
            self.alone = (index, item)

    def __len__(self) -> int:
        return len(self.open) + len(self._outcomes) + (self.alone is not None)

    @property
    def full(self) -> bool:
        """Whether it takes no further item."""
        return len(self) >= LINES or self._size >= BYTES or self.alone is not None

    @property
    def outcomes(self) -> list[Outcome[Item, Result]]:
        """Those known so far, in the order of the items."""
        return sorted(self._outcomes, key=_index_of)

    def call(self) -> Call[Lines]:
        """The next request, with a line for each item that is still open. Counts as an attempt of each."""
        for line in self.open:
            line.attempts += 1
        return self._bulk.call(b"\n".join([line.text for line in self.open]), self._many.options)

    def answered(self, answer: Lines) -> None:
        """An answer came. A line it says nothing of may have been stored all the same."""
        operation = self._bulk.operation
        silence = LoopsConnectionError(
            f"{operation.method} {operation.path} ended its answer too early", outcome_unknown=True
        )
        answers = read_lines(answer.raw)
        self._settle(lambda number: answers.get(number, silence))

    def failed(self, error: LoopsError | ValueError | TypeError) -> None:
        """The request as a whole came to nothing."""
        if isinstance(error, StatusError):
            response = HttpResponse(error.status, error.headers, error.content)
            self._settle(lambda number: response)
        elif isinstance(error, NoAnswerError):
            self._settle(lambda number: error)
        else:
            self._outcomes += [Outcome(index=line.index, item=line.item, error=error) for line in self.open]
            self.open = []

    def _settle(self, came: Callable[[int], HttpResponse | NoAnswerError]) -> None:
        """Decide on each open line by what came for its number, from 1."""
        lines, self.open = self.open, []
        for number, line in enumerate(lines, 1):
            outcome = line.outcome(came(number))
            if outcome is None:
                self.open.append(line)
            else:
                self._outcomes.append(outcome)
        self.pause = max((line.pause for line in self.open), default=0.0)


def read_lines(answer: Raw) -> dict[int, HttpResponse]:
    """By the number of a line, the answer that its call would have got. Half a line at the end is none."""
    answers: dict[int, HttpResponse] = {}
    for text in answer.body.splitlines():
        try:
            fields = decode_line(text)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        number = fields.pop("line", None)
        status = 200 if fields.get("success") is True else fields.pop("status", 500)
        if isinstance(number, int) and isinstance(status, int):
            answers[number] = HttpResponse(status, answer.headers, encode(fields))
    return answers


def _unread(body: bytes) -> Lines:
    return Lines()


def _index_of(outcome: Outcome[Item, Result]) -> int:
    return outcome.index
