"""Puts a measured table into benchmarks/README.md, between the marks of its section."""

import compileall
import os
import platform
from importlib.metadata import version
from pathlib import Path

import loopwright

README = Path(__file__).parent / "README.md"


def write_section(name: str, text: str) -> None:
    """Replace what stands between `<!-- name -->` and `<!-- /name -->` by `text`."""
    begin, end = f"<!-- {name} -->", f"<!-- /{name} -->"
    before = README.read_text()
    head, _, rest = before.partition(begin)
    _, _, tail = rest.partition(end)
    README.write_text(f"{head}{begin}\n{text.strip()}\n{end}{tail}")


def compile_package() -> None:
    """As pip leaves what it installs: else each start compiles a checkout's modules anew."""
    compileall.compile_dir(Path(loopwright.__file__).parent, quiet=1)


def circumstances(*packages: str) -> str:
    """The machine and the versions, in a line."""
    cores = len(os.sched_getaffinity(0))
    versions = ", ".join(f"{package} {version(package)}" for package in packages)
    python = platform.python_version()
    return f"{platform.system()} {platform.machine()}, {cores} cores; Python {python}, {versions}."
