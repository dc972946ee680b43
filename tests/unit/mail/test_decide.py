"""Which domains email may come from."""

import pytest

from loopwright.server.mail.decide import is_owned, no_domain


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


@pytest.mark.parametrize("domain", ["mail.acme.example", "example.com"])
def test_a_domain_that_is_nobodys_is_named_with_the_remedy(domain: str) -> None:
    """Whoever has set one would look in vain for what is missing."""
    assert no_domain(domain).startswith(f"the team has no sending domain of its own yet ({domain} is for")
    assert "loopwright domain add DOMAIN" in no_domain(domain)
