"""The package as users have it: built, and installed into environments that hold nothing else of ours."""

import os
import subprocess
import sys
import tomllib
import venv
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
# What a developer's shell has and a user's has not.
OURS = ("PYTHON", "LOOPS_", "LOOPWRIGHT_", "VIRTUAL_ENV", "PYTEST_", "PIP_CONSTRAINT")


@dataclass(frozen=True)
class Installed:
    """An environment with the package in it. Commands run in `folder`, which holds nothing else of theirs."""

    home: Path
    folder: Path

    @property
    def python(self) -> Path:
        return self.home / "bin" / "python"

    @property
    def loopwright(self) -> Path:
        return self.home / "bin" / "loopwright"

    def run(self, *command: str | Path, **variables: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end, whatever that is."""
        return subprocess.run(
            command,
            cwd=self.folder,
            env=clean_variables() | variables,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def execute(self, program: str, **variables: str) -> str:
        """Run a Python program that has to succeed; what it printed."""
        done = self.run(self.python, "-W", "error", "-c", program, **variables)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


@dataclass(frozen=True)
class Built:
    """What a release uploads, its wheel built from its sdist; and a wheel built from the repository."""

    sdist: Path
    wheel: Path
    direct: Path


def build(folder: Path) -> Built:
    """Build it all into `folder`."""
    for kinds, place in (((), "release"), (("--wheel",), "direct")):
        command = [sys.executable, "-m", "build", *kinds, "--outdir", folder / place, ROOT]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=clean_variables())
    (sdist,) = (folder / "release").glob("*.tar.gz")
    (wheel,) = (folder / "release").glob("*.whl")
    (direct,) = (folder / "direct").glob("*.whl")
    return Built(sdist, wheel, direct)


def install(place: Path, wheel: Path, extra: str, *options: str) -> Installed:
    """Install the wheel with an extra, or bare for the empty one, as pip would from the index."""
    place.mkdir()
    installed = Installed(place / "environment", place / "folder")
    installed.folder.mkdir()
    venv.create(installed.home, with_pip=False)
    wanted = f"{wheel}[{extra}]" if extra else str(wheel)
    done = pip(installed, "install", "--quiet", "--no-compile", *options, wanted)
    assert done.returncode == 0, done.stdout + done.stderr
    return installed


def pip(installed: Installed, *arguments: str) -> subprocess.CompletedProcess[str]:
    """pip of the development environment, working on another one."""
    return installed.run(sys.executable, "-m", "pip", "--python", installed.python, *arguments)


def lowest_versions(extra: str) -> list[str]:
    """Constraints that hold the bare package's and an extra's dependencies to their lower bounds."""
    constraints = []
    waiting, seen = [*PROJECT["dependencies"], *EXTRAS[extra]], set[str]()
    while waiting:
        requirement = Requirement(waiting.pop())
        if requirement.name == PROJECT["name"]:
            for inner in requirement.extras - seen:
                seen.add(inner)
                waiting += EXTRAS[inner]
        else:
            (lowest,) = (one.version for one in requirement.specifier if one.operator == ">=")
            constraints.append(f"{requirement.name}=={lowest}")
    return sorted(constraints)


def clean_variables() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if not name.startswith(OURS)}
