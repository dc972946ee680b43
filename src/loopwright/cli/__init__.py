"""The command line: one module a command, gathered in `program`."""

import sys


def main() -> None:
    """Run `loopwright`, or say what to install when a library that a command needs is missing."""
    try:
        from loopwright.cli.program import program

        program()
    except ModuleNotFoundError as missing:
        if missing.name is None or missing.name.startswith("loopwright"):
            raise
        extra = "cli" if missing.name in ("typer", "rich", "click") else "server"
        sys.exit(f"This command needs {missing.name}: pip install 'loopwright[{extra}]'")
