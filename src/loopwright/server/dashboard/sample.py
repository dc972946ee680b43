"""An email as it would be with sample values: fallbacks, else the variable's name in brackets. Pure."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from loopwright.server.content.message import check_message, fallbacks_of
from loopwright.server.mail.design import Design, expand
from loopwright.server.mail.layout import Footer
from loopwright.server.mail.render import Rendered, UnsoundContent, fill, prepare
from loopwright.server.mail.template import Values
from loopwright.server.mail.variables import EmailKind, VariableKind
from loopwright.server.store.messages import Content


class SampleVariable(Struct, frozen=True):
    """A variable of an email; without a `fallback` whoever sends it has to give a value."""

    name: str
    fallback: str | None


class Sample(Struct, frozen=True, kw_only=True):
    """An email with sample values; without `rendered`, `problems` say why there is none."""

    variables: Sequence[SampleVariable]
    rendered: Rendered | None
    problems: Sequence[str]


def sample(content: Content, design: Design, kind: EmailKind) -> Sample:
    """The email with the themes and components of `design`."""
    checked = check_message(content, kind, design)
    fallbacks = fallbacks_of(content)
    used = sorted(checked.variables)
    variables = [SampleVariable(one.name, fallbacks.get(one.kind, {}).get(one.name)) for one in used]
    if checked.problems:
        return Sample(variables=variables, rendered=None, problems=[str(one) for one in checked.problems])
    footer = Footer(company="", address="") if kind == "marketing" else None
    try:
        prepared = prepare(replace(content, lmx=expand(content.lmx, design)), footer)
    except UnsoundContent as error:
        return Sample(variables=variables, rendered=None, problems=[str(one) for one in error.problems])
    values: dict[VariableKind, dict[str, object]] = {"contact": {}, "event": {}, "data": {}, "system": {}}
    for variable in prepared.variables:
        if variable.name not in fallbacks.get(variable.kind, {}):
            values[variable.kind][variable.name] = f"[{variable.name}]"
    return Sample(variables=variables, rendered=fill(prepared, Values(**values)), problems=())
