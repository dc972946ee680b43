"""What `import loopwright` shows: names that can be listed, imported and read about."""

import ast
import inspect
import pydoc
import subprocess
import sys
from pathlib import Path

import pytest

import loopwright.webhooks
from loopwright import AsyncLoops, Loops
from loopwright.client.lazy import lazy

PLAIN = pydoc._PlainTextDoc()  # type: ignore[attr-defined]
NAMES: list[str] = vars(loopwright)["__all__"]
HEAVY = ("httpx2", "httpcore2", "pyreqwest", "asyncpg", "starlette", "typer", "rich")


def declared() -> set[str]:
    """What type checkers see."""
    tree = ast.parse(Path(loopwright.__file__).read_text())
    (branch,) = (
        node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
    )
    return {alias.name for node in branch.body if isinstance(node, ast.ImportFrom) for alias in node.names}


def test_all_names_what_type_checkers_see() -> None:
    assert set(NAMES) == declared()
    assert declared() <= set(dir(loopwright))


def test_a_star_import_brings_every_name_and_no_http_library() -> None:
    program = (
        "import sys\n"
        "from loopwright import *\n"
        "import loopwright\n"
        "assert set(loopwright.__all__) <= set(globals())\n"
        f"assert not set({HEAVY!r}) & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], check=True)


def test_help_lists_the_classes() -> None:
    text = pydoc.render_doc(loopwright, renderer=PLAIN)
    for name in ("Loops", "AsyncLoops", "Outbox", "RateLimitError", "Contact"):
        assert f"class {name}(" in text


def test_every_public_class_says_what_it_is() -> None:
    """It, and each of its public methods; those of `loopwright.webhooks` too."""
    public = [getattr(loopwright, name) for name in NAMES]
    public += [
        value
        for name, value in vars(loopwright.webhooks).items()
        if not name.startswith("_") and getattr(value, "__module__", "") == "loopwright.webhooks"
    ]
    classes = [value for value in public if inspect.isclass(value)]
    assert len(classes) > 100
    assert [one.__name__ for one in classes if not one.__dict__.get("__doc__")] == []
    assert {one.__name__: names for one in classes if (names := undocumented(one))} == {}


def resources() -> list[object]:
    return [
        pytest.param(client, name, id=f"{client.__name__}.{name}")
        for client in (Loops, AsyncLoops)
        for name, value in vars(client).items()
        if isinstance(value, lazy)
    ]


@pytest.mark.parametrize(("client", "name"), resources())
def test_every_resource_says_what_it_is(client: type[Loops | AsyncLoops], name: str) -> None:
    """On the class, where `help` looks, and on what is there at run time, where `?` looks."""
    text = pydoc.render_doc(getattr(client, name), renderer=PLAIN)
    assert f"<{client.__name__}.{name}>" in text
    assert getattr(client, name).__doc__ in text
    resource = type(getattr(client("k" * 32), name))
    assert resource.__doc__
    assert undocumented(resource) == []


def undocumented(owner: type) -> list[str]:
    """Public methods and properties without a docstring; those of other libraries' classes do not count."""
    return [
        name
        for base in owner.__mro__
        if base.__module__.startswith("loopwright")
        for name, value in vars(base).items()
        if not name.startswith("_") and is_method(value) and not inspect.getdoc(value)
    ]


def is_method(value: object) -> bool:
    return inspect.isroutine(value) or isinstance(value, property | lazy)
