"""A resource of a client, made when it is first asked for, without a lock.

`functools.cached_property` of Python 3.11 holds one while it works: a process forked at that moment by
another thread would wait for it for ever. Here two threads may both make the value, and one of the two
stays.

All resources leave through here, and so all are made strict here: their methods refuse keywords they do not
have.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, Self, TypeVar, overload

from loopwright.client.keywords import strict_class

Owner = TypeVar("Owner")
Value = TypeVar("Value")


class lazy(Generic[Owner, Value]):  # noqa: N801  # reads as `property` does
    """Decorates a method without arguments; its value is kept on the object under the method's name."""

    def __init__(self, make: Callable[[Owner], Value]) -> None:
        self._make = make
        self.__doc__ = make.__doc__

    def __set_name__(self, owner: type[Owner], name: str) -> None:
        self._owner, self._name = owner.__name__, name

    def __repr__(self) -> str:
        """What `help` begins with."""
        return f"<{self._owner}.{self._name}>"

    @overload
    def __get__(self, instance: None, owner: type[Any]) -> Self: ...
    @overload
    def __get__(self, instance: Owner, owner: type[Any]) -> Value: ...
    def __get__(self, instance: Owner | None, owner: type[Any]) -> Self | Value:
        if instance is None:
            return self
        value = self._make(instance)
        strict_class(type(value))
        instance.__dict__[self._name] = value
        return value
