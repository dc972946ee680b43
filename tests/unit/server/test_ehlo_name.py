"""What the SMTP server may be told as our name."""

import pytest
import typer

from loopwright.cli.hosting_options import read_ehlo_name


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (None, None),
        ("mail.example.org", "mail.example.org"),
        ("mail.xn--p1ai", "mail.xn--p1ai"),
        ("mail.bücher.example", "mail.xn--bcher-kva.example"),
        ("[192.0.2.7]", "[192.0.2.7]"),
        ("[IPv6:2001:db8::7]", "[IPv6:2001:db8::7]"),
    ],
)
def test_a_full_name_or_an_address_in_brackets(given: str | None, told: str | None) -> None:
    assert read_ehlo_name(given) == told


@pytest.mark.parametrize(
    "given",
    ["", "localhost", "192.0.2.7", "[2001:db8::7]", "[IPv6:192.0.2.7]", "[mail]", "a b.org", "a.org\r\nRSET"],
)
def test_other_names_are_refused(given: str) -> None:
    """Servers refuse them as well, and then all email waits."""
    with pytest.raises(typer.BadParameter, match="is no full domain name"):
        read_ehlo_name(given)
