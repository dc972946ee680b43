"""What every failure of the API has in common."""

from typing import Any

import httpx2


def refused(response: httpx2.Response, status: int, text: str) -> dict[str, Any]:
    """Every failure has the one shape; `text` is part of its message."""
    body: dict[str, Any] = response.json()
    assert response.status_code == status, body
    assert body["success"] is False
    assert text in body["message"], body
    assert body["code"]
    assert body["requestId"] == response.headers["x-request-id"]
    return body
