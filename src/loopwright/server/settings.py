"""Settings: what an operator may choose, each by option or by an environment variable `LOOPWRIGHT_<NAME>`."""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal, TypeAlias

from loopwright.server.networks import Network
from loopwright.server.runtime.connections import MOST_CONNECTIONS
from loopwright.wire.limits import SUPPRESSION_REMOVALS

RateLimit: TypeAlias = float | Literal["loops", "off"]
Retention: TypeAlias = int | Literal["forever"]

DEFAULT_PORT = 5667
LOCAL_URL = f"http://127.0.0.1:{DEFAULT_PORT}"
"""Where a server is that nobody said anything about."""
SMTP_CONNECTIONS = 24
SMTP_MESSAGES = 100
EVERYWHERE = ("0.0.0.0", "::", "[::]")  # noqa: S104  # what an operator may write
"""Hosts that stand for all addresses of the machine."""
DEFAULT_DATA_DIR = Path(".loopwright")
SEALING_FILE = "sealing.key"
"""In the data folder."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How one server runs.

    `database_url` None means the embedded server in `data_dir`; `smtp_url` None means that every email stays
    in the inbox. `api_key` fixes a key of the first team. `rate_limit` is a number of requests per second and
    team, `loops` for the published limits, or `off`; `removal_quota` is how many suppressions a team may lift
    in any 30 days. `public_url` is what links in emails begin with, without a final slash; None means the
    address the server listens on. `media_url` is what addresses of images begin with, where a cache stands in
    front of them; None means that they are there as well. Proxies in `trusted_proxies` are believed whom
    they took a request from.
    Webhooks go to public addresses, and to those in `webhook_networks`.
    Mail that comes back is taken on `bounce_port` of `bounce_host`, by no process where it is None.
    `workers` is the number of processes that take requests, each over at most `connections` at a time; with
    `jobs`, each of them does jobs and delivers email, too: over `smtp_connections` at a time at most, each
    for `smtp_messages`, and `send_rate` emails a second. `ehlo_name` None means the sending domain,
    `give_up_after` None three days for marketing and one for transactional email. `event_retention`,
    `email_retention`, `run_retention` and `inbox_retention` are in days.
    With `for_tests` the server is one whose clock tests move, on a database that is for nothing else.
    Secrets in the database are sealed with `sealing_key`, or else with the key in `sealing_file`, which is
    known once the embedded server runs.
    """

    host: str = "127.0.0.1"
    port: int = DEFAULT_PORT
    data_dir: Path = DEFAULT_DATA_DIR
    database_url: str | None = None
    smtp_url: str | None = None
    api_key: str | None = None
    rate_limit: RateLimit = "off"
    removal_quota: int = SUPPRESSION_REMOVALS
    public_url: str | None = None
    media_url: str | None = None
    trusted_proxies: tuple[Network, ...] = ()
    webhook_networks: tuple[Network, ...] = ()
    connections: int = MOST_CONNECTIONS
    workers: int = 1
    jobs: bool = True
    bounce_host: str = "127.0.0.1"
    bounce_port: int | None = None
    smtp_connections: int = SMTP_CONNECTIONS
    smtp_messages: int = SMTP_MESSAGES
    send_rate: float | None = None
    ehlo_name: str | None = None
    give_up_after: timedelta | None = None
    sealing_key: str | None = field(default=None, repr=False)
    sealing_file: Path | None = None
    event_retention: Retention = "forever"
    email_retention: Retention = "forever"
    run_retention: Retention = "forever"
    inbox_retention: Retention = "forever"
    for_tests: bool = False
