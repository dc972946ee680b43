"""What the dashboard's pages read, one module a noun: never more than one screenful of rows, newest first.

Reads: every table a page shows. Writes: nothing.
Hands rows to `server.dashboard`. Ids sort by time, so `before` (an id) is the cursor of every list.
"""

from typing import LiteralString

SEARCH_SECONDS = 2
PAGE_SECONDS = 10
LIMIT: LiteralString = "SELECT set_config('statement_timeout', $1, true)"
"""Whoever asks for more than can be looked up is told so, instead of keeping the database busy."""

FIRST_PAGE = "~"
"""A cursor that sorts after every id."""
