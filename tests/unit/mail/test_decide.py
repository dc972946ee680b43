"""Which domains email may come from."""

import pytest

from loopwright.server.mail.decide import is_owned


@pytest.mark.parametrize(
    "domain",
    [
        *("mail.example.com", "EXAMPLE.COM.", "example.net", "a.b.example.org", "acme.test", "acme.example"),
        *("acme.invalid", "acme.localhost", "localhost", "", ".", "intranet"),
    ],
)
def test_nobody_owns(domain: str) -> None:
    """Those for tests and examples, names without a dot, and none."""
    assert not is_owned(domain)


@pytest.mark.parametrize(
    "domain",
    ["elsewhere.org", "Mail.Elsewhere.ORG.", "myexample.com", "example.com.elsewhere.org", "test.com"],
)
def test_somebody_owns(domain: str) -> None:
    """Likeness alone makes none reserved."""
    assert is_owned(domain)
