"""What every failure of the API has in common."""

from typing import Any

import httpx2

from support.contract import misread, operation_at


def refused(response: httpx2.Response, status: int, text: str) -> dict[str, Any]:
    """Every failure has the form that the contract declares for it, and says more in headers.

    `text` is part of its message. Answers its body, which a strict client can read.
    """
    body: dict[str, Any] = response.json()
    assert response.status_code == status, body
    assert text in body["message"], body
    request = response.request
    assert misread(operation_at(request.method, request.url.path), status, body) == []
    assert response.headers["x-loopwright-code"]
    assert response.headers["x-request-id"]
    return body


def code_of(response: httpx2.Response) -> str:
    """The code that a program may branch on."""
    code: str = response.headers["x-loopwright-code"]
    return code
