"""Measures in a folder, and puts the table into benchmarks/README.md, between the marks of its section."""

import asyncio
import compileall
import os
import platform
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from importlib.metadata import version
from pathlib import Path

import loopwright

README = Path(__file__).parent / "README.md"


def measured(measure: Callable[[Path], Coroutine[None, None, str]]) -> str:
    """What `measure` tells, printed, too. The folder that it is given is there meanwhile."""
    folder = Path(tempfile.mkdtemp(prefix="loopwright-bench-"))
    try:
        told = asyncio.run(measure(folder))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(told)
    return told


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
