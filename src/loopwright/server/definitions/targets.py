"""What the activity conditions of filters are about, by the names it has in files.

A workflow is named by its slug, its email as `slug/step`, a campaign by its name, so that a filter means the
same on every server. Ids of this server are taken as well.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import TypeAlias

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from loopwright.ids import new_id
from loopwright.server.audience.accept import accept_filter
from loopwright.server.refusal import BadRequest
from loopwright.server.store.database import Connection
from loopwright.server.store.definitions import WorkflowEmailRow, load_campaign_names, load_workflow_emails
from loopwright.wire.filters import ActivityCondition, AudienceFilter

from .mistakes import meant
from .model import WorkflowDefinition, node_id

Target: TypeAlias = tuple[str, str]
"""The kind of a target, as conditions have it, and its id or name."""

_ID = re.compile(r"c[0-9a-z]{24}")
_WORDS = {"campaign": "campaign", "workflow": "workflow", "workflowEmail": "email of a workflow"}


class Targets(Struct, frozen=True, kw_only=True):
    """Ids by the names of targets. `nodes` maps messages of workflows' emails to their nodes.

    Those that are `coming` are only made by the files. `several` are names that more than one campaign has.
    """

    ids: Mapping[Target, str]
    nodes: Mapping[str, str]
    coming: frozenset[Target] = frozenset()
    several: frozenset[str] = frozenset()

    def id_of(self, kind: str, name: str) -> str:
        """The id of what files call by that name. Raises `BadRequest`."""
        slug, _, step = name.partition("/")
        hidden = f"{slug}/{node_id(slug, 'email', step)}"  # files that are not here have named the step
        found = self.ids.get((kind, name)) or self.ids.get((kind, hidden))
        if found is not None:
            return found
        if _ID.fullmatch(name):
            return name
        if kind == "campaign" and name in self.several:
            raise BadRequest(f"several campaigns are called {name}; write its id", code="target_unknown")
        known = [one for of, one in self.ids if of == kind]
        raise BadRequest(
            f"the team has no {_WORDS.get(kind, kind)} {name}; {meant(name, known)}", code="target_unknown"
        )

    def resolved(self, one: AudienceFilter, stored: AudienceFilter | None) -> AudienceFilter:
        """The filter with ids for names; an id that is `stored` stays, whatever it is of.

        Raises `BadRequest`.
        """
        kept = {condition.id for condition in _about(stored)} if stored else set[str]()
        return _with_ids(
            one,
            lambda condition: (
                condition.id if condition.id in kept else self.id_of(condition.target, condition.id)
            ),
        )

    def by_node(self, one: AudienceFilter) -> AudienceFilter:
        """The filter with each email's node for its message, which mean the same."""
        return _with_ids(one, lambda condition: self.nodes.get(condition.id, condition.id))

    def named(self, one: AudienceFilter) -> AudienceFilter:
        """The filter with names for ids, as far as files have any."""
        names = {(kind, id_): name for (kind, name), id_ in self.ids.items()}
        return _with_ids(
            self.by_node(one), lambda condition: names.get((condition.target, condition.id), condition.id)
        )

    def nameless(self, one: AudienceFilter) -> list[str]:
        """What the filter is about and files have no name for, in words."""
        return [
            f"the {_WORDS[condition.target]} {condition.id}"
            for condition in _about(self.named(one))
            if (condition.target, condition.id) not in self.ids
        ]


async def load_targets(tx: Connection, team_id: str, slugs: Mapping[str, str]) -> Targets:
    """What the team has; `slugs` are those of its workflows, by id."""
    emails = [row for row in await load_workflow_emails(tx, team_id) if row.workflow_id in slugs]
    return await _targets(tx, team_id, slugs, emails)


async def load_targets_with(
    tx: Connection, team_id: str, definitions: Iterable[WorkflowDefinition], *, now: datetime
) -> tuple[Targets, dict[str, str]]:
    """What the team has and what files make of it; and the ids of workflows that there will be, by slug."""
    definitions = list(definitions)
    emails = await load_workflow_emails(tx, team_id)
    slugs = {row.workflow_id: row.slug for row in emails if row.slug}
    ids = {slug: one for one, slug in slugs.items()}
    for definition in definitions:
        ids.setdefault(definition.slug, new_id(now))
    known = await _targets(tx, team_id, {one: slug for slug, one in ids.items()}, emails)
    made = {
        ("workflowEmail", f"{definition.slug}/{name}"): id_
        for definition in definitions
        for name, id_ in definition.email_nodes().items()
    }
    coming = {("workflow", ids[definition.slug]) for definition in definitions}
    coming |= {("workflowEmail", one) for one in made.values()}
    return replace(known, ids={**known.ids, **made}, coming=frozenset(coming)), ids


async def accept_named(
    tx: Connection, team_id: str, one: AudienceFilter, stored: AudienceFilter | None, targets: Targets
) -> AudienceFilter:
    """The filter as it is stored; what is `stored` already is not asked again. Raises `Refusal`."""
    resolved = targets.resolved(one, targets.by_node(stored) if stored else None)
    if stored is not None and resolved == targets.by_node(stored):
        return stored
    return await accept_filter(tx, team_id, resolved, coming=targets.coming)


async def _targets(
    tx: Connection, team_id: str, slugs: Mapping[str, str], emails: Iterable[WorkflowEmailRow]
) -> Targets:
    campaigns: dict[str, list[str]] = {}
    for campaign_id, name in await load_campaign_names(tx, team_id):
        campaigns.setdefault(name, []).append(campaign_id)
    ids: dict[Target, str] = {("workflow", slug): one for one, slug in slugs.items()}
    ids |= {("campaign", name): found[0] for name, found in campaigns.items() if len(found) == 1}
    nodes: dict[str, str] = {}
    for row in emails:
        if row.node_id is None:
            continue
        if slug := slugs.get(row.workflow_id):
            ids["workflowEmail", f"{slug}/{row.node_id}"] = row.node_id
        if row.message_id:
            nodes[row.message_id] = row.node_id
    several = frozenset(name for name, found in campaigns.items() if len(found) > 1)
    return Targets(ids=ids, nodes=nodes, several=several)


def _about(one: AudienceFilter) -> list[ActivityCondition]:
    return [condition for condition in one.conditions if isinstance(condition, ActivityCondition)]


def _with_ids(one: AudienceFilter, id_of: Callable[[ActivityCondition], str]) -> AudienceFilter:
    plain = msgspec.convert(msgspec.to_builtins(one), AudienceFilter)
    return replace(
        plain,
        conditions=[
            replace(condition, id=id_of(condition)) if isinstance(condition, ActivityCondition) else condition
            for condition in plain.conditions
        ],
    )
