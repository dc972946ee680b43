"""Finds what answers a path: in a table when it is fixed, in a tree of its pieces when it has parameters.

"/v1/events/send"                            fixed
"/v1/workflows/{workflowId}/nodes"           a parameter is one piece
"/v1/event-patterns/by-name/{eventName*}"    a starred one is everything that follows, slashes included

Slashes too many are ignored: clients join an address that ends with one and a path that begins with one. A
parameter that begins or ends with one has it percent-encoded.
"""

import re
from dataclasses import dataclass, field
from typing import Generic, TypeVar
from urllib.parse import unquote

Target = TypeVar("Target")

_SLASHES = re.compile("//+")


def tidied(path: str) -> str:
    """A path as it was meant: each slash once, and none at its end."""
    return _SLASHES.sub("/", path).rstrip("/") or "/"


@dataclass
class _Branch(Generic[Target]):
    """What may follow a piece of a path; a fixed piece goes before a parameter."""

    fixed: "dict[str, _Branch[Target]]" = field(default_factory=lambda: {})  # noqa: PIE807  # typed by its place
    parameter: "tuple[str, _Branch[Target]] | None" = None
    rest: tuple[str, Target] | None = None
    target: Target | None = None


class Paths(Generic[Target]):
    """Targets by path."""

    def __init__(self) -> None:
        self._fixed: dict[str, Target] = {}
        self._tree: _Branch[Target] = _Branch()

    def add(self, path: str, target: Target) -> None:
        """Have `path` lead to `target`."""
        if "{" not in path:
            self._fixed[path] = target
            return
        branch = self._tree
        for piece in path.removeprefix("/").split("/"):
            if piece.endswith("*}"):
                branch.rest = piece[1:-2], target
                return
            if piece.startswith("{"):
                if branch.parameter is None:
                    branch.parameter = piece[1:-1], _Branch()
                branch = branch.parameter[1]
            else:
                branch = branch.fixed.setdefault(piece, _Branch())
        branch.target = target

    def find_fixed(self, path: str) -> Target | None:
        """What answers a path without parameters that is written as it was added."""
        return self._fixed.get(path)

    def find(self, raw_path: str) -> tuple[Target, dict[str, str]] | None:
        """What answers a path that is still percent-encoded, and its parameters, which are no longer."""
        fixed = self._fixed.get(tidied(raw_path))
        if fixed is not None:
            return fixed, {}
        values: dict[str, str] = {}
        branch = self._tree
        pieces = raw_path.rstrip("/").split("/")
        for index, piece in enumerate(pieces):
            if not piece:
                continue
            following = branch.fixed.get(piece)
            if following is not None:
                branch = following
            elif branch.rest:
                return branch.rest[1], {**values, branch.rest[0]: unquote("/".join(pieces[index:]))}
            elif branch.parameter:
                name, branch = branch.parameter
                values[name] = unquote(piece)
            else:
                return None
        return (branch.target, values) if branch.target is not None else None
