"""Writes as a file what content is sorted by: groups of campaigns, transactional emails and workflows."""

from loopwright.server.store.database import Connection
from loopwright.server.store.groups import default_group_id, load_groups

from .declared import KINDS
from .toml import inline, lines


async def pull_groups(tx: Connection, team_id: str) -> str:
    """Every group once; of several that are called the same, the oldest, which is the one that files mean."""
    tables: list[str] = []
    for kind in KINDS:
        rows = {
            row.name: row
            for row in reversed(await load_groups(tx, team_id, kind))
            if row.id != default_group_id(team_id, kind)
        }
        tables += [
            f"[{kind}.{inline(name)}]\n" + lines({"description": rows[name].description or None})
            for name in sorted(rows)
        ]
    return "\n".join(tables)
