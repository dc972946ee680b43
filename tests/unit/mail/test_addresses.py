"""Addresses that a team sets: what is wrong, and what to write instead."""

import pytest

from loopwright.server.mail.addresses import address_mistake, domain_mistake, local_part_mistake


@pytest.mark.parametrize("local", ["team", "a.b", "a+b", "no-reply", "o'brien", "x" * 64])
def test_good_local_parts(local: str) -> None:
    assert local_part_mistake(local) is None
    assert address_mistake(f"{local}@mail.acme.example") is None


@pytest.mark.parametrize(
    ("local", "words"),
    [
        ("m\u00fcller", "holds \u00fc"),
        ("a..b", "two in a row"),
        (".a", "a dot"),
        ("a.", "a dot"),
        ("a b", "cannot be part"),
        ("a@b", "only the part before the @"),
        ("a\x92", "outside ASCII"),
        ("", "cannot be part"),
        ("x" * 65, "at most 64"),
    ],
)
def test_bad_local_parts(local: str, words: str) -> None:
    assert words in (local_part_mistake(local) or "")
    assert address_mistake(f"{local}@acme.example") is not None


@pytest.mark.parametrize("domain", ["acme.example", "mail.acme.example", "fa\u00df.test", "xn--fa-hia.test"])
def test_good_domains(domain: str) -> None:
    assert domain_mistake(domain) is None


@pytest.mark.parametrize(
    ("domain", "remedy"),
    [
        ("https://acme.example", "write acme.example"),
        ("https://acme.example/mail?x#y", "write acme.example"),
        ("http://user@acme.example:8080", "write acme.example"),
        ("team@acme.example", "write acme.example"),
        ("@acme.example", "write acme.example"),
        ("acme.example.", "write acme.example"),
        ("acme.example:25", "write acme.example"),
        ("https://", "write mail.acme.example"),
        ("acme..example", "write one such as mail.acme.example"),
        ("acme", "write one such as mail.acme.example"),
        ("127.0.0.1", "write one such as mail.acme.example"),
        ("-acme.example", "write one such as"),
        ("acme example.test", "write one such as"),
        ("m\u00fcll er.test", "write one such as"),
        ("x" * 64 + ".test", "write one such as"),
    ],
)
def test_bad_domains(domain: str, remedy: str) -> None:
    assert (domain_mistake(domain) or "").endswith(remedy) or remedy in (domain_mistake(domain) or "")
    assert address_mistake(f"a@{domain}") is not None
