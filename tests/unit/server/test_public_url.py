"""The public URL: refused with its right form unless links can begin with it."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loopwright.server.public_url import origin_of, read_public_url


@pytest.mark.parametrize(
    ("text", "url", "origin"),
    [
        pytest.param("https://a.test", "https://a.test", "https://a.test", id="plain"),
        pytest.param("https://a.test/", "https://a.test", "https://a.test", id="slash"),
        pytest.param(" https://a.test\n", "https://a.test", "https://a.test", id="line end of a file"),
        pytest.param("HTTPS://A.TEST/A/", "https://a.test/A", "https://a.test", id="case"),
        pytest.param("https://a.test:443", "https://a.test:443", "https://a.test", id="the usual port"),
        pytest.param("http://a.test:8080/b/c", "http://a.test:8080/b/c", "http://a.test:8080", id="path"),
        pytest.param("http://local:567", "http://local:567", "http://local:567", id="one label"),
        pytest.param("http://192.0.2.1", "http://192.0.2.1", "http://192.0.2.1", id="IPv4"),
        pytest.param("http://[::A]:81", "http://[::a]:81", "http://[::a]:81", id="IPv6"),
        pytest.param("https://a.test/%C3%A4", "https://a.test/%C3%A4", "https://a.test", id="escaped path"),
    ],
)  # fmt: skip
def test_what_links_can_begin_with(text: str, url: str, origin: str) -> None:
    """It is taken, without a slash at its end."""
    assert read_public_url(text) == url
    assert origin_of(url) == origin


@pytest.mark.parametrize(
    ("text", "words"),
    [
        pytest.param("a.test", "has no scheme; write https://a.test", id="no scheme"),
        pytest.param("a.test:8443/a", "write https://a.test:8443/a", id="no scheme, but a port"),
        pytest.param("//a.test", "write https://a.test", id="slashes only"),
        pytest.param("https:/a.test", "write https://a.test", id="one slash"),
        pytest.param("ftp://a.test", "write https://a.test", id="another scheme"),
        pytest.param("mailto:a@acme.test", "begins with mailto:", id="no address of a server"),
        pytest.param("https://a.test?x=1", "write https://a.test", id="query"),
        pytest.param("https://a.test/b/#top", "write https://a.test/b", id="fragment"),
        pytest.param("https://a .test", "a blank", id="blank"),
        pytest.param("https://a.test/b c", "a blank", id="blank in the path"),
        pytest.param("https://a.test\r\nBcc: b@a.test", "a control character", id="second line"),
        pytest.param("https://a.test\0", "a control character", id="NUL"),
        pytest.param("https://a\u00a0b.test", "a blank", id="no-break space"),
        pytest.param("https://ada:secret@a.test/b", "write https://a.test/b", id="password"),
        pytest.param("https://a.test:0", "from 1 to 65535; write https://a.test", id="port 0"),
        pytest.param(
            "https://a.test:", "from 1 to 65535; write https://a.test", id="no port behind the colon"
        ),
        pytest.param("https://a.test:70000", "from 1 to 65535", id="port too high"),
        pytest.param("https://a.test:b", "from 1 to 65535", id="port of letters"),
        pytest.param("https://", "no name that a host can have", id="no host"),
        pytest.param("https:///a", "no name that a host can have", id="path without a host"),
        pytest.param("https://a..test", "no name that a host can have", id="empty label"),
        pytest.param("https://a.test\\b", "no name that a host can have", id="backslash"),
        pytest.param("https://<a>.test", "no name that a host can have", id="brackets"),
        pytest.param("https://büro.test/a", "write https://xn--bro-hoa.test/a", id="not in ASCII"),
        pytest.param("https://1.2.3", "no IPv4 address", id="three numbers"),
        pytest.param("https://[::1", "brackets", id="open bracket"),
        pytest.param('https://a.test/"b"', "needs escaping", id="quotes"),
        pytest.param("https://a.test/ä", "needs escaping", id="path not in ASCII"),
        pytest.param("  ", "is empty", id="nothing"),
    ],
)
def test_what_they_cannot_begin_with(text: str, words: str) -> None:
    """It is refused, and the right form is told; a password is not repeated."""
    with pytest.raises(ValueError, match=r"write|escape") as refused:
        read_public_url(text)
    assert words in str(refused.value)
    assert "secret" not in str(refused.value)


@given(
    st.text()
    | st.text().map("https://{}".format)
    | st.from_regex(r"https://[a-z.:@\[\]?#/ \-]*", fullmatch=True)
)
def test_what_is_taken_is_whole(text: str) -> None:
    """Links and headers made of it are well formed, and reading it again changes nothing."""
    try:
        url = read_public_url(text)
    except ValueError:
        return
    found = urlsplit(f"{url}/unsubscribe/token")
    assert found.scheme in ("http", "https")
    assert found.hostname
    assert found.path.endswith("/unsubscribe/token")
    assert not found.query + found.fragment
    assert url.isascii()
    assert url.isprintable()
    assert not set(url) & set(' <>"\\')
    assert read_public_url(url) == url
