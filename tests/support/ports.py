"""Ports for programs that have to be told theirs."""

import random
import socket
from contextlib import suppress


def free_port() -> int:
    """A port that no connection of anybody is given meanwhile: those come from above."""
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
