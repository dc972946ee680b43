"""The emails of one apply: what files say becomes revisions, and what others have changed is found out."""

from collections.abc import Mapping
from datetime import datetime

from msgspec.structs import replace

from loopwright.ids import new_id
from loopwright.server.content.designs import load_design
from loopwright.server.content.save import write_content
from loopwright.server.mail.design import unknown
from loopwright.server.store.database import Connection
from loopwright.server.store.definitions import note_written
from loopwright.server.store.messages import RevisionRow, load_revisions, lock_current_revision
from loopwright.server.store.teams import TeamRow
from loopwright.server.store.workflows import WorkflowRow

from .mistakes import Mistake
from .model import MessageDefinition
from .names import Names

COPIES_OFF = "cc and bcc are off for this team; switch them on with: loopwright team set --copies"


class ContentWriter:
    """Writes the emails of one apply, and finds out which of them others have changed: `drift`.

    `last_written` is the revision that files last wrote at each place. What the team lacks is `unknown`.
    """

    def __init__(
        self, tx: Connection, team: TeamRow, now: datetime, last_written: Mapping[str, str], names: Names
    ) -> None:
        self._names = names
        self._tx = tx
        self._team_id = team.id
        self._may_copy = team.copies
        self._now = now
        self._last_written = last_written
        self._written: dict[str, str] = {}
        self.drift: list[Mistake] = []
        self.unknown: list[Mistake] = []

    async def write(
        self, place: str, definition: MessageDefinition, known_id: str | None
    ) -> tuple[str, bool]:
        """Save content under `known_id` or a new id; answers the id, and whether anything differed."""
        lmx = self._names.resolved(definition.content.lmx)
        definition = replace(definition, content=replace(definition.content, lmx=lmx))
        current = await lock_current_revision(self._tx, self._team_id, known_id) if known_id else None
        content = definition.over(current.content) if current else definition.content
        if current is not None and content == current.content:
            self._written[place] = current.id
            return current.message_id, False
        if current is not None:
            await self._compare(place, definition, current)
        if not self._may_copy and definition.copies:
            self.unknown.append(Mistake(definition.file, 1, COPIES_OFF))
        design = await load_design(self._tx, self._team_id, [content.lmx])
        self.unknown += [
            Mistake(definition.file, 1, f"the body, {one}")
            for one in unknown(content.lmx, design, "themeId", "componentId")
        ]
        revision = await write_content(self._tx, self._team_id, known_id, content, now=self._now)
        self._written[place] = revision.id
        return revision.message_id, True

    def of_workflow(self, row: WorkflowRow, stored: WorkflowRow | None, *, differs: bool) -> WorkflowRow:
        """The workflow as files write it; notes drift when others have changed it since they last did."""
        if differs and stored is not None and stored.file_revision_id not in (None, stored.revision_id):
            self.drift.append(
                Mistake(
                    f"workflows/{row.slug}.toml",
                    1,
                    f"this workflow was changed elsewhere: it is at revision {stored.revision_id}, files "
                    f"last wrote revision {stored.file_revision_id}; take the change into the files, or "
                    "apply with --overwrite",
                )
            )
        revision_id = new_id(self._now) if differs else row.revision_id
        return replace(row, revision_id=revision_id, file_revision_id=revision_id)

    async def note(self) -> None:
        """Keep which revisions the files have now."""
        changed = {
            place: revision for place, revision in self._written.items()
            if self._last_written.get(place) != revision
        }  # fmt: skip
        await note_written(self._tx, self._team_id, changed)

    async def _compare(self, place: str, definition: MessageDefinition, current: RevisionRow) -> None:
        """Note drift when the current revision differs, in what files decide, from the one they wrote."""
        last_id = self._last_written.get(place)
        last = await load_revisions(self._tx, [(self._team_id, last_id)]) if last_id else []
        if last and not definition.differs(last[0].content, current.content):
            return
        wrote = f"files last wrote revision {last_id}" if last_id else "files never wrote it"
        self.drift.append(
            Mistake(
                definition.file,
                1,
                f"this email was changed elsewhere: it is at revision {current.id}, {wrote}; "
                "take the change into the files, or apply with --overwrite",
            )
        )
