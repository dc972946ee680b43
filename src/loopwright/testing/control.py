"""Talks to the control requests of a server for tests: plain blocking HTTP, so that it fits into any loop."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

ROOT = "/loopwright/test"
SECONDS = 120.0
"""A move over months with much to do takes its time."""


class TestServerError(Exception):
    """The server for tests refused what was asked of it; the text says why and what to ask instead."""

    __test__ = False


class Control:
    """One server's control requests. What it `said` so far is told when it fails."""

    def __init__(self, address: str, key: str, said: Callable[[], str]) -> None:
        self.address = address
        self._said = said
        self._netloc = urlsplit(address).netloc
        self._headers = {"authorization": f"Bearer {key}", "content-type": "application/json"}

    def get(self, path: str) -> Any:
        """Ask for something."""
        return self._send("GET", ROOT + path, None, self._headers)

    def post(self, path: str, body: object = None) -> Any:
        """Have something done."""
        content = json.dumps(body).encode() if body is not None else None
        return self._send("POST", ROOT + path, content, self._headers)

    def post_as(self, key: str, path: str, body: object) -> Any:
        """Have something done by the server's own API, as the team of that key; `path` is whole."""
        headers = {**self._headers, "authorization": f"Bearer {key}"}
        return self._send("POST", path, json.dumps(body).encode(), headers)

    def _send(self, method: str, path: str, body: bytes | None, headers: dict[str, str]) -> Any:
        connection = http.client.HTTPConnection(self._netloc, timeout=SECONDS)
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status >= 500:
            raise TestServerError(f"{answer['message']}\nWhat it said last:\n{self._said()}")
        if response.status >= 400:
            raise TestServerError(answer["message"])
        return answer
