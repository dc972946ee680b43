"""Make the sync client, and its tests, from the async ones by renaming tokens.

    python tools/make_sync.py          write the sync trees
    python tools/make_sync.py --check  fail when a tree differs from what would be written

`async` and `await` go, and the names in `RENAMES` change; a name that nothing uses any more fails too. What
cannot be had by renaming lives in `client/sync_async.py` and `client/many.py`, twice by hand.
"""

import io
import subprocess
import sys
import tempfile
from pathlib import Path
from tokenize import NAME, TokenInfo, generate_tokens

ROOT = Path(__file__).resolve().parent.parent
RUFF = Path(sys.executable).with_name("ruff")

TREES = {
    "src/loopwright/client/_async": "src/loopwright/client/_sync",
    "tests/client/_async": "tests/client/_sync",
}

RENAMES = {
    "_async": "_sync",
    "__aenter__": "__enter__",
    "__aexit__": "__exit__",
    "AsyncIterator": "Iterator",
    "AsyncClient": "Client",
    "async_sleep": "sleep",
    "AsyncConnection": "Connection",
    "AsyncTransportChoice": "TransportChoice",
    "AsyncLoops": "Loops",
    "AsyncOutcomes": "Outcomes",
    "AsyncItems": "Items",
    "AsyncWork": "Work",
    "async_numbered": "numbered",
    "async_chunked": "chunked",
    "AsyncApiKey": "ApiKey",
    "AsyncContactProperties": "ContactProperties",
    "AsyncContacts": "Contacts",
    "AsyncDedicatedSendingIps": "DedicatedSendingIps",
    "AsyncEvents": "Events",
    "AsyncMailingLists": "MailingLists",
    "AsyncTransactional": "Transactional",
    "AsyncCampaigns": "Campaigns",
    "AsyncTransactionalEmails": "TransactionalEmails",
    "AsyncGroups": "Groups",
    "AsyncEmailMessages": "EmailMessages",
    "AsyncThemes": "Themes",
    "AsyncComponents": "Components",
    "AsyncAudienceSegments": "AudienceSegments",
    "AsyncWorkflows": "Workflows",
    "AsyncWorkflowNodes": "WorkflowNodes",
    "AsyncEventPatterns": "EventPatterns",
    "AsyncUploads": "Uploads",
}
"""Whole names of the async colour, and what they are called in the other."""

Edit = tuple[int, int, str]  # from column, to column, replacement


def convert(source: str, used: set[str]) -> str:
    """The sync twin of a module's source, unformatted. Adds the names it renamed to `used`."""
    lines = source.splitlines(keepends=True)
    edits: dict[int, list[Edit]] = {}
    for token in generate_tokens(io.StringIO(source).readline):
        replacement = rename(token, used)
        if replacement is None:
            continue
        row, start = token.start
        end = token.end[1]
        if not replacement:  # the blank after a dropped keyword goes with it
            end += len(lines[row - 1][end:]) - len(lines[row - 1][end:].lstrip(" "))
        if token.start[0] == token.end[0]:
            edits.setdefault(row - 1, []).append((start, end, replacement))
    for row, changes in edits.items():
        for start, end, replacement in reversed(changes):
            lines[row] = lines[row][:start] + replacement + lines[row][end:]
    return "".join(lines)


def rename(token: TokenInfo, used: set[str]) -> str | None:
    """What to put in a token's place: nothing for `async` and `await`, `None` to leave it."""
    if token.type != NAME:
        return None
    if token.string in ("async", "await"):
        return ""
    if token.string in RENAMES:
        used.add(token.string)
        return RENAMES[token.string]
    return None


def make(source: Path, target: Path, used: set[str]) -> None:
    """Write the twin of every module below `source`, formatted, with a line that names its source."""
    for module in sorted(source.rglob("*.py")):
        twin = target / module.relative_to(source)
        twin.parent.mkdir(parents=True, exist_ok=True)
        origin = module.relative_to(ROOT).as_posix()
        # SIM117: `async with` and `with` cannot be one statement, their twins could be.
        note = f"# ruff: noqa: SIM117\n# Made by tools/make_sync.py from {origin}\n"
        twin.write_text(note + convert(module.read_text(), used))
    config = ["--config", str(ROOT / "pyproject.toml"), "--no-cache", "--quiet"]
    # Sorts imports anew, makes `yield from` of loops without `async`, drops notes without cause.
    subprocess.run([RUFF, "check", *config, "--fix", "--unsafe-fixes", target], check=True)
    subprocess.run([RUFF, "format", *config, target], check=True)


def files(tree: Path) -> dict[str, str]:
    return {path.relative_to(tree).as_posix(): path.read_text() for path in sorted(tree.rglob("*.py"))}


def differences(made: Path, committed: Path) -> list[str]:
    """Every module that is missing, superfluous or different in the committed tree."""
    want, have = files(made), files(committed)
    missing = [f"{committed / name}: missing" for name in want.keys() - have.keys()]
    superfluous = [f"{committed / name}: has no source" for name in have.keys() - want.keys()]
    stale = [f"{committed / name}: differs" for name in want.keys() & have.keys() if want[name] != have[name]]
    return sorted(missing + superfluous + stale)


def main(arguments: list[str]) -> int:
    check = arguments == ["--check"]
    if arguments and not check:
        print(__doc__)
        return 2
    used: set[str] = set()
    problems: list[str] = []
    for source, target in TREES.items():
        if not check:
            for stale in (ROOT / target).rglob("*.py"):
                stale.unlink()
            make(ROOT / source, ROOT / target, used)
            continue
        # Inside the project, so that the formatter sorts imports as it would in the real place.
        with tempfile.TemporaryDirectory(dir=(ROOT / target).parent, prefix=".making_") as folder:
            make(ROOT / source, Path(folder), used)
            problems += differences(Path(folder), ROOT / target)
    problems += [f"{name}: renamed nowhere, drop it from RENAMES" for name in sorted(RENAMES.keys() - used)]
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
