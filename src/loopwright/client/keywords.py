"""Keywords a method does not have are refused with the name that was meant, before anything happens.

Methods take a call's options as `**options`, so Python alone would let any keyword in and lose it. What
people type instead of our names is mostly known: the API's own names, those of other clients, a letter more
or less.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable
from functools import wraps
from inspect import CO_COROUTINE, CO_VARKEYWORDS
from types import FunctionType
from typing import Any, ParamSpec, TypeVar, cast

from loopwright.client.call import CallOptions
from loopwright.errors import ArgumentTypeError
from loopwright.wire.contacts import CONTACT_KEYS, DEFAULT_PROPERTIES

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")
Kind = TypeVar("Kind", bound=type)

_ALIASES: dict[str, tuple[str, ...]] = {
    name: arguments
    for names, arguments in (
        ("eventproperties props attributes traits metadata", ("properties",)),
        ("contactproperties contactprops person customer user", ("contact", "properties")),
        ("variables vars data templatedata templatevariables", ("data_variables", "properties")),
        ("params parameters payload", ("properties", "data_variables")),
        ("event eventname eventtype", ("name",)),
        ("to recipient recipients emailaddress address", ("email", "emails")),
        ("uid externalid distinctid customerid", ("user_id",)),
        ("lists listids mailinglist mailinglistids", ("mailing_lists",)),
        ("subscribe optin", ("subscribed",)),
        ("unsubscribe unsubscribed optout", ("subscribed=False",)),
        ("templateid transactionalemailid emailid", ("transactional_id",)),
        ("retries retry maxretry maxattempts attempts", ("max_retries",)),
        ("idempotency dedupekey requestid", ("idempotency_key",)),
        ("key token apitoken accesstoken secret", ("api_key", "idempotency_key")),
        ("url host endpoint apiurl apibase server", ("base_url",)),
        ("client httpclient session http", ("transport", "loops")),
        ("ssl cafile cert certificate ca", ("verify",)),
        ("limit pagesize size count", ("per_page",)),
        ("page after nextcursor startingafter", ("cursor",)),
        ("concurrency workers maxworkers parallel batchsize", ("at_once", "parallel")),
        ("progress callback", ("on_progress",)),
        ("type nodetype nodetypename", ("type_name",)),
        ("revisionid contentrevisionid workflowrevisionid", ("expected_revision_id",)),
        ("html mjml body content", ("lmx",)),
        ("preheader", ("preview_text",)),
        ("file filename filepath", ("path",)),
    )
    for name in names.split()
}
"""What else people call an argument, by the letters alone; the first argument that a method has is meant."""

LEAST_IN_COMMON = 4
"""So many letters at the begin or end of a name tell what was meant: `emailMessageId` is a `message_id`."""


def strict(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
    """Let a function or method refuse keywords it does not have, with a hint.

    Its `**options`, if it takes any, are a call's. Raises `ArgumentTypeError`.
    """
    code = cast("FunctionType", function).__code__
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    options = CallOptions.__annotations__ if code.co_flags & CO_VARKEYWORDS else ()
    known = tuple(name for name in (*names, *options) if name != "self")
    allows = frozenset(known).issuperset
    owner, _, name = function.__qualname__.rpartition(".")
    if name == "__init__":
        name = owner.rpartition(".")[2]

    def checked(*arguments: Any, **keywords: Any) -> Any:
        if not allows(keywords):
            raise unknown_keyword(name, keywords, known)
        return function(*arguments, **keywords)

    async def checked_coroutine(*arguments: Any, **keywords: Any) -> Any:
        if not allows(keywords):
            raise unknown_keyword(name, keywords, known)
        return await cast("Any", function)(*arguments, **keywords)

    # A coroutine function stays one: frameworks and mocks look.
    made = checked_coroutine if code.co_flags & CO_COROUTINE else checked
    return cast("Callable[Parameters, Result]", wraps(function)(made))


def strict_class(kind: Kind) -> Kind:
    """Make every public method of a class strict, and its making; those that are stay as they are."""
    for name, function in list(vars(kind).items()):
        public = name == "__init__" or not name.startswith("_")
        if public and isinstance(function, FunctionType) and not hasattr(function, "__wrapped__"):
            setattr(kind, name, strict(function))
    return kind


def check_keywords(name: str, given: Collection[str], known: Collection[str]) -> None:
    """Refuse a mapping of the arguments of `name` that has others. Raises `ArgumentTypeError`."""
    if not frozenset(known).issuperset(given):
        raise unknown_keyword(name, given, known)


def unknown_keyword(name: str, given: Iterable[object], known: Collection[str]) -> ArgumentTypeError:
    """The error for the first of `given` that `name` does not take."""
    stranger = next(one for one in given if one not in known)
    meant = suggest(str(stranger), known)
    help_ = f"did you mean {meant}?" if meant else f"it takes {', '.join(known) or 'none'}"
    return ArgumentTypeError(f"{name}() got an unexpected keyword argument {stranger!r}; {help_}")


def suggest(name: str, known: Collection[str]) -> str | None:
    """What somebody who wrote `name` meant, of the arguments `known`, or what to write instead."""
    letters = _letters(name)
    by_letters = {_letters(one): one for one in known}
    if letters in by_letters:
        return by_letters[letters]
    for argument in _ALIASES.get(letters, ()):
        if argument.partition("=")[0] in known:
            return argument
    if key := _CONTACT_KEYS.get(letters):
        for argument in ("contact", "properties"):
            if argument in known:
                return f'{argument}={{"{key}": ...}}'
    return _similar(letters, by_letters)


def _similar(letters: str, by_letters: dict[str, str]) -> str | None:
    if letters == "id":
        return next((one for one in by_letters.values() if one.endswith("_id")), None)
    shared = [
        one
        for one in by_letters
        if min(len(one), len(letters)) >= LEAST_IN_COMMON
        and (letters.endswith(one) or letters.startswith(one) or one.endswith(letters))
    ]
    if shared:
        return by_letters[max(shared, key=len)]

    from difflib import get_close_matches  # seldom needed

    close = get_close_matches(letters, by_letters, n=1)
    return by_letters[close[0]] if close else None


def _letters(name: str) -> str:
    """A name without what differs between spellings: `firstName`, `first_name`, `FirstName`."""
    return name.replace("_", "").replace("-", "").lower()


_CONTACT_KEYS = {_letters(key): key for key in CONTACT_KEYS | {one.key for one in DEFAULT_PROPERTIES}}
