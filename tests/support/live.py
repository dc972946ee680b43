"""What a test knows of the server it runs."""

from dataclasses import dataclass

from loopwright.server.store.database import Pool


@dataclass(frozen=True)
class LiveServer:
    """A whole server on a loopback port and on the test's own database; `pool` is the test's alone."""

    base_url: str
    api_key: str
    pool: Pool
