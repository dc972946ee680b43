"""The examples of README and docs/testing.md pass in an empty project."""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def test_the_examples_pass(tmp_path: Path) -> None:
    """As they are typed, each in a file of its own."""
    for page in (ROOT / "README.md", ROOT / "docs" / "testing.md"):
        tests = [one for one in BLOCK.findall(page.read_text()) if "def test_" in one]
        assert tests
        for number, text in enumerate(tests):
            (tmp_path / f"test_{page.stem.lower()}_{number}.py").write_text(text)
    options = ("-p", "loopwright.testing.plugin", "-p", "no:cacheprovider", "-p", "no:randomly")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options], cwd=tmp_path, capture_output=True, text=True, timeout=60
    )
    assert "5 passed" in done.stdout, done.stdout
