"""Checks the whole content of an email: a draft in; problems, warnings and variables out. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from loopwright.server.mail.addresses import address_mistake, local_part_mistake
from loopwright.server.mail.design import NOTHING, Design, expand, references, unknown
from loopwright.server.mail.direction import language_tag
from loopwright.server.mail.layout import Footer
from loopwright.server.mail.lmx import check, check_line
from loopwright.server.mail.markup import Element, MarkupProblem, SourcePosition, read
from loopwright.server.mail.render import UnsoundContent, least_bytes, prepare
from loopwright.server.mail.size import size_warning
from loopwright.server.mail.variables import EmailKind, Variable, VariableKind, parts, variables
from loopwright.server.store.messages import Content
from loopwright.wire.limits import LMX_BYTES

LINES = {  # fields of one line -> what people call them
    "subject": "the subject",
    "preview_text": "the preview",
    "from_name": "the sender's name",
    "from_email": "the sender's address",
    "reply_to_email": "the reply address",
    "cc_email": "the CC address",
    "bcc_email": "the BCC address",
}
_START = SourcePosition(1, 1)


class Finding(Struct, frozen=True):
    """Something about a field of `Content`: of the body at its place, of other fields at their beginning."""

    field: str
    place: SourcePosition
    message: str

    def __str__(self) -> str:
        return str(MarkupProblem(self.place, self.message)) if self.field == "lmx" else self.message


class CheckedMessage(Struct, frozen=True):
    """What a check found. Content with problems is never stored; `uses` are the variables of each field."""

    problems: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    uses: Mapping[str, frozenset[Variable]]

    @property
    def variables(self) -> frozenset[Variable]:
        """The variables of the whole email."""
        return frozenset(variable for used in self.uses.values() for variable in used)

    @property
    def data_variables(self) -> list[str]:
        """The names of its data variables, sorted; a repeated list counts itself, and its fields do not."""
        return sorted({variable.asked.name for variable in self.variables if variable.kind == "data"})


def check_message(content: Content, kind: EmailKind, design: Design | None = None) -> CheckedMessage:
    """Check all fields of an email of that kind. Empty fields are for a draft to fill, and no problem.

    Without a `design` nobody knows the team's themes and components, and any may be named.
    """
    problems: list[Finding] = []
    warnings: list[Finding] = []
    uses: dict[str, frozenset[Variable]] = {}
    for field, label in LINES.items():
        line = check_line(getattr(content, field), kind=kind, field=label)
        problems += [Finding(field, _START, one.message) for one in line.problems]
        warnings += [Finding(field, _START, one.message) for one in line.warnings]
        uses[field] = line.variables
    problems += _addresses(content)
    if content.language_code and language_tag(content.language_code) == "und":
        problems.append(
            Finding("language_code", _START, 'the language is a code such as "de", "pt-BR" or "ar"')
        )
    if is_too_large(content.lmx):
        problems.append(Finding("lmx", _START, f"an email's body has at most {LMX_BYTES:,} bytes"))
    else:
        body = check(content.lmx, kind=kind)
        problems += [Finding("lmx", one.place, one.message) for one in body.problems]
        warnings += [Finding("lmx", one.place, one.message) for one in body.warnings]
        shared = _shared(content.lmx, kind, design) if design and not body.problems else []
        problems += [Finding("lmx", place, one) for place, found in shared for one in found.messages]
        uses["lmx"] = body.variables.union(*(found.variables for _, found in shared))
    if design and not problems:
        problems += [Finding("lmx", _START, one) for one in misplaced(content.lmx, kind, design)]
    if not problems:
        warnings += _size(replace(content, lmx=expand(content.lmx, design or NOTHING)), kind)
    return CheckedMessage(tuple(problems), tuple(warnings), uses)


def component_problems(lmx: str) -> tuple[MarkupProblem, ...]:
    """What is wrong with a component's body, which emails of one kind at least have to be able to use."""
    nested = [
        MarkupProblem(one.place, f"a component holds no <{one.tag}>; take it out")
        for one in read(lmx).nodes
        if isinstance(one, Element) and one.tag in ("Style", "Component")
    ]
    marketing, transactional = check(lmx, kind="marketing"), check(lmx, kind="transactional")
    return (*nested, *min(marketing.problems, transactional.problems, key=len))


def misplaced(lmx: str, kind: EmailKind, design: Design) -> list[str]:
    """What is wrong with sound LMX once its components stand in it: a <For> within a <For>, say."""
    problems = check(expand(lmx, design), kind=kind).problems
    return [f"with its components put in: {one.message}" for one in problems]


def is_too_large(lmx: str) -> bool:
    """Whether a body has more bytes than the API takes."""
    return len(lmx.encode()) > LMX_BYTES


def required_variables(names: Sequence[str], content: Content) -> list[str]:
    """Those data variables that every send has to give: they have no fallback."""
    return [name for name in names if name not in content.data_fallbacks]


def fallbacks_of(content: Content) -> dict[VariableKind, dict[str, str]]:
    """The texts for missing values, by the kind of the variables."""
    return {
        "contact": content.contact_fallbacks,
        "event": content.event_fallbacks,
        "data": content.data_fallbacks,
    }


def unused_fallbacks(content: Content, used: frozenset[Variable]) -> list[Variable]:
    """The variables that have a fallback and stand nowhere in the email, sorted."""
    given = {Variable(kind, name) for kind, texts in fallbacks_of(content).items() for name in texts}
    return sorted(given - used)


class _Shared(NamedTuple):
    """What a component brings into an email."""

    messages: list[str]
    variables: frozenset[Variable]


def _shared(lmx: str, kind: EmailKind, design: Design) -> list[tuple[SourcePosition, _Shared]]:
    """What the themes and components that LMX names bring along, at the places where they are named."""
    strangers = unknown(lmx, design, "themeId", "componentId")
    found = [(one.place, _Shared([one.message], frozenset())) for one in strangers]
    for one in references(lmx):
        component = design.components.get(one.attributes["componentId"])
        if component is not None:
            body = check(component.lmx, kind=kind)
            told = [f"component {component.name}: {problem.message}" for problem in body.problems]
            found.append((one.place, _Shared(told, body.variables)))
    return found


def _addresses(content: Content) -> Iterator[Finding]:
    sender = content.from_email
    if sender and (mistake := local_part_mistake(_with_values(sender))):
        yield Finding("from_email", _START, f"{LINES['from_email']} {mistake}")
    for field in ("reply_to_email", "cc_email", "bcc_email"):
        address = getattr(content, field)
        is_one_value = "@" not in address and variables(parts(address))
        if address and not is_one_value and (mistake := address_mistake(_with_values(address))):
            yield Finding(field, _START, f"{LINES[field]} {mistake}")


def _size(content: Content, kind: EmailKind) -> Iterator[Finding]:
    """Warn of HTML that is too large before any value is in it. What is unsound was told already."""
    footer = Footer(company="", address="") if kind == "marketing" else None
    with suppress(UnsoundContent):
        if warning := size_warning(least_bytes(prepare(content, footer).html)):
            yield Finding("lmx", _START, f"without values, {warning}")


def _with_values(text: str) -> str:
    """The text as it could be once its variables have values: what stands around them is checked so."""
    return "".join(part if isinstance(part, str) else "x" for part in parts(text))
