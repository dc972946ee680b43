"""A gallery of a folder's emails, as static pages: each with its sample values, as readers will see it.

Pages name no server: images and icons lie beside them. Pure.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from html import escape

from msgspec import Struct
from msgspec.structs import replace

from loopwright.server.content.sample import NONE_GIVEN, GivenValues, sample
from loopwright.server.mail.design import Design
from loopwright.server.mail.render import Rendered
from loopwright.server.mail.variables import UNSUBSCRIBE_LINK, EmailKind

from .mistakes import Mistake
from .model import Definitions, MessageDefinition
from .names import SOMEWHERE, somewhere
from .shared import SharedDefinitions

ICONS = "https://icons.invalid"
PLAIN_SAMPLE = "example"
"""What the values are called that we make up ourselves."""
SYSTEM = {UNSUBSCRIBE_LINK.name: "https://example.com/unsubscribe"}
_DARK = "(prefers-color-scheme: dark)"
_ICON = re.compile(rf"{re.escape(ICONS)}/([a-z0-9-]+\.png)")
_SHEET = """
:root { color-scheme: light dark; font: 15px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; padding: 24px; max-width: 1400px; }
h1 { font-size: 24px; margin: 0 0 4px; } h2 { font-size: 15px; margin: 0 0 8px; }
a { color: #2a63d4; } @media (prefers-color-scheme: dark) { a { color: #8fb4ff; } }
table { border-collapse: collapse; width: 100%; } td, th { text-align: left; padding: 8px 12px 8px 0;
  overflow-wrap: anywhere;  border-bottom: 1px solid #8884; vertical-align: top; } .aside { opacity: 0.7; }
.views { display: grid; gap: 24px; grid-template-columns: repeat(auto-fit, minmax(min(100%, 420px), 1fr)); }
.views > section { min-width: 0; }
iframe, pre { box-sizing: border-box; width: 100%; height: 760px; border: 1px solid #8886; border-radius: 8px;
  resize: vertical; background: #fff; margin: 0; }
.dark iframe { background: #111; } .phone iframe { width: 392px; max-width: 100%; }
pre { padding: 16px; overflow: auto; white-space: pre-wrap; background: none; font-size: 14px; }
li.finding { margin: 0 0 4px; } code { font-size: 0.95em; overflow-wrap: anywhere; }
"""


class Shown(Struct, frozen=True, kw_only=True):
    """An email with the values of one sample; its files begin with `name`. Without `rendered` there are
    `problems`.
    """

    name: str
    title: str
    sample: str
    kind: EmailKind
    message: MessageDefinition
    rendered: Rendered | None
    problems: Sequence[str]
    findings: Sequence[Mistake]

    @property
    def size(self) -> int:
        """Bytes of its HTML."""
        return len(self.rendered.html.encode()) if self.rendered else 0


def gallery(definitions: Definitions, findings: Sequence[Mistake]) -> dict[str, str]:
    """The pages, by the names of their files, `index.html` first. `findings` are those of `check`."""
    shown = list(_all(definitions, findings))
    pages = {"index.html": _index(shown)}
    for one in shown:
        pages[f"{one.name}.html"] = _page(one)
        if one.rendered:
            html = _beside(one.rendered.html)
            pages[f"{one.name}.light.html"] = html.replace(_DARK, "not all")
            pages[f"{one.name}.dark.html"] = html.replace(_DARK, "all")
    return pages


def icons_in(pages: Mapping[str, str]) -> set[str]:
    """The files of icons that lie beside the pages, in `icons/`."""
    return {name for page in pages.values() for name in re.findall(r'"icons/([a-z0-9-]+\.png)"', page)}


def _all(definitions: Definitions, findings: Sequence[Mistake]) -> Iterator[Shown]:
    shared = SharedDefinitions(
        images=definitions.images, themes=definitions.themes, components=definitions.components
    )
    design = shared.names().design
    for email in definitions.transactional:
        name = f"transactional-{email.slug}"
        yield from _samples(name, email.name, "transactional", email.message, design, findings)
    for workflow in definitions.workflows:
        for message in workflow.messages().values():
            body = re.sub(
                r"[^a-z0-9]+", "-", message.body_file.rpartition("/")[2].removesuffix(".lmx").lower()
            )
            title = f"{workflow.name}: {message.content.subject}"
            name = f"workflow-{workflow.slug}-{body}"
            yield from _samples(name, title, "marketing", message, design, findings)


def _samples(
    name: str,
    title: str,
    kind: EmailKind,
    message: MessageDefinition,
    design: Design,
    findings: Sequence[Mistake],
) -> Iterator[Shown]:
    content = replace(message.content, lmx=somewhere(message.content.lmx))
    told = [one for one in findings if one.file in (message.file, message.body_file)]
    given: dict[str, GivenValues] = {PLAIN_SAMPLE: NONE_GIVEN, **message.samples}
    for called, values in given.items():
        made = sample(content, design, kind, ICONS, {**values, "system": SYSTEM})
        yield Shown(
            name=f"{name}.{called}",
            title=title,
            sample=called,
            kind=kind,
            message=message,
            rendered=made.rendered,
            problems=made.problems,
            findings=told,
        )


def _beside(html: str) -> str:
    """HTML whose images and icons lie beside it."""
    return _ICON.sub(r"icons/\1", html.replace(SOMEWHERE, ""))


def _index(shown: Sequence[Shown]) -> str:
    rows = "".join(
        f'<tr><td><a href="{one.name}.html">{escape(one.title)}</a></td><td>{escape(one.sample)}</td>'
        f"<td>{_size(one)}</td><td>{len(one.findings) + len(one.problems) or 'none'}</td></tr>"
        for one in shown
    )
    head = "<tr><th>Email</th><th>Values</th><th>HTML</th><th>Findings</th></tr>"
    empty = "<p>There are no emails in this folder.</p>"
    return _document("Emails", f"<h1>Emails</h1>{f'<table>{head}{rows}</table>' if shown else empty}")


def _page(one: Shown) -> str:
    line = one.rendered
    told = [*one.problems, *(f"{found.file}:{found.line}: {found.message}" for found in one.findings)]
    findings = "".join(f'<li class="finding"><code>{escape(text)}</code></li>' for text in told)
    return _document(
        one.title,
        f'<p><a href="index.html">← All emails</a></p><h1>{escape(one.title)}</h1>'
        f'<p class="aside">{one.kind}, values: {escape(one.sample)}, {_size(one)}</p>'
        + (_envelope(line) if line else "")
        + f"<h2>Findings</h2>{f'<ul>{findings}</ul>' if told else '<p>None.</p>'}"
        + (_views(one.name, line) if line else ""),
    )


def _envelope(line: Rendered) -> str:
    said = {"Subject": line.subject, "Preview": line.preview, "From": line.from_name or line.from_email}
    rows = "".join(
        f"<tr><th>{label}</th><td>{escape(text)}</td></tr>" for label, text in said.items() if text
    )
    return f"<table>{rows}</table><br>"


def _views(name: str, line: Rendered) -> str:
    frames = [
        ("light", "Light", f"{name}.light.html"),
        ("dark", "Dark", f"{name}.dark.html"),
        ("phone", "Phone, 390 pixels", f"{name}.light.html"),
    ]
    sections = "".join(
        f'<section class="{look}"><h2>{label}</h2>'
        f'<iframe sandbox="allow-popups" title="{label}" src="{source}"></iframe></section>'
        for look, label, source in frames
    )
    text = f'<section class="text"><h2>Plain text</h2><pre tabindex="0">{escape(line.text)}</pre></section>'
    return f'<div class="views">{sections}{text}</div>'


def _size(one: Shown) -> str:
    return f"{one.size:,} bytes" if one.rendered else "not rendered"


def _document(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_SHEET}</style></head><body>{body}</body></html>"
    )
