"""Templates use what their pages declare: nothing else, and all of it."""

import re
from collections.abc import Iterator
from dataclasses import fields
from importlib import import_module
from pkgutil import iter_modules

import pytest
from jinja2 import meta, nodes

from loopwright.server.dashboard import answers, pages
from loopwright.server.dashboard.pages.frame import DashboardPage

for module in iter_modules(pages.__path__):
    import_module(f"{pages.__name__}.{module.name}")


def page_classes(
    base: type[DashboardPage] = DashboardPage,
) -> Iterator[type[DashboardPage]]:
    for page in base.__subclasses__():
        if "template" in vars(page):
            yield page
        yield from page_classes(page)


def names_used(template: str) -> set[str]:
    """The names a template and everything it extends takes from its page."""
    environment = answers.environment()
    assert environment.loader is not None
    text, _, _ = environment.loader.get_source(environment, template)
    syntax = environment.parse(text)
    # in a template that extends another, imported names count as undeclared inside its blocks
    imported = {name for found in syntax.find_all(nodes.FromImport) for name in found.names}
    own = {macro.name for macro in syntax.find_all(nodes.Macro)}
    used = meta.find_undeclared_variables(syntax) - environment.globals.keys() - imported - own
    for other in meta.find_referenced_templates(syntax):
        assert other is not None, "templates are named, not computed"
        used |= names_used(other)
    return used


@pytest.mark.parametrize("page", list(page_classes()), ids=lambda page: page.__name__)
def test_a_template_uses_what_its_page_declares(page: type[DashboardPage]) -> None:
    """A field that no template shows, or a name that no page has, is a mistake."""
    assert {field.name for field in fields(page)} == names_used(page.template)


def test_every_template_is_reached() -> None:
    """A template that no page shows, extends or imports is left over."""
    environment = answers.environment()
    assert environment.loader is not None
    reached = {page.template for page in page_classes()}
    for template in list(reached):
        reached |= referenced(template)
    assert set(environment.list_templates()) == reached


def referenced(template: str) -> set[str]:
    environment = answers.environment()
    assert environment.loader is not None
    text, _, _ = environment.loader.get_source(environment, template)
    others = {name for name in meta.find_referenced_templates(environment.parse(text)) if name}
    return others.union(*(referenced(other) for other in others))


def test_no_template_brings_script_or_style_of_its_own() -> None:
    """The content security policy would refuse them, so a test finds them first."""
    for path in (answers.HERE / "templates").iterdir():
        text = path.read_text()
        assert "<style" not in text
        assert " style=" not in text
        assert re.search(r"\son\w+=", text) is None
        assert text.count("<script") == text.count("<script src=")
        assert "|safe" not in text
        assert "https://" not in text
