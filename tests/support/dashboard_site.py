"""What a test knows of the dashboard it looks at."""

from dataclasses import dataclass

from support.clock import HandClock
from support.dashboard_rows import Rows

PUBLIC_URL = "http://mail.analytical.example:5667"


@dataclass(frozen=True)
class Site:
    """A running dashboard. `clock` moves by hand, `rows` writes rows of the team that `key` opens."""

    base_url: str
    key: str
    clock: HandClock
    rows: Rows
