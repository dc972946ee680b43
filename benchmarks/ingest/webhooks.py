"""What webhooks for every type of event cost ingest: `python -m benchmarks.ingest.webhooks`.

Two servers, one with an endpoint that is told of everything and one without, take the same loads in turns. A
server at its address takes what the first sends. It writes its section of README.md.
"""

import argparse
import time
from pathlib import Path
from statistics import median

import msgspec

from benchmarks.ingest.loads import EVENTS, fill, prepare, run_sql, warm_up
from benchmarks.ingest.machine import Server, constant, loopwright, need_wrk, post, wrk
from benchmarks.report import circumstances, measured, write_section

KNOWN = 50_000
ROUNDS = 5
BAR = 0.7
CONNECTIONS = 64


def load(server: Server, new: bool, seconds: int) -> float:
    """Events a second: of known contacts, each changed by it, or of new ones."""
    tag = f"new{time.time_ns()}x" if new else "known"
    url = EVENTS.format(server.address)
    found = wrk(url, tag, connections=CONNECTIONS, seconds=seconds, known=KNOWN)
    assert found.failed == 0, f"{found.failed} requests were refused"
    return found.rate


async def measure(folder: Path, seconds: int) -> str:
    """The table, as Markdown."""
    rates: dict[bool, list[tuple[float, float]]] = {False: [], True: []}
    allowed = ("--webhook-networks", "127.0.0.0/8")
    with (
        constant() as sink,
        loopwright(folder / "plain") as plain,
        loopwright(folder / "told", *allowed) as told,
    ):
        post(told.address, "/loopwright/v1/webhooks", msgspec.json.encode({"url": sink}))
        for server in (plain, told):
            await prepare(server)
            fill(server, 0, KNOWN)
            await warm_up(server, KNOWN)
            load(server, True, seconds)
        for number in range(ROUNDS):
            for new, found in rates.items():
                order = (plain, told) if number % 2 else (told, plain)
                rate = {server: load(server, new, seconds) for server in order}
                found.append((rate[plain], rate[told]))
        deliveries = await run_sql(told, "SELECT count(*) FROM webhook_delivery")
        contacts = await run_sql(told, "SELECT count(*) FROM contact")
    assert deliveries == contacts, f"{deliveries} webhooks for {contacts} contacts"
    return _told(rates, contacts or 0)


def _told(rates: dict[bool, list[tuple[float, float]]], contacts: int) -> str:
    lines = [
        f"Webhooks of every type to one endpoint, over HTTP with {CONNECTIONS} connections: "
        f"`python -m benchmarks.ingest.webhooks`, medians of {ROUNDS} alternating rounds. "
        f"{circumstances('loopwright', 'asyncpg')}",
        "",
        "| events of | a second without | a second with | share |",
        "|---|---:|---:|---|",
    ]
    for new, found in rates.items():
        share = median(with_ / without for without, with_ in found)
        verdict = "holds" if share >= BAR else "**missed**"
        without, with_ = (median(one) for one in zip(*found, strict=True))
        what = "new contacts" if new else "known contacts"
        lines.append(f"| {what} | {without:,.0f} | {with_:,.0f} | {share:.2f}, at least {BAR}: {verdict} |")
    return "\n".join([*lines, "", f"Each of the {contacts:,} contacts was told of once."])


def main() -> None:
    """Measure, show and write down."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--seconds", type=int, default=5, help="how long each load lasts")
    chosen = options.parse_args()
    need_wrk()
    write_section("ingest-webhooks", measured(lambda folder: measure(folder, chosen.seconds)))


if __name__ == "__main__":
    main()
