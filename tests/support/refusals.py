"""What every failure of the API has in common."""

from typing import Any

import httpx2

from support.contract import read


def refused(response: httpx2.Response, status: int, text: str) -> dict[str, Any]:
    """Every failure has the form that the contract declares for it, and says more in headers.

    `text` is part of its message. Answers its body, which a strict client can read.
    """
    body = read(response, status)
    assert text in body["message"], body
    assert response.headers["x-loopwright-code"]
    assert response.headers["x-request-id"]
    return body


def code_of(response: httpx2.Response) -> str:
    """The code that a program may branch on."""
    code: str = response.headers["x-loopwright-code"]
    return code
