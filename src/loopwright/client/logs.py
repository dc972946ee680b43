"""`LOOPS_LOG`: the log without a line of code."""

from __future__ import annotations

import logging
from collections.abc import Mapping

from loopwright.errors import ConfigurationError

logger = logging.getLogger("loopwright")

VARIABLE = "LOOPS_LOG"
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO}
FORM = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class Console(logging.StreamHandler):  # type: ignore[type-arg]
    """Writes to standard error, unless the program logs by itself: then it has each line already."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not logging.getLogger().handlers and bool(super().filter(record))


def log_as_asked(environment: Mapping[str, str]) -> None:
    """Log as `LOOPS_LOG` says, `info` or `debug`. Raises `ConfigurationError` for anything else."""
    asked = environment.get(VARIABLE, "").strip().lower()
    if not asked:
        return
    if asked not in LEVELS:
        raise ConfigurationError(f"{VARIABLE} is info or debug, not {environment[VARIABLE]!r}")
    logger.setLevel(LEVELS[asked])
    if not any(isinstance(handler, Console) for handler in logger.handlers):
        console = Console()
        console.setFormatter(logging.Formatter(FORM))
        logger.addHandler(console)
