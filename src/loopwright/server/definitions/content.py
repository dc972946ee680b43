"""Reads one email's content: the TOML that names it, and the LMX body beside it."""

from collections.abc import Collection, Iterator, Mapping
from posixpath import dirname, join, normpath
from typing import Literal

from msgspec.structs import replace

from loopwright.server.content.guardian import Scope, inspect
from loopwright.server.content.message import CheckedMessage, Finding, check_message, unused_fallbacks
from loopwright.server.content.sample import GivenValues
from loopwright.server.mail.design import NOTHING, expand, named
from loopwright.server.mail.normal import normalise
from loopwright.server.mail.variables import ALLOWED, EmailKind, VariableKind
from loopwright.server.store.messages import Content
from loopwright.wire.email_messages import GuardianItem

from .mistakes import Mistake, meant
from .model import MessageDefinition, Use
from .names import Shared, images_in, somewhere
from .table import SLUG as SAMPLE_NAME
from .table import Table

KEYS = {  # field of the content -> key of the file
    "subject": "subject",
    "preview_text": "preview",
    "from_name": "from_name",
    "from_email": "from",
    "reply_to_email": "reply_to",
    "cc_email": "cc",
    "bcc_email": "bcc",
    "language_code": "language",
}
FORMATS: tuple[Literal["styled"], Literal["plain"]] = ("styled", "plain")
REQUIRED = ("subject", "from")
ALWAYS_SAID = frozenset(
    {"subject", "preview_text", "from_name", "from_email", "reply_to_email", "lmx"}
    | {"contact_fallbacks", "event_fallbacks", "data_fallbacks"}
)
"""What a file decides even by leaving it out."""
IF_NAMED = {"cc_email": "cc", "bcc_email": "bcc", "language_code": "language", "email_format": "format"}
"""What a file leaves as it is unless it names one; by the key, `""` of a text takes it away."""


class ContentReader:
    """Reads emails of one kind. `files` holds every text of the folder by its name.

    What keeps an email from being sent is noted in `obstacles`: the mistakes, where it is to be sent at once.
    """

    def __init__(
        self,
        kind: EmailKind,
        files: Mapping[str, str],
        shared: Shared,
        mistakes: list[Mistake],
        warnings: list[Mistake],
        obstacles: list[Mistake],
    ) -> None:
        self._kind: EmailKind = kind
        self._shared = shared
        self._files = files
        self._mistakes = mistakes
        self._warnings = warnings
        self._obstacles = obstacles

    def read(self, table: Table) -> MessageDefinition:
        """Read the content that `table` describes. Mistakes are noted, and leave a gap in the answer."""
        named_here = {field for field, key in IF_NAMED.items() if key in table}
        texts = {
            field: (table.required_text(key) if key in REQUIRED else table.text(key)) or ""
            for field, key in KEYS.items()
        }
        body_file, lmx = self._body(table)
        tables = self._fallback_tables(table)
        fallbacks = {kind: inner.texts() for kind, inner in tables.items()}
        content = Content(
            **texts,
            email_format="plain" if table.choice("format", FORMATS) == "plain" else "styled",
            lmx=normalise(lmx),
            contact_fallbacks=fallbacks.get("contact", {}),
            event_fallbacks=fallbacks.get("event", {}),
            data_fallbacks=fallbacks.get("data", {}),
        )
        # Places are those of the file, so what is checked is what stands there.
        seen = replace(content, lmx=somewhere(lmx))
        design = self._shared.design_of(*named(lmx))
        checked = check_message(seen, self._kind, design)
        self._mistakes.extend(unknown_images(body_file, lmx, self._shared.images))
        if not checked.problems:
            self._inspect(table, body_file, replace(seen, lmx=expand(seen.lmx, design or NOTHING)))
        self._mistakes.extend(self._told(table, body_file, one) for one in checked.problems)
        self._warnings.extend(self._told(table, body_file, one) for one in checked.warnings)
        self._warnings.extend(
            Mistake(body_file, 1, f'themeId="{theme}" has an effect only where the team has that theme')
            for theme in named(lmx).themes - self._shared.design.themes.keys()
        )
        _refuse_unused(tables, content, checked)
        uses = {use.variable: use for use in reversed([*_uses(table, body_file, lmx, checked)])}
        return MessageDefinition(
            file=table.file,
            content=content,
            said=ALWAYS_SAID | named_here,
            uses=tuple(uses[variable] for variable in sorted(uses)),
            body_file=body_file,
            samples=self._samples(table, checked),
        )

    def _samples(self, table: Table, checked: CheckedMessage) -> dict[str, GivenValues]:
        """Values to preview the email with. Each has to be of a variable that it uses."""
        outer = table.table("samples")
        known = {(one.asked.kind, one.asked.name) for one in checked.variables}
        samples: dict[str, GivenValues] = {}
        for name, inner in outer.inner_tables() if outer else ():
            given: dict[VariableKind, Mapping[str, object]] = {}
            for kind in ALLOWED[self._kind]:
                values = inner.table(kind) if kind != "system" else None
                if values is None:
                    continue
                given[kind] = values.all()
                for key in given[kind]:
                    if (kind, key) not in known:
                        names = [one for other, one in known if other == kind]
                        values.refuse(f"the email has no variable {{{kind}.{key}}}; {meant(key, names)}", key)
            inner.finish()
            if not SAMPLE_NAME.fullmatch(name):
                inner.refuse(f"the name {name!r} has other characters than a-z, 0-9 and single -")
            samples[name] = given
        return samples

    def _inspect(self, table: Table, body_file: str, content: Content) -> None:
        """Tell what Guardian finds; what a team and its events have is for later to say."""
        names = {one.name for one in check_message(content, self._kind).variables if one.kind == "contact"}
        kind: Literal["transactional", "workflow"] = (
            "transactional" if self._kind == "transactional" else "workflow"
        )
        report = inspect(content, Scope(kind=kind, contacts=names))
        for told, findings in ((self._obstacles, report.errors), (self._warnings, report.warnings)):
            told += [
                Mistake(*self._place(table, body_file, item), f"{one.title}: {item.label}. {one.description}")
                for one in findings
                for item in one.items
            ]

    def _place(self, table: Table, body_file: str, item: GuardianItem) -> tuple[str, int]:
        """Where something that Guardian found stands first, as far as that can be told."""
        body = self._files.get(body_file, "")
        for words in (f"{{{item.code_name}}}", f'"{item.label}"', item.label):
            if (start := body.find(words)) >= 0:
                return body_file, body.count("\n", 0, start) + 1
        return table.file, 1

    def _told(self, table: Table, body_file: str, found: Finding) -> Mistake:
        """What was found, at its place in the files."""
        if found.field == "lmx":
            return Mistake(body_file, found.place.line, found.message)
        return Mistake(table.file, table.line(KEYS[found.field]), found.message)

    def _body(self, table: Table) -> tuple[str, str]:
        """The body's file and text; both empty when there is none."""
        name = table.required_text("body")
        if not name:
            return "", ""
        folder = dirname(table.file)
        file = normpath(join(folder, name))
        if file in self._files and file.endswith(".lmx"):
            return file, self._files[file]
        beside = [other.removeprefix(f"{folder}/") for other in self._files if other.endswith(".lmx")]
        table.refuse(f"body names {name}, which is no .lmx file here; {meant(name, beside)}", "body")
        return "", ""

    def _fallback_tables(self, table: Table) -> dict[VariableKind, Table]:
        """Where the fallbacks of each kind are."""
        outer = table.table("fallbacks")
        if outer is None:
            return {}
        tables: dict[VariableKind, Table] = {}
        for kind in ALLOWED[self._kind]:
            if kind != "system" and (inner := outer.table(kind)):
                tables[kind] = inner
        outer.finish()
        return tables


def unknown_images(file: str, lmx: str, known: Collection[str]) -> list[Mistake]:
    """The images that LMX names and the folder has not."""
    return [
        Mistake(file, line, f"there is no file {path}; {meant(path, known)}")
        for path, line in images_in(lmx)
        if path not in known
    ]


def _refuse_unused(tables: Mapping[VariableKind, Table], content: Content, checked: CheckedMessage) -> None:
    """Each fallback must be for a variable that the email uses."""
    for unused in unused_fallbacks(content, checked.variables):
        names = {variable.name for variable in checked.variables if variable.kind == unused.kind}
        remedy = meant(unused.name, names) if names else f"it uses no {{{unused.kind}.…}}"
        tables[unused.kind].refuse(f"the email has no variable {unused}; {remedy}", unused.name)


def _uses(table: Table, body_file: str, lmx: str, checked: CheckedMessage) -> Iterator[Use]:
    """Where each variable stands first: in the lines of the TOML, then in the body."""
    for field, key in KEYS.items():
        for variable in checked.uses.get(field, ()):
            yield Use(variable, table.file, table.line(key))
    for variable in checked.uses.get("lmx", ()):
        yield Use(variable, body_file, lmx.count("\n", 0, max(lmx.find(str(variable)), 0)) + 1)
