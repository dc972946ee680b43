"""The definition folders that are installed with the package."""

from pathlib import Path

import loopwright

WELCOME = Path(loopwright.__file__).parent / "examples" / "welcome"
