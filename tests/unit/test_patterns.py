"""Regular expressions take as long as the text, whatever the text: strangers write much of it."""

import importlib
import pkgutil
import re
import time
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

import loopwright
from loopwright.server.ingest.blocklist import is_blocked

SMALL, LARGE = 3_000, 24_000
ENDS = ("\x01", " :")
BEGINNINGS = ("", "a", "a@", "<a ", '"', "{", "=?", "#", "1.")


def patterns() -> Iterator[object]:
    """Every expression that a module of ours keeps."""
    for module in pkgutil.walk_packages(loopwright.__path__, "loopwright."):
        if ".migrations." in module.name or module.name.endswith("__main__"):
            continue
        for name, value in vars(importlib.import_module(module.name)).items():
            for one in value.values() if isinstance(value, dict) else (value,):
                if isinstance(one, re.Pattern):
                    yield pytest.param(one, id=f"{module.name}.{name}")


@pytest.mark.parametrize("pattern", list(patterns()))
def test_an_expression_takes_as_long_as_its_text(pattern: re.Pattern[str] | re.Pattern[bytes]) -> None:
    """Eight times the text is not 64 times the work, for runs of each character it speaks of."""
    source = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    for beginning, piece, end in product(BEGINNINGS, {*source, "a", "1", " ", ".", "\n"}, ENDS):
        large = _seconds(pattern, f"{beginning}{piece * LARGE}{end}")
        if large > 0.01:
            small = _seconds(pattern, f"{beginning}{piece * SMALL}{end}")
            assert large < 30 * small, f"{beginning!r} and then {piece!r}, again and again"


def _seconds(pattern: re.Pattern[str] | re.Pattern[bytes], text: str) -> float:
    given_text = text if isinstance(pattern.pattern, str) else text.encode("latin-1", "replace")
    best = float("inf")
    for _ in range(2):
        start = time.thread_time()
        pattern.fullmatch(given_text)  # type: ignore[arg-type]  # text for text, bytes for bytes
        best = min(best, time.thread_time() - start)
    return best


@given(st.text("ab.@*", max_size=12), st.text("ab.@", max_size=12))
def test_a_star_stands_for_anything(pattern: str, email: str) -> None:
    """As the shell has it."""
    assert is_blocked(email, [pattern]) is fnmatchcase(email, pattern)


def test_many_stars_hold_nobody_up() -> None:
    """Each piece is looked for once: tried in every combination, they would take for ever."""
    assert not is_blocked("a" * 240 + "@x.test", ["*a" * 30 + "*b@x.test"])
