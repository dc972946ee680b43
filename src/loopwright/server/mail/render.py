"""Rendering: an email's content prepared once for a revision, and filled for each recipient."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from loopwright.server.store.messages import Content

from .characters import clean, one_line
from .direction import language_tag
from .layout import Footer, page
from .lmx import check, check_line
from .markup import MarkupProblem
from .plain import plain
from .quoted import Quoted
from .style import look
from .template import (
    Each,
    Fallbacks,
    Filling,
    Slot,
    Target,
    Template,
    Text,
    Values,
    When,
    encoded,
    in_one,
    slots,
    variables_of,
)
from .tracked import with_places
from .variables import EmailKind, Variable, parts

LINES = ("subject", "preview_text", "from_name", "from_email", "reply_to_email", "cc_email", "bcc_email")


class UnsoundContent(ValueError):
    """The content has mistakes, so there is nothing to render. `problems` holds all of them."""

    def __init__(self, problems: tuple[MarkupProblem, ...]) -> None:
        super().__init__("; ".join(str(problem) for problem in problems))
        self.problems = problems


class MissingVariables(ValueError):
    """Variables that have neither a value nor a fallback: `variables`, sorted, all of them."""

    def __init__(self, variables: tuple[Variable, ...]) -> None:
        named = ", ".join(map(str, variables))
        super().__init__(f"no value and no fallback for {named}")
        self.variables = variables


class Prepared(Struct, frozen=True, kw_only=True):
    """The content of one revision, ready to be filled."""

    subject: Template
    preview: Template
    from_name: Template
    from_email: Template
    reply_to: Template
    cc: Template
    bcc: Template
    html: Template
    text: Template
    fallbacks: Fallbacks

    @property
    def variables(self) -> set[Variable]:
        """Every variable that filling may ask for."""
        return {variable for name in _TEMPLATES for variable in variables_of(getattr(self, name))}


_TEMPLATES = ("subject", "preview", "from_name", "from_email", "reply_to", "cc", "bcc", "html", "text")


class Rendered(Struct, frozen=True, kw_only=True):
    """One recipient's email. `html` is a whole document, `text` ends its lines with "\\n".

    Both are made of pieces; those that are the same for everybody have the form that travels, too.
    """

    subject: str
    preview: str
    from_name: str
    from_email: str
    reply_to: str
    cc: str
    bcc: str
    html_pieces: Sequence[Text]
    text_pieces: Sequence[Text]

    @property
    def html(self) -> str:
        """The document in one piece."""
        return in_one(self.html_pieces)

    @property
    def text(self) -> str:
        """The text in one piece."""
        return in_one(self.text_pieces)


def prepare(message: Content, footer: Footer | None, *, is_tracked: bool = False) -> Prepared:
    """Prepare a message; with a footer it is marketing, without one transactional.

    When it is tracked, its links know their places, and the page ends with the picture that tells of opens.

    Raises `UnsoundContent` naming all mistakes.
    """
    kind: EmailKind = "marketing" if footer else "transactional"
    checked = check(message.lmx, kind=kind)
    problems = [*checked.problems]
    for field in LINES:
        problems += check_line(getattr(message, field), kind=kind, field=field).problems
    message = replace(message, **{field: clean(getattr(message, field)) for field in LINES})
    if checked.document is None or problems:
        raise UnsoundContent(tuple(problems))
    lines: dict[str, Template] = {field: slots(parts(getattr(message, field)), "plain") for field in LINES}
    if footer:
        footer = replace(footer, company=clean(footer.company), address=clean(footer.address))
        footer = replace(footer, list_name=clean(footer.list_name)) if footer.list_name else footer
    written = checked.document.blocks
    blocks = with_places(written) if is_tracked else written
    html = page(
        blocks,
        look(checked.document.style, message.email_format),
        subject=slots(parts(message.subject), "html"),
        preview=slots(parts(message.preview_text), "html"),
        language=language_tag(message.language_code),
        footer=footer,
        is_tracked=is_tracked,
    )
    text = plain(blocks, footer=footer)
    return Prepared(
        subject=lines["subject"],
        preview=lines["preview_text"],
        from_name=lines["from_name"],
        from_email=lines["from_email"],
        reply_to=lines["reply_to_email"],
        cc=lines["cc_email"],
        bcc=lines["bcc_email"],
        html=encoded(html),
        text=encoded(text),
        fallbacks=Fallbacks(
            contact=message.contact_fallbacks, event=message.event_fallbacks, data=message.data_fallbacks
        ),
    )


def fill(prepared: Prepared, values: Values) -> Rendered:
    """Put one recipient's values in their places.

    Raises `MissingVariables` naming all that have neither a value nor a fallback. Texts of one line stay so,
    whatever a value holds.
    """
    filling = Filling(values, prepared.fallbacks)
    rendered = Rendered(
        subject=_line(filling.fill(prepared.subject)),
        preview=_line(filling.fill(prepared.preview)),
        from_name=_line(filling.fill(prepared.from_name)),
        from_email=_line(filling.fill(prepared.from_email)),
        reply_to=_line(filling.fill(prepared.reply_to)),
        cc=_line(filling.fill(prepared.cc)),
        bcc=_line(filling.fill(prepared.bcc)),
        html_pieces=filling.pieces(prepared.html),
        text_pieces=filling.pieces(prepared.text),
    )
    if filling.missing:
        raise MissingVariables(tuple(sorted(filling.missing)))
    return rendered


def least_bytes(template: Template) -> int:
    """How many bytes of UTF-8 are the same for everybody: without values, with every part once that has a
    condition or is repeated."""
    size = 0
    for chunk in template:
        match chunk:
            case Quoted() | str():
                size += _bytes_of(chunk)
            case When() | Each():
                size += least_bytes(chunk.inside)
            case Target():
                size += _bytes_of(chunk.before) + _bytes_of(chunk.after)
                size += sum(len(part.encode()) for part in chunk.parts if isinstance(part, str))
            case Slot():
                pass
    return size


def _bytes_of(text: Text) -> int:
    return len((text if isinstance(text, str) else text.text).encode())


def _line(text: str) -> str:
    return " ".join(one_line(text).split()) if text else ""
