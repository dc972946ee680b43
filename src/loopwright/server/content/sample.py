"""An email as it would be with sample values: fallbacks, else the variable's name in brackets. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from loopwright.server.mail.design import Design, expand
from loopwright.server.mail.layout import Footer
from loopwright.server.mail.render import Prepared, Rendered, UnsoundContent, fill, prepare
from loopwright.server.mail.template import Each, Template, Values, When
from loopwright.server.mail.variables import ICONS_ROOT, EmailKind, Variable, VariableKind
from loopwright.server.store.messages import Content

from .message import check_message, fallbacks_of

GivenValues: TypeAlias = Mapping[VariableKind, Mapping[str, object]]
"""Values by kind and name, as somebody chose them."""

NONE_GIVEN: GivenValues = {}
ITEMS = 2
"""Of every list, so that what stands between them is seen, too."""


class SampleVariable(Struct, frozen=True):
    """A variable of an email; without a `fallback` whoever sends it has to give a value."""

    name: str
    fallback: str | None


class Sample(Struct, frozen=True, kw_only=True):
    """An email with sample values; without `rendered`, `problems` say why there is none."""

    variables: Sequence[SampleVariable]
    rendered: Rendered | None
    problems: Sequence[str]


def sample(
    content: Content, design: Design, kind: EmailKind, icons_root: str, given: GivenValues = NONE_GIVEN
) -> Sample:
    """The email with the themes and components of `design`, and the icons that are at `icons_root`.

    What is `given` stands in place of a sample value, and of a fallback.
    """
    checked = check_message(content, kind, design)
    fallbacks = fallbacks_of(content)
    asked = sorted({one.asked for one in checked.variables})
    variables = [SampleVariable(one.name, fallbacks.get(one.kind, {}).get(one.name)) for one in asked]
    if checked.problems:
        return Sample(variables=variables, rendered=None, problems=[str(one) for one in checked.problems])
    footer = Footer(company="", address="") if kind == "marketing" else None
    try:
        prepared = prepare(replace(content, lmx=expand(content.lmx, design)), footer)
    except UnsoundContent as error:
        return Sample(variables=variables, rendered=None, problems=[str(one) for one in error.problems])
    return Sample(
        variables=variables, rendered=fill(prepared, _values(prepared, icons_root, given)), problems=()
    )


def _values(prepared: Prepared, icons_root: str, given: GivenValues) -> Values:
    """A value for each variable without a fallback; a list has `ITEMS` items with the fields used."""
    values: dict[VariableKind, dict[str, object]] = {"contact": {}, "event": {}, "data": {}, "system": {}}
    fields: dict[Variable, dict[str, str]] = {one: {} for one in _lists(prepared.html)}
    for variable in prepared.variables:
        if variable.field:
            fields.setdefault(variable.asked, {})[variable.field] = f"[{variable.field}]"
        elif variable.name not in getattr(prepared.fallbacks, variable.kind):
            values[variable.kind][variable.name] = f"[{variable.name}]"
    for variable, item in fields.items():
        values[variable.kind][variable.name] = [item] * ITEMS
    for kind, chosen in given.items():
        values[kind] |= chosen
    values["system"][ICONS_ROOT.name] = icons_root
    return Values(
        contact=values["contact"], event=values["event"], data=values["data"], system=values["system"]
    )


def _lists(template: Template) -> Iterator[Variable]:
    """What is repeated, wherever it stands."""
    for chunk in template:
        match chunk:
            case Each():
                yield chunk.list
                yield from _lists(chunk.inside)
            case When():
                yield from _lists(chunk.inside)
            case _:
                pass
