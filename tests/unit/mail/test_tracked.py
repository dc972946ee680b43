"""Which links of an email are tracked, what stands for them, and where they lead."""

import re

import pytest
from msgspec.structs import replace

from loopwright.server.mail.layout import Footer
from loopwright.server.mail.links import Tracking, read_hit_token
from loopwright.server.mail.render import Rendered, fill, prepare
from loopwright.server.mail.template import Fallbacks, Values
from loopwright.server.mail.tracked import destination, links_of
from loopwright.server.store.messages import EMPTY

FOOTER = Footer(company="Acme", address="1 Road")
TRACKING = Tracking("https://mail.acme.example", b"secret", "cteam", "cemail")
SYSTEM = {
    "unsubscribe_link": "https://mail.acme.example/unsubscribe/x",
    "icons_root": "https://mail.acme.example/icons",
}
LMX = """
<Paragraph><Link href="https://acme.example/one">One</Link> and
  <Link href="https://acme.example/two" notrack="true">two</Link>,
  <Link href="mailto:hello@acme.example">write</Link>,
  <Link href="{system.unsubscribe_link}">leave</Link></Paragraph>
<Button href="https://acme.example/{contact.plan}?a=1&amp;b=2">Go</Button>
<Columns><ColumnItem><Image src="https://acme.example/a.png" href="https://acme.example/image"/></ColumnItem>
<ColumnItem><Icons><Icon name="globe" href="acme.example"/></Icons></ColumnItem></Columns>
<Section href="https://acme.example/section"><Paragraph>Box</Paragraph></Section>
<For variable="{event.items}"><Paragraph><Link href="https://acme.example/{event.items[].id}">It</Link></Paragraph></For>
"""


def rendered(lmx: str, values: Values, *, is_tracked: bool = True) -> Rendered:
    return fill(prepare(replace(EMPTY, lmx=lmx), FOOTER, is_tracked=is_tracked), values)


VALUES = Values(
    contact={"plan": "pro"},
    event={"items": [{"id": "a"}, {"id": "b"}]},
    system={**SYSTEM, "open_pixel": TRACKING.open_pixel, "hidden_link": TRACKING.hidden_link},
    click=TRACKING.click,
)


def places(text: str) -> list[str]:
    return [found.split(".")[-2] for found in re.findall(r"/c/([\w.\-]+)", text)]


def test_web_links_are_tracked_and_others_are_left_alone() -> None:
    """Numbers go by the document; what says `notrack`, writes to somebody or leaves the audience stays."""
    email = rendered(LMX, VALUES)
    assert places(email.html) == ["1", "5", "6", "7", "8", "9-0", "9-1", "9999"]
    assert places(email.text) == places(email.html)[:-1]
    for kept in ("https://acme.example/two", "mailto:hello@acme.example", SYSTEM["unsubscribe_link"]):
        assert f'href="{kept}"' in email.html
    for gone in ("acme.example/one", "acme.example/pro", "acme.example/section"):
        assert gone not in email.html
    assert email.html.count(TRACKING.open_pixel) == 1


def test_an_email_that_is_not_tracked_is_as_it_was() -> None:
    """No picture, and every address in its place."""
    email = rendered(LMX, replace(VALUES, click=None), is_tracked=False)
    assert "/c/" not in email.html
    assert "/o/" not in email.html
    assert 'href="https://acme.example/pro?a=1&amp;b=2"' in email.html


@pytest.mark.parametrize(
    ("link", "turn", "expected"),
    [
        (1, None, "https://acme.example/one"),
        (5, None, "https://acme.example/pro?a=1&b=2"),
        (7, None, "https://acme.example"),
        (9, 1, "https://acme.example/b"),
        (9, 7, None),
    ],
)
def test_where_a_link_leads(link: int, turn: int | None, expected: str | None) -> None:
    """To where it would have led without tracking."""
    assert destination(links_of(LMX)[link], turn, VALUES, Fallbacks()) == expected


def test_a_value_that_is_missing_leads_nowhere_unless_there_is_a_fallback() -> None:
    """The address is not sent around with half of it gone."""
    link = links_of(LMX)[5]
    assert destination(link, None, Values(), Fallbacks()) is None
    assert destination(link, None, Values(), Fallbacks(contact={"plan": "free"})) == (
        "https://acme.example/free?a=1&b=2"
    )


def test_links_that_are_not_tracked_have_no_place() -> None:
    """Nobody gets to them by a token."""
    assert set(links_of(LMX)) == {1, 5, 6, 7, 8, 9}


@pytest.mark.parametrize("place", ["1", "12-3", "0"])
def test_a_token_is_genuine_as_it_was_made_and_no_other_is(place: str) -> None:
    """Every single character counts, and each place has a signature of its own."""
    token = TRACKING.click(place).rpartition("/")[2]
    ticket = read_hit_token(token)
    assert ticket is not None
    assert ticket.is_genuine(b"secret")
    assert not ticket.is_genuine(b"another")
    for position, character in enumerate(token):
        for other in ("A", "b", "7", "-", "."):
            if other != character:
                altered = read_hit_token(token[:position] + other + token[position + 1 :])
                assert altered is None or not altered.is_genuine(b"secret")
    assert read_hit_token(token + "A") is None
    assert read_hit_token(token[:-1]) is None
    team_id, email_id, place, signature = token.split(".")
    assert read_hit_token(f"{team_id}.{email_id}.0{place}.{signature}") is None, "it would be the same link"
