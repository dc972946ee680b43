"""The base of every answer: typed fields, and the response they came from beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from msgspec import UNSET, Struct, UnsetType

__all__ = ["UNSET", "Answer", "Listing", "Raw", "UnsetType"]

# `UNSET` is msgspec's: "not given", which is something else than `None`. Encoding leaves such a field out.

Item = TypeVar("Item")


class Raw(Struct, frozen=True, kw_only=True):
    """A response as it arrived. `headers` has lower-case names; `attempts` counts every request made."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    attempts: int = 1


class Answer(Struct, frozen=True, kw_only=True, rename="camel", dict=True):
    """What one operation answers. Fields the contract does not know are ignored, never an error."""

    @property
    def raw(self) -> Raw:
        """The response behind this answer. Raises `AttributeError` on an answer no client has received."""
        try:
            raw: Raw = self.__dict__["raw"]
        except KeyError:
            raise AttributeError("raw: this value did not come from a client") from None
        return raw


class Listing(list[Item]):
    """A bare list as some operations answer it, with the response it came from."""

    raw: Raw
