"""Measure the SDK beside its peers, in one run, against one local server; write the table into the README.

    python -m benchmarks.sdk.run [--rounds 5] [--calls 500] [--contract contract.json] [--base-url URL]

The peers are installed into a virtual environment that is thrown away afterwards. Each measurement is a
process of its own; rounds are interleaved, so that a change in the machine's mood meets all contestants;
medians count. `--base-url` measures against a server that runs already, such as `loopwright serve`.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

from benchmarks.report import circumstances, write_section

HERE = Path(__file__).parent
PROJECT = HERE.parents[1]
SERVER = PROJECT / "tests" / "support" / "recording_server.py"
PEERS = (
    "httpx2", "pyreqwest", "requests", "loops-sdk==0.3.3", "stripe", "resend", "svix",
    "openapi-python-client", "ruff", "uvloop",
)  # fmt: skip


@dataclass(frozen=True)
class Entrant:
    """A row of the table. `package` is what a user would install, `statement` what a program imports.

    A cheap call is made `times` as often, or its measurement would be over before the clocks can tell.
    """

    name: str
    label: str
    package: str = ""
    statement: str = ""
    times: int = 1


ENTRANTS = (
    Entrant("loopwright", "**Loops**", str(PROJECT), "import loopwright"),
    Entrant("loopwright_fast", "**Loops, fast**", f"{PROJECT}[fast]", times=4),
    Entrant("loopwright_async", "**AsyncLoops**"),
    Entrant("loopwright_async_uvloop", "**AsyncLoops on uvloop**"),
    Entrant("loopwright_fast_async", "**AsyncLoops, fast**", times=4),
    Entrant("loopwright_fast_async_uvloop", "**AsyncLoops, fast, on uvloop**", times=4),
    Entrant("requests", "requests, as documented", "requests", "import requests"),
    Entrant("httpx2", "httpx2", "httpx2", "import httpx2"),
    Entrant("httpx2_async", "httpx2, async"),
    Entrant("pyreqwest", "pyreqwest", "pyreqwest", "import pyreqwest.client", times=4),
    Entrant("pyreqwest_async", "pyreqwest, async", times=4),
    Entrant("loops_sdk", "loops-sdk 0.3.3", "loops-sdk==0.3.3", "import loops_sdk"),
    Entrant("stripe", "stripe", "stripe", "import stripe"),
    Entrant("resend", "resend", "resend", "import resend"),
    Entrant("svix", "svix", "svix", "from svix.api import Svix"),
    Entrant(
        "generated",
        "openapi-python-client, generated",
        "httpx>=0.23 attrs python-dateutil",
        "import loops_api_contract_client, loops_api_contract_client.api.events.send_event",
    ),
)
READY = "from loopwright import Loops; Loops('k', base_url='http://127.0.0.1')._connection.transport"


@dataclass
class Figures:
    """Everything measured: samples in microseconds by entrant, way and clock; imports; package counts."""

    samples: dict[tuple[str, str, str], list[float]] = field(default_factory=lambda: defaultdict(list))
    imports: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    packages: dict[str, int] = field(default_factory=dict)
    failures: list[str] = field(default_factory=list)
    """Measurements that broke off with an error; their round has no figure for that entrant."""

    def of(self, name: str, way: str, clock: str) -> float:
        return median(self.samples[name, way, clock])

    def importing(self, statement: str) -> float:
        return median(self.imports[statement])


class Peers:
    """The throw-away environment."""

    def __init__(self, folder: Path, contract: Path | None) -> None:
        self.python = folder / "venv" / "bin" / "python"
        self.generated = folder / "generated"
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        self._pip("install", *PEERS, f"{PROJECT}[fast]")
        self.has_generated = contract is not None and contract.exists()
        if contract is not None and self.has_generated:
            command: list[str | Path] = [
                self.python.with_name("openapi-python-client"), "generate", "--path", contract,
                "--output-path", self.generated, "--overwrite",
            ]  # fmt: skip
            path = f"{self.python.parent}{os.pathsep}{os.environ['PATH']}"
            subprocess.run(command, check=True, capture_output=True, env=os.environ | {"PATH": path})

    def run(self, *arguments: object) -> str:
        return subprocess.run(
            [str(self.python), *map(str, arguments)],
            check=True,
            capture_output=True,
            text=True,
            env=os.environ | {"GENERATED": str(self.generated), "PYTHONPATH": str(self.generated)},
        ).stdout

    def packages_of(self, requirement: str) -> int:
        """How many packages pip would install for it on a bare Python."""
        report = self._pip(
            "install", "--dry-run", "--ignore-installed", "--report", "-", *requirement.split()
        )
        return len(json.loads(report)["install"])

    def _pip(self, *arguments: str) -> str:
        return subprocess.run(
            [self.python, "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments],
            check=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        ).stdout  # fmt: skip

    def versions(self) -> str:
        wanted = [peer.partition("=")[0] for peer in PEERS if peer not in ("ruff", "uvloop")]
        code = (
            "import sys\nfrom importlib.metadata import version\n"
            "print(*(f'{p} {version(p)}' for p in sys.argv[1:]), sep=', ')"
        )
        return self.run("-c", code, *wanted).strip()


@contextmanager
def server(given: str | None) -> Iterator[str]:
    """The address to measure against: one that was given, or our own recording server's."""
    if given:
        yield given
        return
    command = [sys.executable, str(SERVER)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        yield process.stdout.readline().strip().removesuffix("/api/v1")
        process.stdin.close()


def measure(peers: Peers, entrants: list[Entrant], address: str, *, rounds: int, calls: int) -> Figures:
    figures = Figures()
    statements = [entrant.statement for entrant in entrants if entrant.statement] + [READY]
    for entrant in entrants:
        if entrant.package:
            figures.packages[entrant.name] = peers.packages_of(entrant.package)
    for lap in range(rounds):
        print(f"round {lap + 1} of {rounds}", flush=True)
        for entrant in entrants:
            for way, share in (("sequential", 1), ("crowd", 3)):
                number = calls * share * entrant.times
                try:
                    output = peers.run(HERE / "contestants.py", entrant.name, way, number, address)
                except subprocess.CalledProcessError as error:
                    figures.failures.append(
                        f"{entrant.name}, {way}: {error.stderr.strip().splitlines()[-1:]}"
                    )
                    print(figures.failures[-1], flush=True)
                    continue
                for clock, value in json.loads(output).items():
                    figures.samples[entrant.name, way, clock].append(value)
        for statement in statements:
            for _ in range(3):
                figures.imports[statement].append(float(peers.run(HERE / "imports.py", statement)))
    return figures


def table(figures: Figures, entrants: list[Entrant]) -> str:
    """Microseconds a call and milliseconds an import, one line an entrant."""
    lines = [
        "| | CPU, one at a time | wall, one at a time | CPU, 64 in flight | wall, 64 in flight "
        "| calls/s, 64 in flight | import | packages |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for entrant in entrants:
        cells = [
            f"{figures.of(entrant.name, way, clock):,.0f} µs"
            for way in ("sequential", "crowd")
            for clock in ("cpu", "wall")
        ]
        rate = f"{1e6 / figures.of(entrant.name, 'crowd', 'wall'):,.0f}"
        imported = f"{figures.importing(entrant.statement) / 1000:,.1f} ms" if entrant.statement else ""
        count = str(figures.packages.get(entrant.name, ""))
        lines.append(f"| {' | '.join([entrant.label, *cells, rate, imported, count])} |")
    return "\n".join(lines)


def bars(figures: Figures, entrants: list[Entrant]) -> list[str]:
    """What was promised, and whether it holds."""

    def cpu(name: str) -> float:
        return figures.of(name, "sequential", "cpu")

    def rate(name: str) -> float:
        return 1e6 / figures.of(name, "crowd", "wall")

    sdks = [e.name for e in entrants if e.name in ("loops_sdk", "stripe", "resend", "svix", "generated")]
    leanest = min(sdks, key=cpu)
    imports = figures.importing("import loopwright") / figures.importing("import requests")
    ready = figures.importing(READY) / figures.importing("import httpx2")
    return [
        _bar("Loops: CPU at most 0.55 of requests", cpu("loopwright") / cpu("requests"), at_most=0.55),
        _bar(f"Loops: CPU below every SDK ({leanest})", cpu("loopwright") / cpu(leanest), at_most=1.0),
        _bar("Loops: CPU at most 1.25 of bare httpx2", cpu("loopwright") / cpu("httpx2"), at_most=1.25),
        _bar("fast: CPU at most 0.2 of requests", cpu("loopwright_fast") / cpu("requests"), at_most=0.2),
        _bar("fast: CPU at most 1.5 of pyreqwest", cpu("loopwright_fast") / cpu("pyreqwest"), at_most=1.5),
        _bar(
            "fast, async, 64 in flight: calls/s at least 5 times httpx2, async",
            rate("loopwright_fast_async") / rate("httpx2_async"),
            at_least=5.0,
        ),
        _bar("`import loopwright`: at most 0.25 of `import requests`", imports, at_most=0.25),
        _bar("a ready `Loops()`: at most 1.2 of `import httpx2`", ready, at_most=1.2),
    ]


def _bar(text: str, ratio: float, *, at_most: float = float("inf"), at_least: float = 0.0) -> str:
    verdict = "holds" if at_least <= ratio <= at_most else "**missed**"
    return f"- {text}: {verdict} ({ratio:.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument(
        "--calls", type=int, default=500, help="calls one at a time; three times as many in flight"
    )
    parser.add_argument(
        "--contract", type=Path, help="the API's OpenAPI description, for the generated client"
    )
    parser.add_argument("--base-url", help="measure against this server, without a path")
    given = parser.parse_args()
    contract = given.contract or PROJECT.parent / "shared" / "loops-api" / "contract.json"
    with tempfile.TemporaryDirectory() as folder, server(given.base_url) as address:
        print("installing the peers", flush=True)
        peers = Peers(Path(folder), contract)
        entrants = [e for e in ENTRANTS if e.name != "generated" or peers.has_generated]
        figures = measure(peers, entrants, address, rounds=given.rounds, calls=given.calls)
        versions = peers.versions()
    broken = "".join(f"\nOne measurement broke off: {failure}.\n" for failure in figures.failures)
    absent = (
        "" if peers.has_generated else "\nThe contract was not at hand, so the generated client is missing.\n"
    )
    bar_lines = "\n".join(bars(figures, entrants))
    text = f"""
`make bench-sdk`: one `events.send` with four properties (ours with an idempotency key, too), or a peer's
comparable call, to a local server in a process of its own; medians of {given.rounds} interleaved rounds of
{given.calls} calls one at a time, {3 * given.calls} in flight (the fast ones four times as many), where
`wall` is the whole time by the calls.
{circumstances("loopwright")} Peers: {versions}.
{absent}{broken}
{table(figures, entrants)}

A ready `Loops()`, everything loaded that a call needs: {figures.importing(READY) / 1000:,.1f} ms.

{bar_lines}
"""
    write_section("sdk", text)
    print(text)


if __name__ == "__main__":
    main()
