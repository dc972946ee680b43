"""Guardian's rules: each finds its kind, at its level, and nothing in what is right."""

from typing import Any

import pytest
from msgspec.structs import replace

from loopwright.server.content.guardian import RULES, Scope, inspect
from loopwright.server.store.messages import EMPTY
from loopwright.wire.email_messages import GuardianReport

WORKFLOW = Scope(kind="workflow", contacts={"firstName"}, events={"plan"})
SIGNUP = Scope(kind="workflow", contacts={"firstName"}, events=())
NEW_EVENT = Scope(kind="workflow", contacts={"firstName"}, events=None)
TRANSACTIONAL = Scope(kind="transactional")
OPT_IN = Scope(kind="transactional", required=("optInUrl",))


def found(scope: Scope, lmx: str, **given: Any) -> GuardianReport:
    return inspect(replace(EMPTY, lmx=lmx, **given), scope)


def rules(report: GuardianReport) -> list[str]:
    return [one.rule for one in (*report.errors, *report.warnings)]


def link(href: str) -> str:
    return f'<Paragraph><Link href="{href}">Here</Link></Paragraph>'


def button(href: str) -> str:
    return f'<Button href="{href}">Here</Button>'


def repeat(variable: str, words: str) -> str:
    return f'<For variable="{{{variable}}}"><Paragraph>{words}</Paragraph></For>'


def image(href: str) -> str:
    return f'<Image src="https://a.example/a.png" alt="Here" href="{href}" />'


@pytest.mark.parametrize(
    ("scope", "lmx", "rule"),
    [
        (WORKFLOW, "<Paragraph>{contact.x}</Paragraph>", "unsupportedContactProperties"),
        (TRANSACTIONAL, "<Paragraph>{contact.firstName}</Paragraph>", "unsupportedContactProperties"),
        (WORKFLOW, "<Paragraph>{contact.firstName}</Paragraph>", "missingFallbackContactProperties"),
        (WORKFLOW, "<Paragraph>{event.x}</Paragraph>", "unsupportedEventProperties"),
        (SIGNUP, "<Paragraph>{event.plan}</Paragraph>", "unsupportedEventProperties"),
        (WORKFLOW, "<Paragraph>{event.plan}</Paragraph>", "missingFallbackEventProperties"),
        (NEW_EVENT, "<Paragraph>{event.x}</Paragraph>", "missingFallbackEventProperties"),
        (WORKFLOW, "<Paragraph>{data.x}</Paragraph>", "unsupportedDataVariables"),
        (TRANSACTIONAL, "<Paragraph>{data.a b}</Paragraph>", "invalidCustomDataVariables"),
        (TRANSACTIONAL, "<Paragraph>{data.items[].name}</Paragraph>", "bareArrayNodes"),
        (TRANSACTIONAL, repeat("data.b", "{data.a[].x}"), "bareArrayNodes"),
        (TRANSACTIONAL, repeat("data.a", "") + link("{data.a[].x}"), "bareArrayNodes"),
        (WORKFLOW, repeat("event.plan", "{event.plan[].x}"), "missingFallbackEventProperties"),
        (WORKFLOW, repeat("event.x", "{event.x[].a}"), "unsupportedEventProperties"),
        (OPT_IN, "<Paragraph>Hello</Paragraph>", "missingRequiredDataVariables"),
        (TRANSACTIONAL, button(""), "missingButtonHrefs"),
        (TRANSACTIONAL, "<Button>Here</Button>", "missingButtonHrefs"),
        (TRANSACTIONAL, link(" "), "missingLinkHrefs"),
        (TRANSACTIONAL, button("acme"), "invalidButtonHrefs"),
        (TRANSACTIONAL, link("javascript:alert(1)"), "invalidLinkHrefs"),
        (TRANSACTIONAL, link("https://"), "invalidLinkHrefs"),
        (TRANSACTIONAL, link("https://acme .example/"), "invalidLinkHrefs"),
        (TRANSACTIONAL, button("https://youtu.be/a"), "shortenedYouTubeButtonHrefs"),
        (TRANSACTIONAL, link("HTTPS://www.youtu.be/a"), "shortenedYouTubeLinkHrefs"),
        (TRANSACTIONAL, image("https://youtu.be/a"), "shortenedYouTubeImageHrefs"),
        (TRANSACTIONAL, button("ada@acme.example"), "emailWithoutMailtoButtonHrefs"),
        (TRANSACTIONAL, link("ada@acme.example"), "emailWithoutMailtoLinkHrefs"),
        (TRANSACTIONAL, image("ada@acme.example"), "emailWithoutMailtoImageHrefs"),
        (TRANSACTIONAL, '<Icons><Icon name="x" /></Icons>', "missingSocialIconHrefs"),
    ],
)
def test_each_rule_finds_its_kind(scope: Scope, lmx: str, rule: str) -> None:
    """And no other rule does, and the answer says at which level."""
    report = found(scope, lmx)
    assert rules(report) == [rule]
    findings = report.errors if RULES[rule].level == "error" else report.warnings  # type: ignore[index]
    assert findings[0].title
    assert findings[0].description
    assert len(findings[0].items) == 1


@pytest.mark.parametrize(
    ("scope", "lmx"),
    [
        (WORKFLOW, "<Paragraph>{system.unsubscribe_link}</Paragraph>"),
        (OPT_IN, button("{data.optInUrl}")),
        (TRANSACTIONAL, link("https://youtube.com/watch?v=a") + button("mailto:a@acme.example")),
        (TRANSACTIONAL, link("{data.url}") + image("") + link("tel:+123")),
        (TRANSACTIONAL, "<CodeBlock>{contact.x} {data.y[]}</CodeBlock>"),
        (TRANSACTIONAL, repeat("data.a", '{data.b} <Link href="{data.a[].url}">{data.a[].name}</Link>')),
    ],
)
def test_what_is_right_is_left_alone(scope: Scope, lmx: str) -> None:
    """Braces of code are characters, and what a variable decides is seen when the email is sent."""
    assert rules(found(scope, lmx)) == []


def test_every_field_is_read_and_fallbacks_count() -> None:
    """A subject's variables are the email's; each is named once."""
    lmx = "<Paragraph>{contact.firstName} {contact.firstName}</Paragraph>"
    report = found(WORKFLOW, lmx, subject="{event.plan}", from_name="{event.plan}")
    assert [[item.code_name for item in one.items] for one in report.warnings] == [
        ["contact.firstName"], ["event.plan"],
    ]  # fmt: skip
    fallbacks = {"contact_fallbacks": {"firstName": "you"}, "event_fallbacks": {"plan": "free"}}
    assert rules(found(WORKFLOW, lmx, subject="{event.plan}", **fallbacks)) == []


def test_an_icon_is_told_by_its_name() -> None:
    report = found(TRANSACTIONAL, '<Icons><Icon name="link"/><Icon name="rss" href=" "/></Icons>')
    assert [item.label for item in report.warnings[0].items] == ["link", "rss"]


def test_an_icon_may_have_a_bare_domain() -> None:
    assert rules(found(TRANSACTIONAL, '<Icons><Icon name="link" href="acme.example"/></Icons>')) == []
