"""What ingest knows of teams: what they have declared, kept between batches.

It changes seldom and every batch needs it. Each commit insists on the revision it was read at, so a batch
that was made by old knowledge is made again.
"""

from collections.abc import Collection, Mapping, Sequence, Set

from msgspec import Struct

from loopwright.server.store import audience, events, teams, workflows
from loopwright.server.store.database import Connection
from loopwright.server.store.events import PatternRow
from loopwright.server.store.workflows import ActiveWorkflow
from loopwright.server.workflow.entry import Triggered, by_trigger
from loopwright.wire.values import PropertyType

TEAMS_KEPT = 1_000
PATTERNS_KEPT = 1_000
"""Of each team. Some programs put ids into the names of their events."""
PROPERTIES_KEPT = 50_000
"""Of all patterns of all teams."""


class TeamSnapshot(Struct, frozen=True, kw_only=True):
    """A team as of `revision`. `patterns` holds those that were asked for, by event name.

    `watched` are the properties whose changes workflows wait for.
    """

    revision: int
    blocklist: Collection[str]
    properties: Mapping[str, PropertyType]
    lists: Collection[str]
    workflows: Triggered
    watched: Collection[str]
    has_webhooks: bool
    patterns: dict[str, PatternRow]


class TeamCache:
    """The teams known to one process."""

    def __init__(self) -> None:
        self._teams: dict[str, TeamSnapshot] = {}
        self._properties = 0

    async def of(
        self, tx: Connection, team_ids: Set[str], names: Set[tuple[str, str]]
    ) -> dict[str, TeamSnapshot]:
        """The teams that are there, with their patterns of the (team, event name) pairs.

        The revision is read first: what is read after it may be newer, but never older.
        """
        unknown = team_ids - self._teams.keys()
        if unknown:
            if len(self._teams) + len(unknown) > TEAMS_KEPT:
                self._teams.clear()
                unknown = set(team_ids)
            self._teams.update(await _load(tx, unknown))
        known = {team_id: self._teams[team_id] for team_id in team_ids if team_id in self._teams}
        for team in known.values():
            if len(team.patterns) > PATTERNS_KEPT:
                team.patterns.clear()
        if self._properties > PROPERTIES_KEPT:
            self._properties = 0
            for team in self._teams.values():
                team.patterns.clear()
        wanted = [
            (team_id, name)
            for team_id, name in names
            if team_id in known and name not in known[team_id].patterns
        ]
        if wanted:
            for pattern in await events.load_patterns(tx, wanted):
                known[pattern.team_id].patterns[pattern.name] = pattern
                self._properties += len(pattern.properties)
        return known

    def forget(self, team_ids: Collection[str]) -> None:
        """Read these teams anew when they are asked for."""
        for team_id in team_ids:
            self._teams.pop(team_id, None)


async def _load(tx: Connection, team_ids: Collection[str]) -> dict[str, TeamSnapshot]:
    revisions = await teams.load_revisions(tx, team_ids)
    properties, lists = await audience.load_declared(tx, team_ids)
    by_team: dict[str, list[ActiveWorkflow]] = {team_id: [] for team_id in revisions}
    for workflow in await workflows.load_triggered(tx, revisions.keys()):
        by_team[workflow.team_id].append(workflow)
    return {
        team_id: TeamSnapshot(
            revision=revision,
            blocklist=blocklist,
            properties=properties[team_id],
            lists=lists[team_id],
            workflows=by_trigger(by_team[team_id]),
            watched=_watched(by_team[team_id]),
            has_webhooks=has_webhooks,
            patterns={},
        )
        for team_id, (revision, blocklist, has_webhooks) in revisions.items()
    }


def _watched(workflows: Sequence[ActiveWorkflow]) -> list[str]:
    """Drafts watch nothing: there is no page of a change that would tell of them."""
    keys = {one.property_query.key for one in workflows if one.property_query and one.status != "Draft"}
    return sorted(keys)
