"""The sync tree is the async one's twin, and the tool that says so can tell when it is not."""

import io
import subprocess
import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from tokenize import NAME, generate_tokens
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]
TOOL = ROOT / "tools/make_sync.py"


@pytest.fixture(scope="module")
def make_sync() -> ModuleType:
    spec = spec_from_file_location("make_sync", TOOL)
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_committed_twins_are_current() -> None:
    """What the gate runs."""
    done = subprocess.run([sys.executable, TOOL, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_tokens_are_renamed_and_nothing_else(make_sync: ModuleType) -> None:
    """Keywords go with their blank; strings and comments stay as they are."""
    used: set[str] = set()
    source = '''async def go(loops: AsyncLoops) -> "AsyncLoops":
    """Not await, nor AsyncLoops."""
    async with loops:  # async here
        return await (await loops.one()).two()
'''
    assert make_sync.convert(source, used) == (
        '''def go(loops: Loops) -> "AsyncLoops":
    """Not await, nor AsyncLoops."""
    with loops:  # async here
        return (loops.one()).two()
'''
    )
    assert used == {"AsyncLoops"}


@pytest.mark.parametrize(
    ("spoil", "complaint"),
    [
        pytest.param(lambda tree: (tree / "a.py").unlink(), "missing", id="missing"),
        pytest.param(lambda tree: (tree / "c.py").write_text(""), "has no source", id="superfluous"),
        pytest.param(lambda tree: (tree / "a.py").write_text("x = 1"), "differs", id="truncated"),
        pytest.param(lambda tree: (tree / "a.py").write_text("x = 1\ny = 2\nz"), "differs", id="longer"),
        pytest.param(lambda tree: (tree / "deep/b.py").write_text("b = 0\n"), "differs", id="stale"),
    ],
)
def test_every_kind_of_difference_is_found(
    make_sync: ModuleType, tmp_path: Path, spoil: object, complaint: str
) -> None:
    """Whole trees are compared, both ways."""
    for name in ("made", "committed"):
        (tmp_path / name / "deep").mkdir(parents=True)
        (tmp_path / name / "a.py").write_text("x = 1\ny = 2\n")
        (tmp_path / name / "deep/b.py").write_text("b = 1\n")
    assert make_sync.differences(tmp_path / "made", tmp_path / "committed") == []
    assert callable(spoil)
    spoil(tmp_path / "committed")
    (found,) = make_sync.differences(tmp_path / "made", tmp_path / "committed")
    assert complaint in found


@pytest.mark.parametrize("tree", ["src/loopwright/client/_sync", "tests/client/_sync"])
def test_nothing_async_is_left(tree: str) -> None:
    """Neither keyword, nor the library, and each file names its source."""
    for module in (ROOT / tree).rglob("*.py"):
        source = module.read_text()
        assert "Made by tools/make_sync.py from" in source
        names = {
            token.string for token in generate_tokens(io.StringIO(source).readline) if token.type == NAME
        }
        assert not names & {"async", "await", "asyncio"}, module
