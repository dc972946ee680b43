"""The log: lines on stderr, in JSON for programs or plain for people.

An exception appears as its kind and where it was raised. Its message stays out unless it is known to hold no
values: PostgreSQL and JSON parsers like to quote what somebody sent.
"""

import logging
import sys
import traceback
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

FIELDS = ("request_id", "method", "path", "status", "seconds")
"""What a line may carry beside its message."""

# Libraries tell of addresses and statements in lines of lower levels.
QUIET = {
    "asyncio": logging.ERROR,
    "asyncpg": logging.ERROR,
    "mail.log": logging.ERROR,
    "pgqueuer": logging.ERROR,
}


REPEAT_SECONDS = 1.0


class NotAgain(logging.Filter):
    """Lets a line below errors pass once a second: an outage under load would otherwise fill the disk."""

    def __init__(self) -> None:
        super().__init__()
        self._passed: dict[tuple[str, object], float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether the record passes."""
        if record.levelno in (logging.DEBUG, logging.ERROR, logging.CRITICAL):
            return True
        line = (record.name, record.msg)
        again = record.created - self._passed.get(line, 0) < REPEAT_SECONDS
        if not again:
            self._passed[line] = record.created
        return not again


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message, and what is known of the request."""

    def format(self, record: logging.LogRecord) -> str:
        """The line of a record."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        line.update({name: value for name in FIELDS if (value := getattr(record, name, None)) is not None})
        if record.exc_info and record.exc_info[1]:
            line["exception"] = list(told(record.exc_info[1]))
        return msgspec.json.encode(line).decode()


class PlainLines(logging.Formatter):
    """A line for people, and the places of an exception below it."""

    def format(self, record: logging.LogRecord) -> str:
        """The lines of a record."""
        moment = datetime.fromtimestamp(record.created).astimezone().strftime("%H:%M:%S")
        lines = [f"{moment} {record.levelname.lower():7} {record.getMessage()}"]
        if record.exc_info and record.exc_info[1]:
            lines += [f"    {line}" for line in told(record.exc_info[1])]
        return "\n".join(lines)


def configure(log_format: str | None, level: str) -> None:
    """Log from `level` on.

    `log_format` is "json", "text", or None for text on a terminal and JSON elsewhere.
    """
    as_json = log_format == "json" or (log_format is None and not sys.stderr.isatty())
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines() if as_json else PlainLines())
    handler.addFilter(NotAgain())
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("loopwright").setLevel(level.upper())
    for name, lowest in QUIET.items():
        logging.getLogger(name).setLevel(lowest)


def told(problem: BaseException) -> Iterator[str]:
    """An exception and what caused it: a line for each, its innermost places, no values."""
    seen: set[int] = set()
    current: BaseException | None = problem
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield _kind(current)
        for frame in reversed(traceback.extract_tb(current.__traceback__)[-6:]):
            yield f"  at {frame.name} ({_short(frame.filename)}:{frame.lineno})"
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _kind(problem: BaseException) -> str:
    name = f"{type(problem).__module__}.{type(problem).__qualname__}"
    if state := getattr(problem, "sqlstate", None):
        return f"{name}: SQLSTATE {state}"
    if isinstance(problem, OSError) and problem.errno is not None:
        return f"{name}: errno {problem.errno}"
    return name


def _short(filename: str) -> str:
    """The end of a path: enough to find the file, nothing of the machine."""
    return "/".join(filename.split("/")[-3:])
