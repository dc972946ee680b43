"""Reads one email's content: the TOML that names it, and the LMX body beside it."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from posixpath import dirname, join, normpath

from loopwright.server.mail.addresses import address_mistake, local_part_mistake
from loopwright.server.mail.direction import language_tag
from loopwright.server.mail.layout import Footer
from loopwright.server.mail.lmx import check, check_line
from loopwright.server.mail.render import UnsoundContent, least_bytes, prepare
from loopwright.server.mail.size import size_warning
from loopwright.server.mail.variables import ALLOWED, EmailKind, Variable, VariableKind, parts, variables
from loopwright.wire.limits import LMX_BYTES

from .mistakes import Mistake, meant
from .model import MessageDefinition, Use, content_of
from .table import Table

FIELDS = {  # key of the file -> what mail calls it in its messages
    "subject": "the subject",
    "preview": "the preview",
    "from_name": "the sender's name",
    "from": "the sender's address",
    "reply_to": "the reply address",
}


class ContentReader:
    """Reads emails of one kind. `files` holds every text of the folder by its name."""

    def __init__(
        self, kind: EmailKind, files: Mapping[str, str], mistakes: list[Mistake], warnings: list[Mistake]
    ) -> None:
        self._kind: EmailKind = kind
        self._files = files
        self._mistakes = mistakes
        self._warnings = warnings

    def read(self, table: Table) -> MessageDefinition:
        """Read the content that `table` describes. Mistakes are noted, and leave a gap in the answer."""
        texts = {key: self._field(table, key) for key in FIELDS}
        self._check_addresses(table, texts)
        body_file, lmx = self._body(table)
        found = (*self._field_uses(table, texts), *self._body_uses(body_file, lmx))
        uses = {use.variable: use for use in reversed(found)}
        fallbacks = self._fallbacks(table, set(uses))
        message = MessageDefinition(
            subject=texts["subject"],
            preview_text=texts["preview"],
            from_name=texts["from_name"],
            from_email=texts["from"],
            reply_to_email=texts["reply_to"],
            language_code=self._language(table),
            lmx=lmx,
            contact_fallbacks=fallbacks.get("contact", {}),
            event_fallbacks=fallbacks.get("event", {}),
            data_fallbacks=fallbacks.get("data", {}),
            uses=tuple(uses[variable] for variable in sorted(uses)),
        )
        if body_file:
            self._check_size(body_file, message)
        return message

    def _field(self, table: Table, key: str) -> str:
        text = table.required_text(key) if key in ("subject", "from") else table.text(key) or ""
        checked = check_line(text, kind=self._kind, field=FIELDS[key])
        for problem in checked.problems:
            table.refuse(problem.message, key)
        self._warnings.extend(Mistake(table.file, table.line(key), p.message) for p in checked.warnings)
        return text

    def _language(self, table: Table) -> str:
        code = table.text("language") or ""
        if code and language_tag(code) == "und":
            table.refuse('language is a code such as "de", "pt-BR" or "ar"', "language")
        return code

    def _check_addresses(self, table: Table, texts: Mapping[str, str]) -> None:
        sender, reply_to = texts["from"], texts["reply_to"]
        if sender and (mistake := local_part_mistake(_with_values(sender))):
            table.refuse(f"from {mistake}", "from")
        reply_to = _with_values(reply_to) if "@" in reply_to or not variables(parts(reply_to)) else ""
        if reply_to and (mistake := address_mistake(reply_to)):
            table.refuse(f"reply_to {mistake}", "reply_to")

    def _field_uses(self, table: Table, texts: Mapping[str, str]) -> Iterator[Use]:
        for key, text in texts.items():
            for variable in check_line(text, kind=self._kind, field=FIELDS[key]).variables:
                yield Use(variable, table.file, table.line(key))

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

    def _body_uses(self, file: str, lmx: str) -> Iterator[Use]:
        """Check the body; its problems are mistakes at their own lines."""
        if len(lmx.encode()) > LMX_BYTES:
            self._mistakes.append(Mistake(file, 1, f"an email's body has at most {LMX_BYTES:,} bytes"))
            return
        checked = check(lmx, kind=self._kind)
        self._mistakes.extend(Mistake(file, p.place.line, p.message) for p in checked.problems)
        self._warnings.extend(Mistake(file, p.place.line, p.message) for p in checked.warnings)
        for variable in checked.variables:
            yield Use(variable, file, lmx.count("\n", 0, max(lmx.find(str(variable)), 0)) + 1)

    def _check_size(self, file: str, message: MessageDefinition) -> None:
        """Warn of HTML that is too large before any value is in it. What is unsound was told already."""
        footer = Footer(company="", address="") if self._kind == "marketing" else None
        with suppress(UnsoundContent):
            size = least_bytes(prepare(content_of(message), footer).html)
            if warning := size_warning(size):
                self._warnings.append(Mistake(file, 1, f"without values, {warning}"))

    def _fallbacks(self, table: Table, used: set[Variable]) -> dict[VariableKind, dict[str, str]]:
        """The fallbacks by kind; each must be for a variable that the email uses."""
        outer = table.table("fallbacks")
        if outer is None:
            return {}
        found: dict[VariableKind, dict[str, str]] = {}
        for kind in ALLOWED[self._kind]:
            inner = None if kind == "system" else outer.table(kind)
            if inner is None:
                continue
            found[kind] = inner.texts()
            names = {variable.name for variable in used if variable.kind == kind}
            for name in found[kind].keys() - names:
                remedy = meant(name, names) if names else f"it uses no {{{kind}.…}}"
                inner.refuse(f"the email has no variable {{{kind}.{name}}}; {remedy}", name)
        outer.finish()
        return found


def _with_values(text: str) -> str:
    """The text as it could be once its variables have values: what stands around them is checked so."""
    return "".join(part if isinstance(part, str) else "x" for part in parts(text))
