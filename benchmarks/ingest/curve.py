"""Measures whether the rate stays the same while contacts grow in number, and draws docs/ingest-rate.svg.

Each size is a server of its own. All of them are there at once and are measured in turns, so that the
changing pace of the machine and the growing number of events meet all of them alike. A checkpoint comes right
before each load: what a load changes is then written by the page, which costs most where pages are many.
"""

from contextlib import ExitStack
from pathlib import Path

from benchmarks.ingest.chart import draw
from benchmarks.ingest.loads import Pair, fill, median, prepare, run_sql, turn, warm_up
from benchmarks.ingest.machine import constant, loopwright

SIZES = (10_000, 100_000, 500_000, 2_000_000)
CURVE = Path(__file__).parents[2] / "docs" / "ingest-rate.svg"
BAR = 0.15


async def curve(folder: Path, seconds: int, rounds: int) -> str:
    """The rates with more and more contacts stored, as Markdown."""
    pairs: dict[int, list[Pair]] = {size: [] for size in SIZES}
    with ExitStack() as stack:
        floor_url = stack.enter_context(constant())
        servers = {size: stack.enter_context(loopwright(folder / str(size))) for size in SIZES}
        for size, server in servers.items():
            await prepare(server)
            fill(server, 0, size)
            await run_sql(server, "VACUUM ANALYZE contact")
        for size, server in servers.items():
            await warm_up(server, size)
        for number in range(rounds):
            for size in SIZES if number % 2 == 0 else reversed(SIZES):
                await run_sql(servers[size], "CHECKPOINT")
                pairs[size].append(await turn(servers[size], floor_url, seconds, size))
    middle = {size: median(of_size) for size, of_size in pairs.items()}
    pace = sorted(pair.floor.rate for pair in middle.values())[len(middle) // 2]
    CURVE.write_text(draw([(size, pair.share * pace) for size, pair in middle.items()]))
    return table(pairs, middle, rounds)


def table(pairs: dict[int, list[Pair]], middle: dict[int, Pair], rounds: int) -> str:
    """A line a size, and the bar they are held to."""
    lines = [
        f"`python -m benchmarks.ingest.run --curve`: a server for each size, {rounds} rounds in turns, each",
        "load right after a checkpoint, when whole pages are written; the round of the median share.",
        "",
        "| contacts stored | events per second | share of the floor | of all rounds |",
        "|---:|---:|---:|---:|",
    ]
    for size, pair in middle.items():
        shares = sorted(one.share for one in pairs[size])
        lines.append(
            f"| {size:,} | {pair.events.rate:,.0f} | {pair.share:.3f} | {shares[0]:.3f} to {shares[-1]:.3f} |"
        )
    change = middle[SIZES[-1]].share / middle[SIZES[0]].share - 1
    verdict = "met" if abs(change) <= BAR else "**missed**"
    lines += ["", f"- {SIZES[-1]:,} beside {SIZES[0]:,}, at most {BAR:.0%} apart: {verdict} ({change:+.0%})"]
    return "\n".join(lines)
