"""Guardian: what keeps an email from being published, and what is merely doubtful. Pure.

The rules are those of the API, by the same names. Content is sound markup by then; Guardian asks whether it
can work for the people it is sent to.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import Literal, TypeAlias

from msgspec import Struct

from loopwright.server.mail import urls
from loopwright.server.mail.lmx import list_of
from loopwright.server.mail.markup import Element, Node, Text, read
from loopwright.server.mail.variables import Variable, parts, variables
from loopwright.server.store.messages import Content
from loopwright.wire.email_messages import GuardianFinding, GuardianItem, GuardianReport, GuardianRuleName

from .message import LINES, fallbacks_of

Level: TypeAlias = Literal["error", "warning"]


class Scope(Struct, frozen=True, kw_only=True):
    """What an email's owner gives it. `events` is None while nobody knows what the trigger's events hold.

    `required` are the data variables of a system email, which has to use them all and no others.
    """

    kind: Literal["transactional", "workflow"]
    contacts: Collection[str] = ()
    events: Collection[str] | None = None
    required: Collection[str] = ()


class Rule(Struct, frozen=True):
    """One rule, in the words that people read."""

    level: Level
    title: str
    description: str


_EMPTY = "Readers who click get nowhere; give it an address such as https://example.com."
_INVALID = "Mail programs do not open it; links lead to http, https, mailto or tel."
_SHORT = "Short addresses hide where they lead, and filters distrust them; write the youtube.com address."
_MAILTO = "Write mailto: before the address, or nothing opens."
_NO_FALLBACK = "Contacts without a value do not get the email; give the variable a fallback."

RULES: Mapping[GuardianRuleName, Rule] = {
    "unsupportedContactProperties": Rule(
        "error", "Unsupported contact properties",
        "The team has no such contact property, or this email cannot use any; create it, or take it out.",
    ),
    "missingFallbackContactProperties": Rule(
        "warning", "Contact properties without fallback", _NO_FALLBACK
    ),
    "unsupportedEventProperties": Rule(
        "error", "Unsupported event properties",
        "The events that start this email have no such property; correct the name, or take it out.",
    ),
    "missingFallbackEventProperties": Rule("warning", "Event properties without fallback", _NO_FALLBACK),
    "unsupportedDataVariables": Rule(
        "error", "Unsupported data variables",
        "This email cannot have these data variables; take them out.",
    ),
    "invalidCustomDataVariables": Rule(
        "error", "Invalid data variables", "Names hold letters, digits, _ and -; rename the variable."
    ),
    "missingRequiredDataVariables": Rule(
        "error", "Missing data variables", "The email cannot do its work without them; add them."
    ),
    "missingButtonHrefs": Rule("error", "Buttons without address", _EMPTY),
    "invalidButtonHrefs": Rule("error", "Buttons with a wrong address", _INVALID),
    "shortenedYouTubeButtonHrefs": Rule("warning", "Buttons with a short YouTube address", _SHORT),
    "missingLinkHrefs": Rule("error", "Links without address", _EMPTY),
    "invalidLinkHrefs": Rule("error", "Links with a wrong address", _INVALID),
    "shortenedYouTubeLinkHrefs": Rule("warning", "Links with a short YouTube address", _SHORT),
    "shortenedYouTubeImageHrefs": Rule("warning", "Images with a short YouTube address", _SHORT),
    "emailWithoutMailtoButtonHrefs": Rule("warning", "Buttons with a bare email address", _MAILTO),
    "emailWithoutMailtoLinkHrefs": Rule("warning", "Links with a bare email address", _MAILTO),
    "emailWithoutMailtoImageHrefs": Rule("warning", "Images with a bare email address", _MAILTO),
    "bareArrayNodes": Rule(
        "error", "Arrays outside a repeat", "One value of an array exists only inside <For>; move it there."
    ),
    "missingSocialIconHrefs": Rule("warning", "Icons without address", _EMPTY),
}  # fmt: skip


def inspect(content: Content, scope: Scope) -> GuardianReport:
    """Everything that Guardian finds, rule by rule."""
    nodes = read(content.lmx).nodes
    found: dict[str, list[GuardianItem]] = {}
    for rule, item in (*_variables(content, nodes, scope), *_targets(nodes)):
        items = found.setdefault(rule, [])
        if item not in items:
            items.append(item)
    return GuardianReport(errors=_findings(found, "error"), warnings=_findings(found, "warning"))


def _findings(found: Mapping[str, list[GuardianItem]], level: Level) -> list[GuardianFinding]:
    return [
        GuardianFinding(rule=name, title=rule.title, description=rule.description, items=found[name])
        for name, rule in RULES.items()
        if name in found and rule.level == level
    ]


def _variables(content: Content, nodes: Collection[Node], scope: Scope) -> Iterator[tuple[str, GuardianItem]]:
    inside = set(_uses(nodes, None))
    inside |= {(variable, None) for field in LINES for variable in variables(parts(getattr(content, field)))}
    bare = {variable for variable, repeated in inside if variable.list not in (None, repeated)}
    for variable in sorted(bare):
        yield "bareArrayNodes", _item(variable)
    used = {variable.asked for variable, _ in inside if variable not in bare}
    fallbacks = fallbacks_of(content)
    for variable in sorted(used):
        item = _item(variable)
        if rule := _unsupported(variable, scope):
            yield rule, item
        elif variable.kind in ("contact", "event") and variable.name not in fallbacks[variable.kind]:
            yield f"missingFallback{variable.kind.capitalize()}Properties", item
    names = {variable.name for variable in used if variable.kind == "data"}
    for name in sorted(set(scope.required) - names):
        yield "missingRequiredDataVariables", GuardianItem(label=name, code_name=f"data.{name}")


def _uses(nodes: Collection[Node], repeated: Variable | None) -> Iterator[tuple[Variable, Variable | None]]:
    """Each variable, with the list that is repeated where it stands."""
    for node in nodes:
        if isinstance(node, Text):
            yield from ((variable, repeated) for variable in variables(parts(node.text)))
            continue
        for text in node.attributes.values():
            yield from ((variable, repeated) for variable in variables(parts(text)))
        if node.tag != "CodeBlock":
            yield from _uses(node.children, list_of(node) if node.tag == "For" else repeated)


def _item(variable: Variable) -> GuardianItem:
    return GuardianItem(label=variable.name, code_name=str(variable).strip("{}"))


def _unsupported(variable: Variable, scope: Scope) -> str | None:
    """The rule that a variable breaks by being there."""
    match variable.kind, scope.kind:
        case "contact", "workflow":
            return None if variable.name in scope.contacts else "unsupportedContactProperties"
        case "event", "workflow":
            is_known = scope.events is None or variable.name in scope.events
            return None if is_known else "unsupportedEventProperties"
        case "data", "transactional":
            return _unfit_data(variable.name, scope)
        case "system", _:
            return None
        case _:
            return f"unsupported{_KINDS[variable.kind]}"


_KINDS = {"contact": "ContactProperties", "event": "EventProperties", "data": "DataVariables"}


def _unfit_data(name: str, scope: Scope) -> str | None:
    if "[" in name:
        return "bareArrayNodes"
    if not name.isascii() or not name.replace("_", "").replace("-", "").isalnum():
        return "invalidCustomDataVariables"
    return "unsupportedDataVariables" if scope.required and name not in scope.required else None


def _targets(nodes: Collection[Node]) -> Iterator[tuple[str, GuardianItem]]:
    for node in _all(nodes):
        if not isinstance(node, Element) or node.tag not in ("Button", "Link", "Image", "Icon"):
            continue
        href = node.attributes.get("href", "").strip()
        label = " ".join(_words(node).split()) or href or f"line {node.place.line}"
        if rule := _unfit_target(node.tag, href):
            yield rule, GuardianItem(label=label)


_MISSING = {"Button": "missingButtonHrefs", "Link": "missingLinkHrefs", "Icon": "missingSocialIconHrefs"}


def _unfit_target(tag: str, href: str) -> str | None:
    """The rule that a target breaks. What a variable decides is seen when the email is sent."""
    if not href:
        return _MISSING.get(tag)
    if tag == "Icon" or variables(parts(href)):
        return None
    if urls.is_bare_address(href):
        return f"emailWithoutMailto{tag}Hrefs"
    if urls.is_short_youtube(href):
        return f"shortenedYouTube{tag}Hrefs"
    return f"invalid{tag}Hrefs" if tag != "Image" and not urls.is_sound(href) else None


def _all(nodes: Collection[Node]) -> Iterator[Node]:
    for node in nodes:
        yield node
        if isinstance(node, Element) and node.tag != "CodeBlock":
            yield from _all(node.children)


def _words(element: Element) -> str:
    """What readers see of an element."""
    texts = (one.text for one in _all(element.children) if isinstance(one, Text))
    said = element.attributes
    return "".join(texts) or said.get("name" if element.tag == "Icon" else "alt", "")
