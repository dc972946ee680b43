"""The examples of docs/sdk.md that use the content API, run against answers of the published contract.

Those marked `runs` are run against the real server, with all other pages' examples.
"""

from __future__ import annotations

import inspect
import json
import re
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from loopwright import HttpRequest, HttpResponse, Loops
from loopwright.wire.operations import OPERATIONS
from support.contract import mended
from support.schema_examples import examples

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/sdk.md").read_text()
CONTENT = re.findall(r"^```python content\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


class ContractTransport:
    """Answers each request with the first example of its operation's answer."""

    def __init__(self) -> None:
        self.contract = mended()

    def send(self, request: HttpRequest) -> HttpResponse:
        path = urlsplit(request.url).path.removeprefix("/api")
        for operation in OPERATIONS:
            pattern = re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(operation.path))
            if operation.method == request.method and re.fullmatch(pattern, path):
                return self.answer(operation.path, operation.method.lower())
        raise AssertionError(f"{request.method} {path} is no operation")

    def answer(self, path: str, method: str) -> HttpResponse:
        responses = self.contract["paths"][path][method]["responses"]
        status, success = next((int(s), found) for s, found in responses.items() if s.startswith("2"))
        example = examples(success["content"]["application/json"]["schema"], self.contract)[0]
        if "pagination" in example:
            example["pagination"]["nextCursor"] = None
        return HttpResponse(status, {}, json.dumps(example).encode())


@pytest.mark.parametrize("example", CONTENT, ids=range(len(CONTENT)))
def test_content_examples(example: str) -> None:
    exec(example, {"loops": Loops("key", transport=ContractTransport())})


def test_the_page_names_every_setting() -> None:
    """A setting missing from the table fails, and so does one too many."""
    table = PAGE.split("## Options")[1].split("Every method")[0]
    first_cells = [row.split("|")[1] for row in table.splitlines() if row.startswith("| `")]
    assert set(inspect.signature(Loops).parameters) == set(re.findall(r"`(\w+)`", " ".join(first_cells)))
