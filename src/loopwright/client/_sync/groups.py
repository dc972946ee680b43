# Made by tools/make_sync.py from src/loopwright/client/_async/groups.py
"""Groups of campaigns, of transactional emails and of workflows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Unpack

from msgspec import UNSET, UnsetType

from loopwright.client._sync.paging import all_items
from loopwright.client.answer import one
from loopwright.client.arguments import required
from loopwright.client.body import given_texts, something_given
from loopwright.client.call import Call, CallOptions, fill
from loopwright.client.calls.groups import GroupOperations
from loopwright.client.calls.paging import page_call
from loopwright.wire.groups import Group
from loopwright.wire.paging import Page

if TYPE_CHECKING:
    from loopwright.client._sync.client import Loops


class Groups:
    """Folders for one kind of thing; the one called Unsorted holds what has no other."""

    def __init__(self, client: Loops, operations: GroupOperations) -> None:
        self._client = client
        self._operations = operations

    def list(
        self, *, per_page: int | None = None, cursor: str | None = None, **options: Unpack[CallOptions]
    ) -> Page[Group]:
        """One page of the groups, newest first.

        `per_page` is 10 to 50; `cursor` is the page before's `pagination.next_cursor`.
        """
        return self._client.send(page_call(self._operations.list, Group, per_page, cursor, options))

    def iterate(self, *, per_page: int | None = None, **options: Unpack[CallOptions]) -> Iterator[Group]:
        """All groups, page after page."""
        return all_items(self._client, self._operations.list, Group, per_page, options)

    def create(
        self, name: str, *, description: str | UnsetType = UNSET, **options: Unpack[CallOptions]
    ) -> Group:
        """Create a group; the name Unsorted is taken."""
        body = given_texts(name=required("name", name), description=description)
        operation = self._operations.create
        return self._client.send(Call(operation, fill(operation), one(Group), options, body))

    def get(self, group_id: str, **options: Unpack[CallOptions]) -> Group:
        """One group; an unknown id raises `NotFoundError`."""
        operation = self._operations.get
        return self._client.send(Call(operation, fill(operation, group_id), one(Group), options))

    def update(
        self,
        group_id: str,
        *,
        name: str | UnsetType = UNSET,
        description: str | UnsetType = UNSET,
        **options: Unpack[CallOptions],
    ) -> Group:
        """Rename or describe a group; give at least one of the two. Unsorted stays as it is."""
        body = something_given(given_texts(name=name, description=description), "name, description")
        operation = self._operations.update
        return self._client.send(Call(operation, fill(operation, group_id), one(Group), options, body))
