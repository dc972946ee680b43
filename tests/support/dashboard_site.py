"""What a test knows of the dashboard it looks at."""

import re
from dataclasses import dataclass

from loopwright.server.sealing import SealingKey
from support.clock import HandClock
from support.dashboard_rows import Rows

SEALING = SealingKey(bytes(32))
FROM_HERE = {"sec-fetch-site": "same-origin"}
"""What a browser says with a form of the dashboard's own."""
PUBLIC_URL = "https://mail.analytical.example:5667"


@dataclass(frozen=True)
class Site:
    """A running dashboard. `clock` moves by hand, `rows` writes rows of the team that `key` opens."""

    base_url: str
    key: str
    clock: HandClock
    rows: Rows


def words(page: str) -> str:
    """A page's text with single blanks, without its tags."""
    return " ".join(re.sub(r"<[^>]*>", " ", page).split())
