"""The command line: one module a command, gathered here."""

import sys


def main() -> None:
    """Run `loopwright`, or say what to install when its own libraries are missing."""
    try:
        from loopwright.cli.program import program
    except ModuleNotFoundError as missing:
        sys.exit(f"loopwright needs {missing.name} for its command line: pip install 'loopwright[server]'")
    program()
