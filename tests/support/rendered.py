"""Emails as they are rendered, and read as a browser does."""

from html.parser import HTMLParser

from msgspec.structs import replace

from loopwright.server.store.messages import Content
from support.content import PLAIN

VOID = {"br", "img", "meta", "link", "hr", "col"}


def message(lmx: str, **given: object) -> Content:
    """Content that nobody has to fill but for its body."""
    return replace(PLAIN, **{"from_name": "", "from_email": "", "lmx": lmx, **given})


class Page(HTMLParser):
    """What a browser sees of a page. Fails where tags do not match."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not {"style", "title"} & set(self.open):
            self.words += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of all these tags."""
        return [attributes for name, attributes in self.tags if name == tag]
