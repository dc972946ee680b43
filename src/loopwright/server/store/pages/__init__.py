"""What the dashboard's pages read, one module a noun: never more than one screenful of rows, newest first.

Reads: every table a page shows. Writes: nothing.
Hands rows to `server.dashboard`. Ids sort by time, so `before` (an id) is the cursor of every list.
"""

FIRST_PAGE = "~"
"""A cursor that sorts after every id."""
